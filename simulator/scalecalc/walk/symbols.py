"""How what a file writes as dimensions becomes symbols with a name, a kind and a rank."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import count
from typing import Any

from scalecalc import expressions
from scalecalc.dims import (
    DECLARED,
    FAMILY,
    FILE,
    FRESH,
    ROLE,
    Dim,
    Poly,
    Ratio,
    System,
    bound,
    larger,
    lone,
    prod,
    ratio,
    smaller,
)
from scalecalc.errors import ExpressionError, ShapeError, UsageError
from scalecalc.ir.graph import Graph, Initializer, Size, TensorType
from scalecalc.ops import is_float

AUTOMATIC = re.compile(
    r"(unk__\d+|s\d+|u\d+|dim_?\d+|\?|unk|unknown|none|-?\d+|.*_dim_\d+|.*dynamic_axes_\d+)", re.IGNORECASE
)
"""Names exporters make up: a role's name is better than these."""

MOST_ELEMENTS = 2**63
"""No tensor is that large; counts of larger ones would leave the range of floats."""

BATCH_NAMES = {"batch", "batch_size", "batchsize", "bs", "n"}
"""Names of a batch axis that does not stand first."""

MEANING = {"batch": "batch", "seq": "sequence", "height": "spatial", "width": "spatial", "depth": "spatial"}


def _power(base: Dim, exponent: Dim) -> Dim:
    if not isinstance(base, int | Poly) or not isinstance(exponent, int) or not 0 <= exponent <= 16:
        raise ExpressionError(f"{base} to the power {exponent} in a dimension")
    return prod([base] * exponent)


def exact(value: object) -> Dim:
    """What an expression came to, if it is a dimension.

    Raises:
        ExpressionError: it is not a whole number at all sizes.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Poly):
        raise ExpressionError(f"{value} is no whole number")
    return value


DIMENSION_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "/": ratio,
    "**": _power,
    "floor": lambda x: x.num // x.den if isinstance(x, Ratio) else x,
    "ceil": lambda x: (x.num + x.den - 1) // x.den if isinstance(x, Ratio) else x,
    "min": lambda *xs: reduce(smaller, sorted(xs, key=lambda x: isinstance(x, int))),
    "max": lambda *xs: reduce(larger, sorted(xs, key=lambda x: isinstance(x, int))),
}
"""What the whitelist parser's operators mean for dimensions: exact, and floors instead of fractions."""


Shapes = Mapping[str, Sequence[int | str | None]]
"""Input shapes to use instead of the file's."""


def fitting(inputs: Mapping[str, TensorType], name: str, shape: Sequence[int | str | None]) -> str:
    """The name of an input that a shape fits.

    Raises:
        UsageError: there is no such input, or it has another number of dimensions.
    """
    if name not in inputs:
        raise UsageError(f"no input '{name}'", where="--shape", todo=f"its inputs are {', '.join(inputs)}")
    own = inputs[name].shape
    if own is not None and len(own) != len(shape):
        raise UsageError(
            f"input '{name}' has {len(own)} dimensions, not {len(shape)}",
            where="--shape",
            todo=f"give its {', '.join(str(entry or '?') for entry in own)}",
        )
    return name


