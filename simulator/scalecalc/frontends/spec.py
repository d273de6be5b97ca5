"""Declarative specifications: a YAML file of symbols, inputs and layers becomes the same `Graph` an ONNX file gives.

    name: tiny classifier
    symbols:
      width: 256
      batch: {kind: batch}
    inputs:
      image: [batch, 784]
    layers:
      - {dense: width, activation: relu}
      - dense: 10

A symbol's value may be an expression of others (`d_ff: 4*d_model`): it follows them until it is set itself.
"""

from __future__ import annotations

import os
import stat
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scalecalc.errors import ExpressionError, FileError, GraphError, ShapeError, nearest
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.declared import DATA_KINDS, Values, declared, size_of
from scalecalc.frontends.document import MAX_BYTES, Item, document, plain
from scalecalc.frontends.interpreter import Block, Interpreter, Names
from scalecalc.ir.graph import Declared, Graph, TensorType
from scalecalc.walk.symbols import Shapes, fitting
from scalecalc.walk.task import ALIASES, TASKS

DTYPES = ("float32", "float16", "bfloat16", "float64", "int64", "int32", "bool")
DOMAINS = ("image recognition", "natural language", "speech", "recommendation")
MOST_NODES = 10_000
"""Nodes a specification may write out: more would take seconds, and `repeat` keeps them as a factor."""
KEYS = (
    "name", "title", "domain", "task", "source", "notes", "symbols", "inputs", "blocks", "layers", "outputs",
    "variants", "default", "aliases", "expect",
)  # fmt: skip
VARIANT_KEYS = ("symbols", "aliases", "source", "notes", "expect")


@dataclass(slots=True)
class Spec:
    """A specification, or one of its variants.

    Attributes:
        name: what to call it: `gpt2`.
        variant: which variant, "" for the file as it stands.
        title, domain, task, source: what it says of itself, "" where it does not.
        notes: for people: how it differs from what its source describes.
        symbols: by name, those of the variant.
        expect: published totals by name.
        variants: their names.
        item: the whole file.
        default: the variant that is the file as it stands.
        aliases: other names, each with the variant it stands for.
    """

    name: str
    variant: str
    title: str
    domain: str
    task: str
    source: str
    notes: tuple[str, ...]
    symbols: dict[str, Declared]
    expect: dict[str, Any]
    variants: tuple[str, ...]
    item: Item
    default: str = ""
    aliases: dict[str, str] = field(default_factory=dict)

    def graph(self, shapes: Shapes | None = None) -> Graph:
        """What it builds.

        Args:
            shapes: of inputs, instead of the file's: layers are built for these.

        Raises:
            FileError: a layer is wrong, or does not fit the one before it.
            UsageError: `shapes` fit no input.
        """
        parts = self.item.mapping()
        inputs, symbols = _reshaped(_inputs(parts["inputs"], self.symbols), self.symbols, shapes or {})
        name = f"{self.name}:{self.variant}" if self.variant else self.name
        try:
            builder = Builder(name, "spec", symbols, inputs, most_nodes=MOST_NODES)
            values: dict[str, Value] = {n: builder.input(n) for n in inputs}
        except (ExpressionError, GraphError, ShapeError) as error:
            raise parts["inputs"].error(error.what, "give other sizes") from error
        blocks = _blocks(parts["blocks"]) if "blocks" in parts else {}
        names = Names(ChainMap(values), {})
        first = next(iter(values.values())) if len(values) == 1 else None
        if not any(True for _ in parts["layers"].items()):
            raise parts["layers"].error("there are no layers", "list at least one")
        last = Interpreter(builder, symbols, blocks).run(parts["layers"], first, names)
        graph = builder.finish(_outputs(parts.get("outputs"), last, names))
        stated = {"title": self.title, "task": self.task, "domain": self.domain, "citation": self.source}
        graph.metadata = {key: text for key, text in (*stated.items(), ("note", "\n".join(self.notes))) if text}
        return graph


