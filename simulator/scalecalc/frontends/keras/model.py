"""From a configuration to a graph: what the outermost model is fed with, what it gives, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from scalecalc.errors import FileError, GraphError, ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.keras.axes import Axes, input_shape, input_type
from scalecalc.frontends.keras.calls import refs
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.parts import Part, is_model, own_name, part_of
from scalecalc.frontends.keras.reader import Reader
from scalecalc.ir.graph import Graph, Size, TensorType


def build(document: Any, file: str, name: str = "") -> Graph:
    """The graph of a configuration.

    Args:
        document: what its JSON holds.
        file: what to call it in errors.
        name: what to call the graph; as the model calls itself unless given.

    Raises:
        FileError: it is no configuration of a model, or its layers do not fit each other.
    """
    whole = Part(document if isinstance(document, dict) else {}, file)
    if not is_model(whole):
        named, what = whole.get("class_name"), "is no configuration of a Keras model"
        if isinstance(named, str) and isinstance(whole.get("config"), dict):
            what = f"holds a {named:.60}, whose layers stand in its code and not in the file"
        raise FileError(what, where=file, todo="give a Sequential or Functional model, or export it to ONNX")
    axes = Axes()
    inputs = _inputs(whole, axes)
    name = name or re.sub(r"\W", "_", part_of(whole).text("name", "model"))[:100] or "model"
    try:
        builder = Builder(name, "keras", axes.symbols, inputs)
        reader = Reader(builder, axes, file)
        results = reader.model(whole, [Held(builder, last=builder.input(name)) for name in inputs])
        outputs = _outputs(whole, builder.graph, results)
    except RecursionError:
        raise FileError("its layers are nested too deeply", where=file, todo="correct the file") from None
    except (ShapeError, GraphError) as error:
        raise FileError(error.what, where=file, todo=error.todo or "correct the file") from error
    _check_weights(builder.graph, file)
    graph = builder.finish(outputs)
    graph.metadata.update({"note": "\n".join(reader.notes)} if reader.notes else {})
    return graph


def _inputs(model: Part, axes: Axes) -> dict[str, TensorType]:
    """What the outermost model is fed with."""
    config = part_of(model)
    layers = list(config.parts("layers"))
    if "input_layers" not in config.entries:
        if not layers:
            raise config.error("it has no layers", "give a model that has some")
        shape = input_shape(layers[0]) or config.shape("build_input_shape")
        if shape is None:
            todo = "call model.build(INPUT_SHAPE) and save it again"
            raise config.error("the shape of its input is not in the file", todo)
        return {_label(own_name(layers[0]), "input", ()): input_type(layers[0], axes, shape)}
    by_name = {own_name(layer): layer for layer in layers}
    found: dict[str, TensorType] = {}
    for ref in refs(config.get("input_layers"), config, "input_layers"):
        layer = by_name.get(ref.layer)
        shape = input_shape(layer) if layer is not None else None
        if layer is None or shape is None:
            raise config.error(f"its input '{ref.layer:.60}' is no layer with a shape")
        found[_label(ref.layer, "input", found)] = input_type(layer, axes, shape)
    if not found:
        raise config.error("it has no inputs")
    return found


def _outputs(model: Part, graph: Graph, results: Sequence[Held]) -> dict[str, Value]:
    """What the outermost model gives, called as the layers that make it."""
    config = part_of(model)
    if "output_layers" in config.entries:
        names = [ref.layer for ref in refs(config.get("output_layers"), config, "output_layers")]
    else:
        names = [own_name(layer) for layer in config.parts("layers")][-1:] * len(results)
    found: dict[str, Value] = {}
    for name, result in zip(names, results, strict=True):
        taken = {*graph.inputs, *graph.initializers, *found}
        found[_label(name, "output", taken)] = result.opaque or result.plain()
    if not found:
        raise config.error("it has no outputs")
    return found


def _label(name: str, otherwise: str, taken: Container[str]) -> str:
    """What to call an input or output, as nothing else is called."""
    name = re.sub(r"[^\w-]", "_", name)[:100] or otherwise
    while name in taken:
        name += "_"
    return name


def _check_weights(graph: Graph, file: str) -> None:
    for init in graph.initializers.values():
        if init.stored_bytes and any(isinstance(dim, Size) for dim in init.shape):
            what = f"{init.name:.100}: its shape ({', '.join(map(str, init.shape))}) depends on an open axis"
            raise FileError(what, where=file, todo="give the model an input of a fixed size there")