class Declarations:
    """The dimensions of one graph's inputs, weights and outputs under one reading.

    Args:
        graph: the file.
        family: every weight dimension is a symbol (reading 3).
        sizes: symbols that are numbers from the start.
        shapes: input shapes to use instead of the file's.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        family: bool = False,
        sizes: Mapping[str, int] | None = None,
        shapes: Shapes | None = None,
    ) -> None:
        self.graph, self.family, self.sizes = graph, family, dict(sizes or {})
        self.system = System()
        self.notes: list[str] = []
        self._weights: dict[str, tuple[Dim, ...]] = {}
        self._unnamed = all(symbol.kind != "weight" for symbol in graph.symbols.values())
        types = (*graph.inputs.values(), *graph.outputs.values(), *graph.value_info.values())
        named = (entry for declared in types for entry in declared.shape or ())
        self._taken = {entry for entry in named if isinstance(entry, str) and not AUTOMATIC.fullmatch(entry)}
        self._made: dict[tuple[str, str], str] = {}
        self._counters: dict[str, Iterator[int]] = {}
        self._batches: dict[str, str] = {}
        given = {fitting(graph.inputs, name, shape): shape for name, shape in (shapes or {}).items()}
        known = {name: self._symbol(name, DECLARED, symbol.kind) for name, symbol in graph.symbols.items()}
        for name, symbol in graph.symbols.items():
            if symbol.most is not None:
                bound(known[name], self.size(symbol.most))
        self._inputs: dict[str, tuple[Dim, ...] | None] = {}
        for name, declared in graph.inputs.items():
            entries = given.get(name, declared.shape)
            self._inputs[name] = None if entries is None else self._input(name, declared.dtype, tuple(entries))

    @property
    def assumptions(self) -> list[str]:
        """What was taken for granted of the inputs."""
        names = list(self._batches)
        if len(names) < 2 or (len(set(self._batches.values())) == 1 and self._batches[names[0]]):
            return []
        return [f"the unnamed batch axes of {', '.join(names)} are one (--shape {names[1]}=... names it apart)"]

    def input_shape(self, name: str) -> tuple[Dim, ...] | None:
        """An input's shape with all that has been found; None where the file does not give even its rank."""
        dims = self._inputs[name]
        return None if dims is None else tuple(self.system.resolve(dim) for dim in dims)

    def weight_shape(self, init: Initializer) -> tuple[Dim, ...]:
        """A stored tensor's shape; in a family a symbol for every dimension above 1 of what is not mere numbers."""
        if self.graph.symbols and not (self.family and self._unnamed):
            return tuple(self.size(dim) for dim in init.shape)
        if not self.family or (init.value is not None and not is_float(init.dtype)):
            return init.numbers
        if init.name not in self._weights:
            self.system.where = ("weight", init.name)
            self._weights[init.name] = tuple(
                self.system.fresh("n", kind=FAMILY, hint=dim, key=axis) if isinstance(dim, int) and dim > 1 else dim
                for axis, dim in enumerate(map(self.size, init.shape))
            )
        return tuple(self.system.resolve(dim) for dim in self._weights[init.name])

    def size(self, size: int | Size, *, least: int = 1) -> Dim:
        """A dimension the file may write as an expression."""
        return self.system.resolve(self._expression(size, least=least)) if isinstance(size, Size) else size

    def contents(self, init: Initializer) -> tuple[Any, ...] | None:
        """A stored tensor's entries, where they are known."""
        if not self.graph.symbols or init.value is None:
            return init.value
        return tuple(self.size(entry, least=0) if isinstance(entry, Size) else entry for entry in init.value)

    def declared(self, name: str, declared: TensorType) -> tuple[Dim, ...] | None:
        """The shape the file declares for an inner value, symbols by the file's names."""
        if declared.shape is None:
            return None
        return tuple(self._dim(entry, f"{name}_dim_{axis}", FRESH, "free") for axis, entry in enumerate(declared.shape))

    def meet(self, name: str, found: Sequence[Dim], declared: TensorType) -> None:
        """Unify an output's dimensions with the names the file has for them; contradictions become notes."""
        if declared.shape is None or len(declared.shape) != len(found):
            return
        met: dict[str, Dim] = {}
        for dim, entry in zip(map(self.system.resolve, found), declared.shape, strict=True):
            if entry is None or isinstance(dim, int):
                if isinstance(entry, int) and entry != dim:
                    self._note(f"output {name} is declared with a dimension of {entry} where the graph gives {dim}")
            elif isinstance(entry, int):
                if not self.family:
                    self._note(f"output {name} is declared with a dimension of {entry} where the graph gives {dim}")
            else:
                rank = FRESH if AUTOMATIC.fullmatch(entry) else FILE
                if rank == FRESH and self.system.resolve(met.setdefault(entry, dim)) != dim:
                    continue  # some exporters make up one name for two dimensions
                try:
                    self.system.equate(dim, self._dim(entry, entry, rank, "free"))
                except ShapeError as error:
                    self._note(f"output {name} is declared as {entry}: {error}")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _input(self, name: str, dtype: str, entries: tuple[int | str | None, ...]) -> tuple[Dim, ...]:
        if math.prod(entry for entry in entries if isinstance(entry, int)) >= MOST_ELEMENTS:
            raise ShapeError(f"input {name!r:.80} has 2^63 elements or more", todo="give another shape with --shape")
        roles = _roles(dtype, entries)
        for entry, role in zip(entries, roles, strict=True):
            if role == "batch" and not isinstance(entry, int) and (not entry or AUTOMATIC.fullmatch(entry)):
                self._batches[name] = entry or ""
        return tuple(
            self._dim(entry, role, ROLE, MEANING.get(role, "free")) for entry, role in zip(entries, roles, strict=True)
        )

    def _dim(self, entry: int | str | None, role: str, rank: int, kind: str) -> Dim:
        if isinstance(entry, int):
            return entry
        name = (entry or "").strip()
        if not name or (AUTOMATIC.fullmatch(name) and rank == ROLE):
            return self._symbol(self._role_name(role, name), rank, kind, alias=name)
        if not name.isidentifier():
            try:
                return self._expression(name)
            except (ExpressionError, ShapeError, TypeError, ValueError, ArithmeticError):
                name = re.sub(r"\W+", "_", name).strip("_") or role  # some exporters write sentences
        return self._symbol(name, FRESH if AUTOMATIC.fullmatch(name) else FILE, kind)

    def _role_name(self, role: str, name: str) -> str:
        """A role's name, numbered where the file itself uses it or several inputs have one; `batch` is shared."""
        key = ("", name) if ("", name) in self._made else (role, name if role != "batch" else "")
        if key not in self._made or not (name or role == "batch"):
            counter = self._counters.setdefault(role, count(1))
            self._made[key] = next(n for i in counter if (n := role if i == 1 else f"{role}_{i}") not in self._taken)
            self._taken.add(self._made[key])
        if re.search(r"[^\W\d].*\d", name):  # `s1` twice is one dimension, `unknown` twice need not be
            self._made["", name] = self._made[key]
        return self._made[key]

    def _symbol(self, name: str, rank: int, kind: str, alias: str = "") -> Dim:
        name = self._made.get(("", name), name)
        for known in (name, alias):
            if known and known in self.sizes:
                return self.sizes[known]
        declared = self.graph.symbols.get(name)
        if declared is not None and declared.fixed and declared.value is not None:
            return declared.value
        if declared is not None:
            return self.system.symbol(name, kind=declared.kind, rank=DECLARED, hint=declared.value)
        dim = self.system.symbol(name, kind=kind, rank=rank)
        if isinstance(dim, Poly) and alias and (symbol := lone(dim)) and alias not in symbol.aliases:
            symbol.aliases.append(alias)
        return dim

    def _expression(self, text: str, *, least: int = 1) -> Dim:
        expression = expressions.parse(text)
        names = {name: self._symbol(name, FILE, "free") for name in expression.names}
        dim = expression.evaluate(names, DIMENSION_ARITHMETIC)
        if isinstance(dim, bool) or not isinstance(dim, int | Poly):
            raise ExpressionError(f"'{text}' is no dimension")
        bound(least, dim)
        return dim


def _roles(dtype: str, entries: tuple[int | str | None, ...]) -> tuple[str, ...]:
    """What the axes of an input usually are, by its rank and type; an axis the file calls its batch is that."""
    roles = _usual_roles(dtype, entries)
    named = [axis for axis, entry in enumerate(entries) if isinstance(entry, str) and entry.lower() in BATCH_NAMES]
    if not named or named[0] == 0:
        return roles
    return (*roles[1 : named[0] + 1], roles[0], *roles[named[0] + 1 :])


def _usual_roles(dtype: str, entries: tuple[int | str | None, ...]) -> tuple[str, ...]:
    rank = len(entries)
    if (not is_float(dtype) or rank < 3) and rank <= 5:
        return ("batch", "seq", "position", "item", "part")[:rank]
    if rank == 3:
        return ("batch", "seq", "features")
    if rank > 5:
        return ("batch", *(f"axis_{i}" for i in range(1, rank)))
    spatial = ("height", "width") if rank == 4 else ("depth", "height", "width")
    last = entries[-1]
    channels_last = isinstance(last, int) and last <= 4 and not (isinstance(entries[1], int) and entries[1] <= 4)
    return ("batch", *spatial, "channels") if channels_last else ("batch", "channels", *spatial)
