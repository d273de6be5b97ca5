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
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scalecalc import expressions
from scalecalc.errors import ExpressionError, FileError, nearest
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.document import MAX_BYTES, Item, document, plain
from scalecalc.frontends.interpreter import Block, Interpreter, Names
from scalecalc.ir.graph import Declared, Graph, Size, TensorType
from scalecalc.walk.symbols import DIMENSION_ARITHMETIC, Shapes, fitting
from scalecalc.walk.task import ALIASES, TASKS

DATA_KINDS = {"batch": "batch", "seq": "sequence", "height": "spatial", "width": "spatial", "depth": "spatial"}
"""What a symbol without a value is, by its name."""
KINDS = ("weight", "batch", "sequence", "spatial", "free")
DTYPES = ("float32", "float16", "bfloat16", "float64", "int64", "int32", "bool")
DOMAINS = ("image recognition", "natural language", "speech", "recommendation")
Values = Mapping[str, int]
"""Sizes by symbol."""
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
        builder = Builder(name, "spec", symbols, inputs)
        values: dict[str, Value] = {n: builder.input(n) for n in inputs}
        blocks = _blocks(parts["blocks"]) if "blocks" in parts else {}
        names = Names(ChainMap(values), {})
        first = next(iter(values.values())) if len(values) == 1 else None
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
        with open(file, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"cannot be read ({error.strerror})", where=file, todo="check the path") from None
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
        symbols=_symbols(parts.get("symbols"), own.get("symbols"), values or {}),
        expect=plain(own["expect"] if variant else parts["expect"]) if "expect" in (own if variant else parts) else {},
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


def _symbols(item: Item | None, changes: Item | None, given: Values) -> dict[str, Declared]:
    """The symbols, with those a variant changes, and other values for some.

    A value alone leaves kind and limit as they are.
    """
    found = item.mapping() if item is not None else {}
    parts = {name: _symbol_parts(name, value) for name, value in found.items()}
    for name, value in (changes.mapping() if changes is not None else {}).items():
        if name not in parts:
            raise value.error(f"no symbol '{name:.60}'", nearest(name, parts, "declare it under symbols"))
        (kind, _, most, _), changed = parts[name], _symbol_parts(name, value)
        parts[name] = changed if value.is_mapping else (kind, changed[1], most, changed[3])
    values = {name: value for name, value in given.items() if name in parts and value > 0}
    for name in parts:
        _value_of(name, parts, values, ())
    return {
        name: Declared(kind, values.get(name), tie, _most(most, parts)) for name, (kind, tie, most, _) in parts.items()
    }


def _symbol_parts(name: str, item: Item) -> tuple[str, str, Item | None, Item | None]:
    """Kind, tie, limit and value as written."""
    if not name.isidentifier():
        raise item.error(f"'{name:.60}' is no name", "use letters, digits and underscores")
    if not item.is_mapping:
        given, kind, most = (None if item.is_null else item), "", None
    else:
        parts = item.mapping(("kind", "value", "max"))
        given, most = parts.get("value"), parts.get("max")
        kind = parts["kind"].text if "kind" in parts else ""
        if kind and kind not in KINDS:
            raise parts["kind"].error(f"no kind '{kind:.60}'", nearest(kind, KINDS))
    kind = kind or ("weight" if given is not None else DATA_KINDS.get(name, "free"))
    tie = "" if given is None or given.text.isdecimal() else given.text
    return kind, tie, most, given


def _value_of(
    name: str, parts: Mapping[str, tuple[str, str, Item | None, Item | None]], values: dict[str, int],
    around: tuple[str, ...],
) -> int | None:  # fmt: skip
    """A symbol's value, found from those it follows from."""
    item = parts[name][3]
    if name in values or item is None:
        return values.get(name)
    if name in around:
        raise item.error(f"follows from itself: {' -> '.join((*around, name))}", "give one of them a number")
    try:
        tree = expressions.parse(item.text)
        needed: dict[str, int] = {}
        for other in tree.names:
            if other not in parts:
                raise item.error(f"no symbol '{other:.60}'", nearest(other, parts, "declare it under symbols"))
            found = _value_of(other, parts, values, (*around, name))
            if found is None:
                raise item.error(f"{other} has no value", f"give {name} a number")
            needed[other] = found
        value = tree.evaluate(needed, DIMENSION_ARITHMETIC)
    except ExpressionError as error:
        raise item.error(f"{error.where}: {error.what}" if error.where else error.what, error.todo) from error
    if type(value) is not int or value < 1:
        at = f" at {', '.join(f'{other} {size:,}' for other, size in sorted(needed.items()))}" if needed else ""
        todo = f"set {name} too" if needed else "sizes are whole numbers from 1 on"
        raise item.error(f"{item.text} is no size{at}", todo)
    values[name] = value
    return value


def _most(item: Item | None, known: Mapping[str, object]) -> int | Size | None:
    if item is None:
        return None
    if item.text.isdecimal():
        return int(item.text)
    return Size(_expression(item, known))


def _expression(item: Item, known: Mapping[str, object]) -> str:
    """A text that is an expression of symbols."""
    try:
        tree = expressions.parse(item.text)
    except ExpressionError as error:
        raise item.error(f"{error.where}: {error.what}" if error.where else error.what, error.todo) from error
    for name in tree.names:
        if name not in known:
            raise item.error(f"no symbol '{name:.60}'", nearest(name, known, "declare it under symbols"))
    return item.text


def _inputs(item: Item, symbols: Mapping[str, Declared]) -> dict[str, TensorType]:
    found = {}
    for name, value in item.mapping().items():
        parts = value.mapping(("shape", "dtype")) if value.is_mapping else {"shape": value}
        dtype = parts["dtype"].text if "dtype" in parts else "float32"
        if dtype not in DTYPES:
            raise parts["dtype"].error(f"no type '{dtype:.60}'", nearest(dtype, DTYPES))
        if "shape" not in parts:
            raise value.error("there is no shape", "write shape: [batch, ...]")
        shape = tuple(
            int(entry.text) if entry.text.isdecimal() else _expression(entry, symbols)
            for entry in parts["shape"].items()
        )
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
