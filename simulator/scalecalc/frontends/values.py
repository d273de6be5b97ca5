"""What is passed from layer to layer, and where a layer stands."""

from __future__ import annotations

from dataclasses import dataclass

from scalecalc.dims import Dim
from scalecalc.ops import Tensor


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the graph being built.

    Attributes:
        name: in the graph.
        tensor: its shape and type.
    """

    name: str
    tensor: Tensor

    @property
    def shape(self) -> tuple[Dim, ...]:
        """One dimension per axis."""
        return self.tensor.shape

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return self.tensor.rank


@dataclass(frozen=True, slots=True)
class Scope:
    """Where nodes are being made.

    Attributes:
        path: names of the layers around them.
        times: values whose product says how often they run.
        copies: the same for their weights: fewer where several runs share one.
        frozen: training leaves their weights as they are.
        owner: path of the layer whose weights they use; None for their own.
    """

    path: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    frozen: bool = False
    owner: tuple[str, ...] | None = None
