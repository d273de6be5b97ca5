"""What a walk returns: exact formulas for one graph, per node and in total."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from scalecalc.dims import Condition, Dim, evaluate

PARAMS = (
    "trainable", "embedding", "positional", "head", "norm", "other", "non_embedding",
    "linear", "active", "buffers", "constants", "quantized", "total",
)  # fmt: skip


FIGURES = ("params", "macs", "backward_macs", "vector_flops", "backward_vector_flops", "bytes", "kept_bytes")
"""What is counted for every node; each sums to a total of the profile."""
ADAMW_STATE_BYTES = 8
"""First and second moment in float32, per trainable element."""

ROLES = ("embedding", "positional", "norm", "head", "other")
"""Roles of trainable weights; a weight used twice has the first of its roles in this order."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact formula, and whether something it should count is missing.

    Attributes:
        formula: an int, or an integer polynomial over the graph's symbols.
        lower_bound: an unknown operator's share is not in it.
    """

    formula: Dim
    lower_bound: bool = False

    def value(self, sizes: Mapping[str, int]) -> int | None:
        """The number at `sizes` (symbol name to size); None while a symbol is unset."""
        return evaluate(self.formula, sizes)


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """A named dimension.

    Attributes:
        name: as it stands in formulas.
        kind: `batch`, `sequence`, `spatial`, `weight`, `data` (decided by contents) or `free`.
        hint: its value in the file (families, symbols a file declares), else None.
        bound: the largest size the file allows, else None.
        aliases: other names the file uses for it.
        tie: what its value follows from until it is set, an expression of other symbols; "" for nothing.
        declared: the file itself declares it: its hint is a statement, not an assumption.
    """

    name: str
    kind: str
    hint: int | None = None
    bound: Dim | None = None
    aliases: tuple[str, ...] = ()
    tie: str = ""
    declared: bool = False


class Weight(NamedTuple):
    """A stored tensor and its part in the model.

    Attributes:
        name: in the file.
        role: one of ROLES, `buffer`, `constant` or `quantized`.
        shape: its dimensions.
        size: its elements.
        bytes: what they take in memory.
        linear: it is an operand of a contraction.
        first: index of the node that uses it first, -1 for none.
        uses: how many nodes use it.
        written_out: the exporter may have made it of smaller weights.
        picked: contractions multiply a part of it that data choose, as an expert of many.
        active: elements one sample meets, `size` but for experts.
    """

    name: str
    role: str
    shape: tuple[Dim, ...]
    size: Dim
    bytes: Dim
    linear: bool
    first: int
    uses: int
    written_out: bool = False
    picked: bool = False
    active: Dim = 0

    @property
    def trainable(self) -> bool:
        """Whether training changes it."""
        return self.role in ROLES


class NodeProfile(NamedTuple):
    """One node's share, everything per run of the graph at its symbols' sizes.

    Attributes:
        name, op_type: the file's.
        outputs: shapes of its outputs, None for one nobody could find.
        params: weight elements first used here.
        macs: multiply-accumulates forward.
        backward_macs: multiply-accumulates backward.
        vector_flops, backward_vector_flops: all other floating-point operations.
        bytes: read plus written, forward.
        kept_bytes: activations first kept here for the backward pass.
        layer: the layer a group of nodes was recognised as (`LayerNormalization`), else "".
        status: `known`, `unsupported` or `unreached`.
        module: path of the module it belongs to, levels separated by dots; "" for the model itself.
        classes: of the model and the modules on that path, as far as the file tells; "" for one it does not.
        domain: the operator's set, "" for ONNX's own.
        kept: the values `kept_bytes` is made of, with their bytes; "" for masks and statistics.
        repeats: how often it runs, which its figures include.
    """

    name: str
    op_type: str
    outputs: tuple[tuple[Dim, ...] | None, ...]
    params: Dim
    macs: Dim
    backward_macs: Dim
    vector_flops: Dim
    backward_vector_flops: Dim
    bytes: Dim
    kept_bytes: Dim
    layer: str
    status: str
    module: str = ""
    classes: tuple[str, ...] = ()
    domain: str = ""
    kept: tuple[tuple[str, Dim], ...] = ()
    repeats: Dim = 1

    @property
    def figures(self) -> tuple[Dim, ...]:
        """Its FIGURES."""
        return (
            self.params,
            self.macs,
            self.backward_macs,
            self.vector_flops,
            self.backward_vector_flops,
            self.bytes,
            self.kept_bytes,
        )

    @property
    def named(self) -> dict[str, Dim]:
        """Its figures by name."""
        return dict(zip(FIGURES, self.figures, strict=True))


@dataclass(frozen=True)
class Profile:
    """The formulas of one graph. Keys of the dictionaries are those of the JSON contract.

    Attributes:
        name, format, opset, node_count: of the file.
        source: its path as it was given, or the paths of several.
        inputs, outputs: shapes by name, in the walk's symbols; dtypes beside them.
        symbols: every symbol the formulas hold, by name.
        conditions: what must hold for the formulas and the file does not prove, as text.
        assumptions: equalities and branches the walk had to choose, one sentence each.
        notes: what the file's exporter did that shows in the counts.
        params: elements by role (`PARAMS`).
        forward: macs, matrix_flops, vector_flops, flops, bytes: one forward run.
        training: backward_matrix_flops, backward_vector_flops, matrix_flops (forward + backward),
            vector_flops (forward + backward), optimizer_flops: one training step.
        memory: weights, gradients, optimizer, activations: bytes.
        unsupported: how many nodes of each (domain, op_type) had no rule.
        unreached: names of nodes behind those whose shapes could not be found.
        pending: equalities the walk could neither prove nor use.
        weights: every stored tensor that counts, each once.
        checks: the conditions that still hold symbols, to be tested at sizes.
        node_maker: makes `nodes`.
        facts: structural findings other layers read (`vocabulary`, `classes`, `causal`, ...).
    """

    name: str
    format: str
    opset: int
    node_count: int
    inputs: dict[str, tuple[Dim, ...]]
    input_dtypes: dict[str, str]
    outputs: dict[str, tuple[Dim, ...] | None]
    output_dtypes: dict[str, str]
    symbols: dict[str, SymbolInfo]
    conditions: tuple[str, ...]
    assumptions: tuple[str, ...]
    notes: tuple[str, ...]
    params: dict[str, Quantity]
    forward: dict[str, Quantity]
    training: dict[str, Quantity]
    memory: dict[str, Quantity]
    unsupported: dict[tuple[str, str], int]
    unreached: tuple[str, ...]
    pending: tuple[str, ...]
    weights: tuple[Weight, ...] = ()
    checks: tuple[Condition, ...] = ()
    node_maker: Callable[[], tuple[NodeProfile, ...]] = field(default=tuple, repr=False, compare=False)
    facts: dict[str, object] = field(default_factory=dict)
    source: str = ""

    @cached_property
    def nodes(self) -> tuple[NodeProfile, ...]:
        """One entry per node, in the graph's order; made when first asked for."""
        return self.node_maker()

    @property
    def title(self) -> str:
        """What to call it: the file's name, or that of a specification."""
        return self.name if self.format == "spec" else f"{self.name}.{self.format}"

    @property
    def complete(self) -> bool:
        """Whether every operator was known, so that no figure is a lower bound."""
        return not self.unsupported and not self.unreached
