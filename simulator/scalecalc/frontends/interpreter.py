"""The layers of a specification, read one by one and built as they are read."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scalecalc import expressions
from scalecalc.dims import Dim, Ratio, exact_quotient
from scalecalc.errors import ExpressionError, FileError, GraphError, ScalecalcError, ShapeError, nearest
from scalecalc.frontends.builder import MOST_SIZE, Builder, Value
from scalecalc.frontends.document import Item
from scalecalc.frontends.layers import CHOICES, COMMON, KINDS, LAYERS, Layer, Option
from scalecalc.frontends.wording import shape_text
from scalecalc.walk.symbols import DIMENSION_ARITHMETIC, exact

DEEPEST = 40
"""Layers inside layers, blocks inside blocks."""
MOST_LAYERS = 20_000
"""Layers built, each as often as it is written out."""


@dataclass(slots=True)
class Block:
    """Layers defined once and used by name.

    Attributes:
        parameters: sizes it is used with; None where a use must give one.
        layers: what it consists of.
    """

    parameters: dict[str, Item | None]
    layers: Item


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean at a place of the file.

    Attributes:
        values: outputs of layers and inputs, the innermost first.
        sizes: parameters of the blocks around, and indices of repeats.
        depth: how many layers are around.
    """

    values: ChainMap[str, Value]
    sizes: Mapping[str, Dim]
    depth: int = 0

    def inner(self, **sizes: Dim) -> Names:
        """Inside a layer: new names stay there."""
        return replace(self, values=self.values.new_child(), sizes={**self.sizes, **sizes}, depth=self.depth + 1)


