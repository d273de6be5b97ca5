"""Rules: one function per operator. Importing this package registers all of ONNX's that are known."""

from __future__ import annotations

from functools import cache

from scalecalc.ops import (  # noqa: F401
    attention,
    contrib,
    contrib_attention,
    control,
    conv,
    elementwise,
    experts,
    heads,
    image,
    index,
    loss,
    matmul,
    norm,
    quantized,
    recurrent,
    reduce,
    select,
    shape,
    signal,
    state_space,
)
from scalecalc.ops.dtypes import is_float, itemsize
from scalecalc.ops.registry import OPERATORS, Cost, Inner, Keep, Operator, Out, Tensor, give, inner, misfit, op

__all__ = [
    "OPERATORS", "Cost", "Inner", "Keep", "Operator", "Out", "Tensor", "find", "give", "inner",
    "is_float", "itemsize", "misfit", "op",
]  # fmt: skip


def find(domain: str, name: str) -> Operator | None:
    """An operator's rule; plug-ins are loaded when one is missing for the first time."""
    operator = OPERATORS.get((domain, name))
    if operator is None:
        load_plugins()
        operator = OPERATORS.get((domain, name))
    return operator


@cache
def load_plugins() -> None:
    """Import what installed distributions announce under `scalecalc.ops`: modules whose import registers rules."""
    from scalecalc.plugins import table

    for plugin in table("scalecalc.ops", {}).values():
        plugin.load()
