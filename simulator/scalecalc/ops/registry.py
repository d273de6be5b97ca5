"""How an operator is described: one function from its inputs to what it gives and costs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

from scalecalc.dims import Dim, Ratio, prod
from scalecalc.errors import ShapeError
from scalecalc.ops.dtypes import bytes_of, is_float

Shape: TypeAlias = tuple[Dim, ...]

MAX_VALUES = 64
"""Tensors of at most this many entries carry their contents through the walk, if the file tells them."""


class Tensor:
    """A value as a rule sees it.

    Attributes:
        shape: its dimensions.
        dtype: element type in numpy's spelling.
        value: its entries, flat, where they are known; entries may be dimensions, None for one that is not.
        limit: what all its entries are below (indices made by Range), None if unknown.
        index: which input slot it is.
        is_float: whether gradients can flow through it.
    """

    __slots__ = ("_bytes", "_size", "dtype", "index", "is_float", "limit", "shape", "value")

    def __init__(
        self,
        shape: Shape,
        dtype: str,
        value: tuple[Any, ...] | None = None,
        limit: Dim | None = None,
        index: int = -1,
    ) -> None:
        self.shape, self.dtype, self.value, self.limit, self.index = shape, dtype, value, limit, index
        self.is_float = is_float(dtype)
        self._size: Dim | None = None
        self._bytes: Dim | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """Number of elements."""
        if self._size is None:
            self._size = prod(self.shape)
        return self._size

    def at(self, slot: int) -> Tensor:
        """The same value as the input of a slot."""
        if slot == self.index:
            return self
        argument = Tensor(self.shape, self.dtype, self.value, self.limit, slot)
        argument._size = self._size
        return argument

    @property
    def bytes(self) -> Dim:
        """What it takes in memory."""
        if self._bytes is None:
            self._bytes = bytes_of(self.size, self.dtype)
        return self._bytes

    @property
    def slots(self) -> tuple[int, ...]:
        """As an operand of a contraction: the input whose gradient it needs."""
        return (self.index,)

    @property
    def keep(self) -> Keep:
        """As an operand of a contraction: what the other operand's gradient needs."""
        return Keep(self.index)

    def known(self) -> tuple[Any, ...] | None:
        """All entries, None unless each is known, and no fraction of a dimension."""
        if self.value is None or any(entry is None or isinstance(entry, Ratio) for entry in self.value):
            return None
        return self.value


@dataclass(slots=True)
class Out:
    """One output: its shape; dtype "" for the first input's; value and limit as in Tensor."""

    shape: Shape
    dtype: str = ""
    value: tuple[Any, ...] | None = None
    limit: Dim | None = None


class Keep(NamedTuple):
    """A tensor the backward pass needs.

    Attributes:
        what: an input slot (0, 1, ...), or output k as ~k (-1, -2, ...).
        bytes: a count of bytes instead of a tensor (masks, statistics); of an output: where the node leaves it out.
        when: needed only for the gradient of this input slot; None: for any.
    """

    what: int = 0
    bytes: Dim = 0
    when: int | None = None


@dataclass(frozen=True, slots=True)
class Inner:
    """An operand of a contraction that the operator makes itself: hidden states, attention probabilities.

    Attributes:
        slots: the inputs it is made of; it needs a gradient if one of them does.
        keep: what holds it for the gradient of the other operand.
    """

    slots: tuple[int, ...]
    keep: Keep


Contraction: TypeAlias = tuple[Dim, Tensor | Inner, Tensor | Inner]
"""(multiply-accumulates, left operand, right operand)"""


def inner(*made_of: Tensor | Inner | None, keep: Keep) -> Inner:
    """An operand made of those of the inputs that are there."""
    return Inner(tuple(sorted({slot for x in made_of if x is not None for slot in x.slots})), keep)


@dataclass(slots=True)
class Cost:
    """What one run of an operator gives and costs.

    Attributes:
        outputs: by slot; a bare tuple of dimensions stands for Out(shape).
        contractions: each operand that needs a gradient costs the contraction's multiply-accumulates again
            backward and keeps the other one.
        vector: floating-point operations forward beside the contractions.
        backward: the same backward, by input slot whose gradient it makes.
        keeps: what the backward pass needs beside the contractions' operands.
        view: the outputs share input 0's memory: nothing is moved.
        packed: how many weights an input holds, by slot, where its elements hold several.
        used: how many elements of an input one sample meets, by slot, where these are not all.
    """

    outputs: Sequence[Out]
    contractions: Sequence[Contraction] = ()
    vector: Dim = 0
    backward: Mapping[int, Dim] = field(default_factory=dict)
    keeps: Sequence[Keep] = ()
    view: bool = False
    packed: Mapping[int, Dim] = field(default_factory=dict)
    used: Mapping[int, Dim] = field(default_factory=dict)