def read(
    path: str | os.PathLike[str], variant: str = "", *, shapes: Shapes | None = None, values: Values | None = None
) -> Graph:
    """The graph of a specification file, or of one of its variants.

    Args:
        path: of the file.
        variant: one of its variants.
        shapes: of inputs, instead of the file's.
        values: of symbols, instead of the file's; those it does not declare are left out.

    Raises:
        FileError: it cannot be read, or is none.
    """
    file = os.fspath(path)
    try:
        mode = os.stat(file).st_mode
        if not stat.S_ISREG(mode):
            what = "is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
            raise FileError(what, where=file, todo="give the path of a file, or - for a pipe")
        with open(file, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        what = getattr(error, "strerror", None) or str(error)
        raise FileError(f"cannot be read ({what})", where=file, todo="check the path") from None
    return parse(raw, file, variant=variant, values=values).graph(shapes)


def parse(
    raw: bytes | str, file: str, *, variant: str = "", values: Values | None = None, shipped: bool = False
) -> Spec:
    """A specification's text, read but not built.

    Args:
        raw: the text.
        file: what to call it in errors.
        variant: one of its variants, "" for the file as it stands.
        values: of symbols, instead of the file's.
        shipped: it comes with this package: it is not searched for what may harm.

    Raises:
        FileError: it is no specification.
    """
    if len(raw) > MAX_BYTES:
        raise FileError(f"is larger than {MAX_BYTES:,} bytes", where=file, todo="give a smaller file")
    item = document(raw, file, shipped=shipped)
    parts = item.mapping(KEYS)
    for key in ("inputs", "layers"):
        if key not in parts:
            raise item.error(f"there is no '{key}'", f"list its {key}")
    variants = parts["variants"].mapping() if "variants" in parts else {}
    default = parts["default"].text if "default" in parts else ""
    if default and default not in variants:
        raise parts["default"].error(
            f"no variant '{default:.60}'", nearest(default, variants, "list it under variants")
        )
    variant = "" if variant == default else variant
    if variant and variant not in variants:
        raise item.error(f"no variant '{variant:.60}'", nearest(variant, variants, "it has no variants"))
    own = variants[variant].mapping(VARIANT_KEYS) if variant and not variants[variant].is_null else {}
    name = _text(parts, "name") or Path(file).stem
    return Spec(
        name=name,
        variant=variant,
        title=_text(parts, "title"),
        domain=_word(parts, "domain", DOMAINS),
        task=_word(parts, "task", (*TASKS, *ALIASES)),
        source=_text(own, "source") or _text(parts, "source"),
        notes=(*_lines(parts), *_lines(own)),
        symbols=declared(parts.get("symbols"), own.get("symbols"), values or {}),
        expect=_expected(own if variant else parts),
        variants=tuple(variants),
        item=item,
        default=default,
        aliases=_aliases(parts, variants),
    )


def _aliases(parts: Mapping[str, Item], variants: Mapping[str, Item]) -> dict[str, str]:
    """Other names, and the variant each stands for."""
    found = {entry.text: "" for entry in parts["aliases"].items()} if "aliases" in parts else {}
    for variant, item in variants.items():
        if item.is_mapping and "aliases" in (own := item.mapping(VARIANT_KEYS)):
            found.update((entry.text, variant) for entry in own["aliases"].items())
    default = parts["default"].text if "default" in parts else ""
    return {alias: "" if variant == default else variant for alias, variant in found.items()}


def _expected(parts: Mapping[str, Item]) -> dict[str, Any]:
    return {key: plain(value) for key, value in parts["expect"].mapping().items()} if "expect" in parts else {}


def _text(parts: Mapping[str, Item], key: str) -> str:
    return " ".join(parts[key].text.split()) if key in parts else ""


def _word(parts: Mapping[str, Item], key: str, known: Sequence[str]) -> str:
    word = _text(parts, key)
    if word and word not in known:
        raise parts[key].error(f"no {key} '{word:.60}'", nearest(word, known))
    return word


def _lines(parts: Mapping[str, Item]) -> tuple[str, ...]:
    if "notes" not in parts:
        return ()
    notes = parts["notes"]
    return tuple(" ".join(n.text.split()) for n in (notes.items() if notes.is_list else [notes]))


def _inputs(item: Item, symbols: Mapping[str, Declared]) -> dict[str, TensorType]:
    found = {}
    values = {name: symbol.value for name, symbol in symbols.items()}
    for name, value in item.mapping().items():
        parts = value.mapping(("shape", "dtype")) if value.is_mapping else {"shape": value}
        dtype = parts["dtype"].text if "dtype" in parts else "float32"
        if dtype not in DTYPES:
            raise parts["dtype"].error(f"no type '{dtype:.60}'", nearest(dtype, DTYPES))
        if "shape" not in parts:
            raise value.error("there is no shape", "write shape: [batch, ...]")
        shape = tuple(size_of(entry, values) for entry in parts["shape"].items())
        found[name] = TensorType(dtype, shape)
    if not found:
        raise item.error("there are no inputs", "list at least one")
    return found


def _reshaped(
    inputs: dict[str, TensorType], symbols: dict[str, Declared], shapes: Shapes
) -> tuple[dict[str, TensorType], dict[str, Declared]]:
    """The inputs with other shapes: a number for a symbol is that symbol's from now on, a new name a new symbol."""
    inputs, symbols = dict(inputs), dict(symbols)
    for name, shape in shapes.items():
        own = inputs[fitting(inputs, name, shape)].shape or ()
        for before, entry in zip(own, shape, strict=True):
            if isinstance(before, str) and before in symbols and isinstance(entry, int):
                symbols[before] = replace(symbols[before], value=entry, tie="", fixed=True)
            elif isinstance(entry, str) and entry not in symbols:
                symbols[entry] = Declared(DATA_KINDS.get(entry, "free"))
        inputs[name] = TensorType(inputs[name].dtype, tuple(shape))
    return inputs, symbols


def _blocks(item: Item) -> dict[str, Block]:
    found = {}
    for name, value in item.mapping().items():
        parts = value.mapping(("parameters", "layers")) if value.is_mapping else {"layers": value}
        if "layers" not in parts:
            raise value.error("there are no layers", "list its layers")
        given = parts["parameters"].mapping() if "parameters" in parts else {}
        found[name] = Block({n: None if d.is_null else d for n, d in given.items()}, parts["layers"])
    return found


def _outputs(item: Item | None, last: Value, names: Names) -> dict[str, Value]:
    if item is None:
        return {"output": last}
    found = {}
    for entry in item.items() if item.is_list else [item]:
        if entry.text not in names.values:
            raise entry.error(f"no layer is called '{entry.text:.60}'", nearest(entry.text, names.values))
        found[entry.text] = names.values[entry.text]
    return found
