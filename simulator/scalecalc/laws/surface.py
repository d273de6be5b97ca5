"""A law over log N and log D, for many sets of coefficients at once: closed forms where it has them, else searches.

Arrays are (s), one entry per set, or (s, g), with places to look at. Values are signed: less is better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from scalecalc.laws.conventions import Interval
from scalecalc.laws.law import Law
from scalecalc.laws.searches import Array, cross_all, minimise_all
from scalecalc.laws.separable import Separable, separate
from scalecalc.laws.sets import Sets

MOST = math.log(1e40)
"""log of the largest N or D looked at."""
FARTHEST = 60.0
"""How far in log N a valley's edges are looked for."""
HALVINGS = 64
COARSE = 65
"""Points of a first grid where each costs a search of its own: the cost of a value has one valley."""
NUDGE = 1e-4
"""By how much log N and log D are moved to see which of them gains more."""


@dataclass(frozen=True)
class Surface:
    """The law, in which coefficients, and of how many distinct samples.

    Attributes:
        law: conditional, of N and D, and of U where it knows what repeated data are worth.
        sets: of coefficients.
        unique: distinct samples there are; None for as many as are seen. A law of N and D whose D is distinct samples
            takes no more than these; one whose D is samples seen takes no note of them.
    """

    law: Law
    sets: Sets = field(default_factory=lambda: Sets(1, {}))
    unique: float | None = None

    def __post_init__(self) -> None:
        if self.law.is_form:
            raise self.law.error(f"is a form: {', '.join(self.law.unset)} without a value", "fit it to runs of yours")
        if self.law.kind != "conditional" or self.law.inputs not in (("N", "D"), ("N", "D", "U")):
            raise self.law.error("has no optimum: it is not a conditional law of N and D", "choose another law")

    @cached_property
    def parts(self) -> Separable | None:
        """The law as E + A/N^alpha + B/D^beta, where it has closed forms."""
        return None if self._capped else separate(self.law, self.sets.values)

    @property
    def _capped(self) -> bool:
        return self.unique is not None and self.law.variables["D"].meaning == "unique"

    def values(self, log_n: Array, log_d: Array) -> dict[str, Array]:
        """The law's variables at N and D, each of their shape."""
        n, d = np.exp(log_n), np.exp(log_d)
        distinct = d if self.unique is None else np.minimum(d, self.unique)
        values = {"N": n, "D": distinct if self._capped else d}
        return {**values, "U": distinct} if "U" in self.law.inputs else values

    def at(self, log_n: Array, log_d: Array) -> Array:
        """The signed value, (s, g); inf where the law gives none."""
        with np.errstate(all="ignore"):
            found = self.law.evaluate(**self.values(log_n, log_d), **self.sets.values) * self.law.sign
        return np.where(np.isfinite(found), found, np.inf)

    def along(self, log_nd: Array, log_n: Array) -> Array:
        """The signed value at N of (s, g) under N*D of (s)."""
        return self.at(log_n, log_nd[:, None] - log_n)

    def log_best(self, log_nd: Array) -> Array:
        """log N* under N*D."""
        if self.parts:
            return self._each(self.parts.log_best(log_nd[:, None]))
        # a sample and a parameter at least: beyond lies nothing
        return minimise_all(lambda log_n: self.along(log_nd, log_n), self._each(0.0), np.maximum(log_nd, 1.0))

    def log_balance(self, log_n: Array) -> Array:
        """log N*D at which N is N*: there log N and log D gain equally. NaN where no N*D is."""
        if self.parts:
            return self._each(self.parts.log_nd(log_n[:, None]))
        mine = log_n[:, None]

        def gain(log_d: Array) -> Array:
            return self.at(mine + NUDGE, log_d - NUDGE) - self.at(mine - NUDGE, log_d + NUDGE)

        return log_n + cross_all(gain, self._each(0.0), self._each(MOST))

    def log_data(self, value: Array, log_n: Array) -> Array:
        """log D at which N of (s, g) reaches a signed value of (s); inf where it never does."""
        if self.parts:
            found: Array = self.parts.log_data(value[:, None], log_n)
            return found
        low = np.broadcast_to(-MOST, (self.sets.count, log_n.shape[1]))
        high = -low
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            reached = self.at(log_n, middle) <= value[:, None]
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.where(high < MOST, high, np.inf)

    def log_least(self, value: Array, served: float = 0.0) -> Array:
        """log N at which N*(D + served) is least among all that reach a signed value; NaN where none does.

        Args:
            value: (s).
            served: samples that cost N each beside those of training.
        """
        if self.parts and not served:
            found = self._each(self.parts.log_least(value[:, None]))
        else:

            def cost(log_n: Array) -> Array:
                with np.errstate(divide="ignore"):
                    return log_n + np.logaddexp(self.log_data(value, log_n), np.log(served))

            found = minimise_all(cost, self._each(0.0), self._each(MOST), first=COARSE)
        reached = np.isfinite(self.log_data(value, np.where(np.isfinite(found), found, 0.0)[:, None])[:, 0])
        return np.where(np.isfinite(found) & reached, found, np.nan)

    def log(self, amount: float) -> Array:
        """log of an amount of FLOPs, parameters or samples, for every set.

        Raises:
            LawError: it is none.
        """
        if not 0 < amount < math.inf:
            raise self.law.error(f"{amount:g} is no budget", "give a positive number")
        return self._each(math.log(amount))

    def edges(self, log_nd: float, log_n: float, worst: float) -> Interval:
        """N below and above N* at which the first set's value falls to `worst`."""
        own, sides = Surface(self.law, unique=self.unique), np.array([[-1.0], [1.0]])

        def excess(distance: Array) -> Array:
            return own.along(np.full(2, log_nd), log_n + sides * distance) - worst

        found = cross_all(excess, np.zeros(2), np.full(2, FARTHEST))
        found = np.where(np.isfinite(found), found, FARTHEST)
        return math.exp(log_n - found[0]), math.exp(log_n + found[1])

    def _each(self, value: object) -> Array:
        """One value for every set, (s)."""
        found: Array = np.broadcast_to(np.asarray(value, dtype=float).reshape(-1), (self.sets.count,))
        return found
