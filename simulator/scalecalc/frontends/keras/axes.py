"""Inputs, and names for the axes a configuration leaves open (null)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from scalecalc.frontends.keras.parts import Part
from scalecalc.ir.graph import Declared, TensorType
from scalecalc.ops.dtypes import bits_of
from scalecalc.walk.symbols import MEANING

ROLES = {
    1: ("batch",),
    2: ("batch", "seq"),
    3: ("batch", "seq", "features"),
    4: ("batch", "height", "width", "channels"),
    5: ("batch", "depth", "height", "width", "channels"),
}
"""What the axes of a value usually are, by how many it has."""

Shape = Sequence[int | None]


class Axes:
    """Symbols for open axes: `batch` for that of every value, the others each with a name of its own."""

    def __init__(self) -> None:
        self.symbols: dict[str, Declared] = {}

    def named(self, shape: Shape) -> tuple[int | str, ...]:
        """A shape with a symbol for every open axis."""
        roles = ROLES.get(len(shape), ("batch", *(f"axis_{axis}" for axis in range(1, len(shape))))[: len(shape)])
        if len(shape) > 3 and shape[-1] is None and shape[1] is not None:
            roles = (roles[0], roles[-1], *roles[1:-1])
        return tuple(dim if dim is not None else self._symbol(role) for dim, role in zip(shape, roles, strict=True))

    def _symbol(self, role: str) -> str:
        if role == "batch":
            name = role
        else:
            name = next(n for i in count(1) if (n := role if i == 1 else f"{role}_{i}") not in self.symbols)
        self.symbols.setdefault(name, Declared(MEANING.get(role, "free")))
        return name


def input_shape(layer: Part) -> tuple[int | None, ...] | None:
    """The shape an input layer or the first layer of a list states, with its batch axis."""
    config = layer.part("config")
    for key in ("batch_shape", "batch_input_shape"):
        if (shape := config.shape(key)) is not None:
            return shape
    return layer.part("build_config").shape("input_shape")


def input_type(layer: Part, axes: Axes, shape: Shape) -> TensorType:
    """The type of an input."""
    dtype = layer.part("config").get("dtype", "float32") if layer.get("class_name") == "InputLayer" else "float32"
    known = isinstance(dtype, str) and (dtype in ("string", "bool") or _sized(dtype))
    return TensorType(dtype if known else "float32", axes.named(shape))


def _sized(dtype: str) -> bool:
    try:
        return bits_of(dtype) > 0
    except (KeyError, ValueError):
        return False
