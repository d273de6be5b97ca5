"""What the tables of operators are written in: what an operator is given, and what must come out.

A shape is a text: dimensions separated by spaces, each an expression over sizes (`b 4*c h`), perhaps behind a dtype
(`int64: b s`). A number is a scalar the file tells, a tuple a vector of such. Expected shapes and multiply-accumulates
are written by hand; `test_rules.py` executes the rows as well. The dimension `?` is data: nobody knows it before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT = {"b": 2, "c": 3, "d": 4, "h": 9, "w": 8, "s": 5, "k": 6, "n": 7}


@dataclass(frozen=True)
class Number:
    """A scalar input that holds a size."""

    name: str


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes:
        op: operator.
        inputs: by slot.
        outputs: expected shapes by slot, shapes as in inputs.
        macs: expected multiply-accumulates, an expression.
        attributes: in the IR's form.
        least: sizes the operator asks for.
        domain: of the operator.
        vector: expected vector FLOPs forward, an expression; "" where a row does not say.
        shown_by: what executes the row: `execution` by onnx's reference, `inference` of shapes by onnx where the
            reference cannot, or nothing.
        n_outputs: how many outputs a node with these attributes has.
    """

    op: str
    inputs: tuple[Any, ...]
    outputs: tuple[str, ...]
    macs: str = "0"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)
    domain: str = ""
    vector: str = ""
    shown_by: str = "execution"

    @property
    def n_outputs(self) -> int:
        return len(self.outputs)

    def __str__(self) -> str:
        given = "-".join(str(x).replace(" ", "_") for x in (*self.inputs, *self.attributes.values()))
        return f"{self.op}-{given}"


def row(
    op: str, inputs: Any, outputs: Any, macs: str = "0",
    *, vector: str = "", least: Any = None, domain: str = "", shown_by: str = "execution", **attributes: Any,
) -> Case:  # fmt: skip
    """A Case; one input or output needs no tuple around it."""
    inputs, outputs = (x if isinstance(x, tuple) else (x,) for x in (inputs, outputs))
    return Case(op, inputs, outputs, macs, attributes, least or {}, domain, vector, "" if domain else shown_by)


def each(ops: str, inputs: Any, outputs: Any, **rest: Any) -> list[Case]:
    """The same row for several operators."""
    return [row(op, inputs, outputs, **rest) for op in ops.split()]