@dataclass(slots=True)
class Interpreter:
    """Builds layers from what a file says of them.

    Args:
        builder: of the graph.
        symbols: names an expression may hold.
        blocks: definitions by name.
    """

    builder: Builder
    symbols: Mapping[str, object]
    blocks: Mapping[str, Block] = field(default_factory=dict)
    built: int = field(init=False, default=0)

    def run(self, items: Item, x: Value | None, names: Names) -> Value:
        """A list of layers, each on what the one before it gives.

        Raises:
            FileError: one of them is not what it should be, or does not fit the one before it.
        """
        if names.depth > DEEPEST:
            raise items.error(f"more than {DEEPEST} layers inside each other", "does a block contain itself?")
        self._count(items)
        for item in items.items():
            self._count(item)
            x = self.layer(item, x, names)
        if x is None:
            raise items.error("there are no layers", "list at least one")
        return x

    def _count(self, item: Item) -> None:
        self.built += 1
        if self.built > MOST_LAYERS:
            raise item.error(f"more than {MOST_LAYERS:,} layers written out", "repeat equal ones without `unroll`")

    def layer(self, item: Item, x: Value | None, names: Names) -> Value:
        """One layer."""
        found, given, head = self._parts(item)
        path = f"{item.path}.{found.name}"
        place = Item(item.node, item.file, path)
        common = {name: given.pop(name) for name in COMMON if name in given}
        try:
            xs = self._inputs(found, common.get("from"), x, place, names)
            options = self._options(found, given, place, names)
            name = self._name(common, head, names.values.maps[0])
            changes: dict[str, Any] = {}
            if "trainable" in common and self._value("bool", common["trainable"], names) is False:
                changes["frozen"] = True
            if "weights" in common:
                changes["owner"] = self.builder.maker(self._named(common["weights"], names))
            with self.builder.inside(name, **changes) as inside:
                value = self._made(found, xs, options)
            self.builder.made(value, inside)
        except FileError:
            raise
        except (ExpressionError, GraphError, ShapeError) as error:
            raise place.error(_said(error), error.todo or "change its sizes, or those in front of it") from error
        names.values[common["name"].text if "name" in common else name] = value
        return value

    def _made(self, found: Layer, xs: tuple[Value, ...], options: dict[str, Any]) -> Value:
        """What a layer's function builds; whatever it trips over, the file is to blame: no function checks it all."""
        try:
            value = found.make(self.builder, *xs, **options)
        except (ScalecalcError, MemoryError, RecursionError):
            raise
        except Exception as error:
            shapes = ", ".join(shape_text(x.tensor) for x in xs) or "nothing"
            what = "needs more axes than it is given" if isinstance(error, IndexError) else "its options do not fit"
            raise ShapeError(f"{what}: it takes {shapes}") from error
        self.builder.test()
        return value

    def _parts(self, item: Item) -> tuple[Layer, dict[str, Item], str]:
        """Which layer it is, its options as written, and what to call it."""
        if item.is_mapping:
            (head, first), *rest = item.mapping().items() or [("", item)]
            given = dict(rest)
        else:
            head, first, given = item.text, None, {}
        if head in self.blocks and head not in LAYERS:
            raise item.error(f"'{head}' is a block", f"write block: {head}")
        found = LAYERS.get(head)
        if found is None:
            raise item.error(f"no layer '{head:.60}'", nearest(head, LAYERS, "scalecalc layers lists them"))
        if first is not None and not first.is_null:
            main = found.options.get(found.main)
            if first.is_mapping and (main is None or main.kind != "Arguments"):
                for name, value in first.mapping().items():
                    if given.setdefault(name, value) is not value:
                        raise value.error("is given twice", "keep one")
            elif main is not None:
                given[main.name] = first
            elif found.takes is None:
                given.setdefault("from", first)
            else:
                raise first.error(f"{head} takes no value of its own", f"its options are {', '.join(_all(found))}")
        return found, given, first.text if head == "block" and first is not None and not first.is_mapping else head

    def _name(self, common: Mapping[str, Item], head: str, taken: Container[str]) -> str:
        """What the layer is called: its own name where it has one."""
        if "name" not in common:
            return head
        name = common["name"].text
        if not name.isidentifier():
            raise common["name"].error(f"'{name:.60}' is no name", "use letters, digits and underscores")
        if name in taken and name not in LAYERS:
            raise common["name"].error(f"'{name:.60}' is the name of another layer", "choose a different one")
        return name

    def _inputs(
        self, found: Layer, given: Item | None, x: Value | None, place: Item, names: Names
    ) -> tuple[Value, ...]:
        if given is not None:
            listed = list(given.items()) if given.is_list else [given]
            xs = tuple(self._named(entry, names) for entry in listed)
        else:
            xs = (x,) if x is not None and found.takes != 0 else ()
        if found.takes is not None and len(xs) != found.takes:
            what = f"takes {found.takes} value{'s' * (found.takes != 1)}, not {len(xs)}"
            raise place.error(what, "name its inputs with 'from'" if not xs else "merge them first (concat, add)")
        return xs

    def _named(self, item: Item, names: Names) -> Value:
        if item.text not in names.values:
            known = list(names.values)
            raise item.error(f"nothing before it is called '{item.text:.60}'", nearest(item.text, known))
        return names.values[item.text]

    def _options(self, found: Layer, given: dict[str, Item], place: Item, names: Names) -> dict[str, Any]:
        """The options as the layer's function wants them, those of a block as its parameters."""
        options: dict[str, Any] = {}
        free = next((option for option in found.options.values() if option.kind == "Arguments"), None)
        if free is not None:
            return {free.name: self._section_of_block(given, place, names)}
        for name, item in given.items():
            option = found.options.get(name)
            if option is None:
                raise item.error(f"{found.name} has no option '{name:.60}'", nearest(name, _all(found)))
            if item.is_null and option.optional:
                options[option.name] = None
            else:
                options[option.name] = self._value(option.kind, item, names)
        for name, option in found.options.items():
            if option.required and option.name not in options:
                todo = f"write {found.name}: ..." if option.name == found.main else f"add {name}: ..."
                raise place.error(f"needs {name}: {_kind(option)}", todo)
        return options

    def _value(self, kind: str, item: Item, names: Names) -> Any:
        """An option as its kind wants it."""
        match kind:
            case "Dim":
                return self.size(item, names)
            case "Dims":
                return tuple(self.size(entry, names) for entry in (item.items() if item.is_list else [item]))
            case "int":
                return self._whole(item, names)
            case "Ints":
                return tuple(self._whole(entry, names) for entry in (item.items() if item.is_list else [item]))
            case "Padding":
                if not item.is_list and item.text in ("same", "valid"):
                    return item.text
                return self._value("Ints", item, names)
            case "Section":
                return self._section(item, names)
            case "Branches":
                return tuple(self._section(entry, names) for entry in item.items())
            case "Value":
                return self._named(item, names)
            case "Values":
                return tuple(self._named(entry, names) for entry in (item.items() if item.is_list else [item]))
            case "bool" | "float" | "str":
                return _plain(kind, item)
        if item.text not in CHOICES[kind]:
            raise item.error(f"no {kind.lower()} '{item.text:.60}'", nearest(item.text, CHOICES[kind]))
        return item.text

    def size(self, item: Item, names: Names) -> Dim:
        """An expression of symbols and parameters.

        Raises:
            FileError: it is none, or holds a name nobody knows.
        """
        try:
            tree = expressions.parse(item.text)
            known = {name: self._meaning(name, item, names) for name in sorted(tree.names)}
            value = tree.evaluate(known, DIMENSION_ARITHMETIC)
            size = exact_quotient(value.num, value.den) if isinstance(value, Ratio) else exact(value)
            self.builder.test()
        except (ExpressionError, ShapeError) as error:
            raise item.error(_said(error), error.todo or "write a size such as 4*d_model") from error
        if abs(self.builder.stated(size) or 0) > MOST_SIZE:
            raise item.error("no size is that large", f"use at most {MOST_SIZE:,}")
        return size

    def _meaning(self, name: str, item: Item, names: Names) -> Dim:
        if name in names.sizes:
            return names.sizes[name]
        if name not in self.symbols:
            known = (*names.sizes, *self.symbols)
            raise item.error(f"no symbol '{name:.60}'", nearest(name, known, "declare it under symbols"))
        return self.builder.size(name)

    def _whole(self, item: Item, names: Names) -> int:
        return self.builder.number(self.size(item, names))

    def _section(self, item: Item, names: Names) -> Any:
        def run(x: Value, **sizes: Dim) -> Value:
            return self.run(item, x, names.inner(**sizes))

        return run

    def _section_of_block(self, given: dict[str, Item], place: Item, names: Names) -> Any:
        """The layers of a block with its parameters as one use gives them."""
        named = given.pop("block", None)
        if named is None:
            raise place.error("which block?", "write block: NAME")
        block = self.blocks.get(named.text)
        if block is None:
            todo = nearest(named.text, self.blocks, "define it under blocks")
            raise named.error(f"no block '{named.text:.60}'", todo)
        for name, item in given.items():
            if name not in block.parameters:
                listed = nearest(name, block.parameters, "it has no parameters") if block.parameters else "leave it out"
                raise item.error(f"block {named.text} has no parameter '{name:.60}'", listed)
        sizes: dict[str, Dim] = {}
        for name, default in block.parameters.items():
            if name in given:
                sizes[name] = self.size(given[name], names)
            elif default is None:
                raise place.error(f"block {named.text} needs {name}", f"write {name}: and a size")
            else:
                sizes[name] = self.size(default, Names(ChainMap(), sizes))

        def run(x: Value) -> Value:
            return self.run(block.layers, x, Names(names.values.new_child(), sizes, names.depth + 1))

        return run


def _plain(kind: str, item: Item) -> Any:
    value = item.scalar()
    wanted: dict[str, tuple[type, ...]] = {"bool": (bool,), "float": (int, float), "str": (str,)}
    if not isinstance(value, wanted[kind]) or (kind != "bool" and isinstance(value, bool)):
        raise item.error(f"'{item.text:.60}' is not {KINDS[kind]}")
    return value


def _kind(option: Option) -> str:
    return KINDS.get(option.kind) or f"one of {', '.join(CHOICES[option.kind])}"


def _all(found: Layer) -> list[str]:
    return [*found.options, *COMMON]


def _said(error: ScalecalcError) -> str:
    return f"{error.where}: {error.what}" if isinstance(error, ExpressionError) and error.where else error.what