def give(*outputs: Shape | Out, contraction: Contraction | None = None, **costs: Any) -> Cost:
    """A Cost from shapes or Outs and Cost's other fields; `contraction` is the only one of most operators."""
    if contraction is not None:
        costs["contractions"] = (contraction,)
    return Cost([item if isinstance(item, Out) else Out(item) for item in outputs], **costs)


Rule: TypeAlias = Callable[..., Cost]
R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, slots=True)
class Operator:
    """A rule with what the walk must know before it calls it.

    Attributes:
        name, domain: of the operator.
        rule: the function.
        attributes: those the rule reads, each with its annotation in the rule's signature, without `| None`.
        required: how far the inputs reach that it cannot do without.
        optional: those before it may do without.
        fixed_inputs: input slots no gradient flows into.
        roles: what the weight in an input slot is for (`norm`, `buffer`, `embedding`, `bias`, `state`).
        passes: a weight stays the same weight through it (Identity, Transpose, Cast).
        is_elementwise: a one-element operand is a scale or an offset, not a weight.
        wants: what else the rule takes by name: `n_outputs`, their number; `system`, to make symbols of its own.
        partial: it takes inputs nobody computed as left out.
        summary: what the rule counts, in one line.
    """

    name: str
    domain: str
    rule: Rule
    attributes: Mapping[str, str]
    required: int
    optional: frozenset[int]
    fixed_inputs: frozenset[int]
    roles: Mapping[int, str]
    passes: bool
    is_elementwise: bool
    wants: frozenset[str]
    partial: bool
    summary: str


GIVEN = frozenset({"n_outputs", "system"})
OPERATORS: dict[tuple[str, str], Operator] = {}


def op(
    *names: str,
    domain: str = "",
    fixed_inputs: Sequence[int] = (),
    roles: Mapping[int, str] | None = None,
    passes: bool = False,
    elementwise: bool = False,
    partial: bool = False,
    summary: str = "",
) -> Callable[[R], R]:
    """Register a rule: positional parameters are inputs (None: left out), keyword-only ones attributes.

    Args:
        names: the operators it is the rule of.
        domain: their operator set, "" for ONNX's own.
        fixed_inputs, roles, passes, elementwise, partial, summary: as in Operator; the first line of the rule's
            docstring is its summary unless another is given.

    Raises:
        ValueError: the operator has a rule already.
    """

    def register(rule: R) -> R:
        parameters = inspect.signature(rule).parameters.values()
        types = {p.name: str(p.annotation).removesuffix(" | None") for p in parameters if p.kind is p.KEYWORD_ONLY}
        wants = frozenset(name for name in GIVEN if types.pop(name, None) is not None)
        needed = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        optional = frozenset(slot for slot, p in enumerate(needed) if str(p.annotation).endswith("| None"))
        explained = inspect.cleandoc(rule.__doc__ or "").partition("\n")[0]
        for name in names:
            if (domain, name) in OPERATORS:
                raise ValueError(f"operator {domain}:{name} has a rule already: {OPERATORS[domain, name].rule}")
            OPERATORS[domain, name] = Operator(
                name, domain, rule, types, len(needed), optional, frozenset(fixed_inputs),
                roles or {}, passes, elementwise, wants, partial, summary or explained,
            )  # fmt: skip
        return rule

    return register


def misfit(annotation: str, value: Any) -> str:
    """What an attribute should be by its annotation in a rule, "" if it is that; other annotations take anything.

    >>> misfit("int", 1), misfit("Sequence[int]", (1, 2)), misfit("str", 1)
    ('', '', 'a text')
    """
    match annotation:
        case "int":
            return "" if type(value) is int else "a whole number"
        case "float":
            return "" if isinstance(value, int | float) else "a number"
        case "str":
            return "" if isinstance(value, str) else "a text"
        case "Sequence[int]" | "Ints":
            listed = isinstance(value, tuple) and all(type(item) is int for item in value)
            return "" if listed else "a list of whole numbers"
    return ""


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the front.

    >>> axis_of(-1, 4)
    3
    """
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} of {rank} axes")
    return axis % rank
