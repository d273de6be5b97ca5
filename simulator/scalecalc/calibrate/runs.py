"""Real trainings as arrays: what was trained for how long, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError


def independent(groups: NDArray[np.int64]) -> int:
    """How many observations say something of their own: one of each run, as its checkpoints share its luck; all where
    there is one run only, which then is what the law is of.

    >>> independent(np.array([0, 0, 0, 1, 1])), independent(np.array([0, 0, 0]))
    (2, 3)
    """
    count = len(np.unique(groups))
    return count if count > 1 else len(groups)


@dataclass(frozen=True)
class Runs:
    """Observations of trainings; several of one run are its checkpoints.

    Attributes:
        columns: variables of laws by symbol (`N`, `D`, `U`, `C` ...), each (n), in the counts `conventions` state.
        observed: the performance, (n).
        groups: which run each observation belongs to, numbered from 0, (n).
        metric: what `observed` is, with its unit.
        conventions: by symbol: `{"N": {"count": "total"}, "D": {"sample": "token", "meaning": "seen"}}`.
        source: where they come from.
        beside: what is no variable and still tells something, each (n): optimiser `steps`, and `train`, the performance
            on what was trained on.
    """

    columns: Mapping[str, Array]
    observed: Array
    groups: NDArray[np.int64]
    metric: str = "loss"
    conventions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str = ""
    beside: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def independent(self) -> int:
        """How many observations count: see `independent`."""
        return independent(self.groups)

    def chosen(self, mask: NDArray[np.bool_]) -> Runs:
        """Those observations, their runs numbered anew."""
        columns, beside = (
            {name: column[mask] for name, column in table.items()} for table in (self.columns, self.beside)
        )
        _, groups = np.unique(self.groups[mask], return_inverse=True)
        return replace(self, columns=columns, observed=self.observed[mask], groups=groups, beside=beside)

    def needed(self, symbols: tuple[str, ...]) -> dict[str, Array]:
        """The columns a law takes.

        Raises:
            FitError: one is missing.
        """
        for symbol in symbols:
            if symbol not in self.columns:
                known = ", ".join(self.columns)
                raise FitError(
                    f"the runs have no {symbol}", where=self.source, todo=f"map a column to it; they have {known}"
                )
        return {symbol: self.columns[symbol] for symbol in symbols}
