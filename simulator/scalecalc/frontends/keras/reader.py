"""Layers built as they are called: one after the other (Sequential), or joined by their calls (Functional)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scalecalc.errors import GraphError, ShapeError, nearest
from scalecalc.frontends.builder import Builder
from scalecalc.frontends.keras.axes import Axes
from scalecalc.frontends.keras.call import Call, Unsupported
from scalecalc.frontends.keras.calls import Inbound, Ref, calls_of, ordered, put, refs
from scalecalc.frontends.keras.held import DOMAIN, Held
from scalecalc.frontends.keras.layers import find
from scalecalc.frontends.keras.parts import Part, is_model, own_name, part_of
from scalecalc.ir.graph import TensorType

DEEPEST = 24
"""Models and wrappers inside each other."""
MOST_CALLS = 100_000
"""Calls of layers: models inside models multiply them."""
EXACT = ("float32", "int8", "int32", "int64", "bool", "string")
MISSTATED = ("EinsumDense",)
"""Classes whose shapes Keras states wrongly: those an ellipsis stands for in reversed order."""

Shapes = dict[int, tuple[int | None, ...]]


class Reader:
    """Builds the layers of a configuration as it reads them.

    Args:
        b: the graph that grows.
        axes: names of open axes.
        file: what to call it in errors.
    """

    def __init__(self, b: Builder, axes: Axes, file: str) -> None:
        self.b, self.axes, self.file = b, axes, file
        self.notes: list[str] = []
        self._paths: dict[object, tuple[str, ...]] = {}
        self._calls = self._depth = 0

    # -- models -----------------------------------------------------------------------------------------------------

    def model(self, model: Part, xs: Sequence[Held]) -> list[Held]:
        """The outputs of a model on some inputs.

        Raises:
            FileError: its layers do not fit each other.
        """
        config = part_of(model)
        return self._functional(config, xs) if "input_layers" in config.entries else self._sequential(config, xs)

    def _sequential(self, config: Part, xs: Sequence[Held]) -> list[Held]:
        layers = [layer for layer in config.parts("layers") if layer.get("class_name") != "InputLayer"]
        found = list(xs)
        for layer, behind in zip(layers, [*layers[1:], None], strict=False):
            shape = behind.part("build_config").shape("input_shape") if behind is not None else None
            found = self.call(layer, [*found], {}, {}, config.path, otherwise={} if shape is None else {0: shape})
        return found

    def _functional(self, config: Part, xs: Sequence[Held]) -> list[Held]:
        layers = {own_name(layer): layer for layer in config.parts("layers")}
        inputs = refs(config.get("input_layers"), config, "input_layers")
        outputs = refs(config.get("output_layers"), config, "output_layers")
        if len(inputs) != len(xs):
            raise config.error(f"it takes {len(inputs)} values, not {len(xs)}")
        calls: dict[tuple[str, int], Inbound] = {(ref.layer, ref.call): Inbound([], {}) for ref in inputs}
        given = set(calls)
        for name, layer in layers.items():
            for place, call in enumerate(calls_of(layer)):
                calls.setdefault((name, place), call)
        stated: dict[tuple[str, int], Shapes] = {}
        for call in (Inbound([], {}, outputs), *calls.values()):
            for ref in call.needs:
                _check_ref(ref, calls, layers, config)
            for ref, shape in call.stated.items():
                stated.setdefault((ref.layer, ref.call), {})[ref.output] = shape
        values: dict[Ref, Held] = dict(zip(inputs, xs, strict=True))

        def value(ref: Ref) -> Held:
            if ref not in values:
                raise config.error(f"layer '{ref.layer:.60}' has no output number {ref.output + 1}")
            return values[ref]

        for key in ordered(calls, config.error):
            if key not in given:
                args, kwargs = put(calls[key].args, value), put(calls[key].kwargs, value)
                results = self.call(layers[key[0]], args, kwargs, stated.get(key, {}), config.path)
                values.update((Ref(*key, index), result) for index, result in enumerate(results))
        return [value(ref) for ref in outputs]

    # -- layers -----------------------------------------------------------------------------------------------------

    def call(
        self, layer: Part, args: list[Any], kwargs: dict[str, Any], stated: Shapes, around: str,
        *, otherwise: Shapes | None = None, label: str = "",
    ) -> list[Held]:  # fmt: skip
        """One call of one layer.

        Args:
            layer: its entry in the list.
            args, kwargs: what it is called on.
            stated: shapes the file states for its outputs: they must be those.
            around: path of the models around it.
            otherwise: shapes to go on with behind a layer that is not counted.
            label: which of the layers of one wrapper it is.

        Raises:
            FileError: it is not what it should be, or does not fit what it is called on.
        """
        self._calls, self._depth = self._calls + 1, self._depth + 1
        if self._calls > MOST_CALLS or self._depth > DEEPEST:
            raise layer.error(f"more than {MOST_CALLS:,} calls of layers, or {DEEPEST} layers inside each other")
        kind, name = layer.text("class_name"), re.sub(r"[^\w-]", "_", own_name(layer))[:100] or "layer"
        path = f"{around}/{name}" if around else name
        layer = Part(layer.entries, self.file, f"layer {path.removeprefix('layer ')} ({kind:.60})")
        changes: dict[str, Any] = {"frozen": True} if part_of(layer).get("trainable") is False else {}
        shared = layer.get("shared_object_id")
        key = (shared if isinstance(shared, int) else id(layer.entries), label)
        if key in self._paths:
            changes["owner"] = self._paths[key]
        try:
            with self.b.inside(name, **changes) as inside:
                self._paths.setdefault(key, inside)
                results = self._results(layer, kind, path, args, kwargs, {**(otherwise or {}), **stated})
        except (ShapeError, GraphError) as error:
            raise layer.error(error.what) from error
        for index, shape in stated.items() if kind not in MISSTATED else ():
            _meet(layer, results, index, shape)
        self._depth -= 1
        return results

    def _results(
        self, layer: Part, kind: str, path: str, args: list[Any], kwargs: dict[str, Any], shapes: Shapes
    ) -> list[Held]:
        xs = _values([args, kwargs])
        if is_model(layer):
            return self.model(Part(layer.entries, self.file, path), xs)
        config = part_of(layer)
        self._note_precision(config)
        outputs = max(shapes, default=0) + 1

        def apply(inner: Part, /, *xs: Held, label: str) -> list[Held]:
            return self.call(inner, list(xs), {}, {}, path, label=label)

        lower = find(kind, layer.get("module"), layer.get("registered_name"))
        try:
            if lower is None or any(x.opaque for x in xs):
                raise Unsupported
            config = Part(config.entries, self.file, layer.path)
            found = lower(Call(self.b, config, xs, args, kwargs, apply, outputs))
        except Unsupported:
            return self._opaque(kind, xs, shapes, outputs)
        return found if isinstance(found, list) else [found]

    def _opaque(self, kind: str, xs: Sequence[Held], shapes: Shapes, outputs: int) -> list[Held]:
        """A node that no rule counts: its outputs have the shapes the file states, or none."""
        named = [self.axes.named(shapes[index]) if index in shapes else None for index in range(outputs)]
        self.b.graph.symbols.update(self.axes.symbols)
        types = [TensorType("float32", shape) for shape in named]
        values = self.b.opaque(kind[:80], [x.opaque or x.plain() for x in xs], types, domain=DOMAIN)
        pairs = zip(values, named, strict=True)
        return [Held(self.b, last=v) if shape is not None else Held(self.b, opaque=v) for v, shape in pairs]

    def _note_precision(self, config: Part) -> None:
        policy = config.get("dtype")
        if isinstance(policy, dict):
            inner = policy.get("config")
            policy = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(policy, str) and policy not in EXACT:
            note = f"the file computes in {policy:.40}: bytes are those of float32"
            if note not in self.notes:
                self.notes.append(note)


def _values(value: Any) -> list[Held]:
    """The values in nested arguments, in their order."""
    if isinstance(value, Held):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for entry in inner for found in _values(entry)]


def _meet(layer: Part, results: Sequence[Held], index: int, shape: tuple[int | None, ...]) -> None:
    """What a layer gives is what the file says it gives.

    Raises:
        FileError: it is not.
    """
    if index >= len(results):
        raise layer.error(f"it gives {len(results)} values, others take number {index + 1}")
    found = results[index]
    if found.opaque is not None:
        return
    if found.rank != len(shape):
        raise layer.error(f"its output has {found.rank} axes where the file states {len(shape)}")
    for axis, (dim, wanted) in enumerate(zip(found.shape, shape, strict=True)):
        if isinstance(dim, int) and wanted is not None and dim != wanted:
            raise layer.error(f"its output has {dim} entries in axis {axis} where the file states {wanted}")


def _check_ref(ref: Ref, calls: dict[tuple[str, int], Inbound], layers: dict[str, Part], config: Part) -> None:
    if ref.layer not in layers:
        raise config.error(f"there is no layer '{ref.layer:.60}'", nearest(ref.layer, layers, "correct the file"))
    if (ref.layer, ref.call) not in calls:
        raise config.error(f"layer '{ref.layer:.60}' has no call number {ref.call + 1}")
