"""How runs are fitted: loss, residual, which runs are left out, what weighs how much, what is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scalecalc.calibrate.judge import growing
from scalecalc.calibrate.losses import Loss, loss_of
from scalecalc.calibrate.problem import RESIDUALS
from scalecalc.calibrate.reading import Reading
from scalecalc.calibrate.resample import DRAWS
from scalecalc.calibrate.starts import COUNT
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError, UsageError
from scalecalc.laws import Law

MOST_DRAWS = 100_000


@dataclass(frozen=True)
class Method:
    """Everything that decides a fit besides form and runs.

    Attributes:
        loss, delta: of residuals (`losses.loss_of`); None for the loss's usual scale.
        residual: log or raw.
        drop_highest: so many observations with the highest performance are left out; None for the runs' own rule.
        weights: "", `recency:K` or `inverse-variance`.
        held: coefficients with a fixed value.
        tied: groups of coefficients that are equal.
        draws: bootstrap resamples.
        seed: of the resamples.
        starts: of the search.
        horizon: the factor beyond the largest run that predictions are wanted for (`origins.origins`); None for the
            root of the runs' own range.
    """

    loss: str = "huber"
    delta: float | None = None
    residual: str = "log"
    drop_highest: int | None = None
    weights: str = ""
    held: Mapping[str, float] = field(default_factory=dict)
    tied: Sequence[Sequence[str]] = ()
    draws: int = DRAWS
    seed: int = 0
    starts: int = COUNT
    horizon: float | None = None

    def __post_init__(self) -> None:
        if self.residual not in RESIDUALS:
            raise UsageError(f"no residual '{self.residual:.40}'", where="--residual", todo="use log or raw")
        if self.draws < 0 or self.draws > MOST_DRAWS:
            raise UsageError(f"{self.draws:,} draws", where="--draws", todo=f"give 0 to {MOST_DRAWS:,}")
        if self.seed < 0:
            raise UsageError(f"a seed of {self.seed}", where="--seed", todo="give 0 or more")
        if self.drop_highest is not None and self.drop_highest < 0:
            raise UsageError(f"{self.drop_highest} runs to leave out", where="--drop-highest", todo="give 0 or more")
        if self.delta is not None and not np.isfinite(self.delta):
            raise UsageError(f"a scale of {self.delta}", where="--delta", todo="give one above 0")
        if self.horizon is not None and not 1 < self.horizon < np.inf:
            raise UsageError(
                f"a horizon of {self.horizon:g}", where="--horizon", todo="give a factor above 1, such as 2"
            )
        _ = self.loss_function, self.recency

    @property
    def loss_function(self) -> Loss:
        """The loss of one residual."""
        return loss_of(self.loss, self.delta)

    @property
    def recency(self) -> float | None:
        """K of `recency:K`."""
        if self.weights in ("", "inverse-variance"):
            return None
        word, _, text = self.weights.partition(":")
        try:
            power = float(text) if word == "recency" else float("nan")
        except ValueError:
            power = float("nan")
        if not 0 <= power <= 100:
            what = f"no weights '{self.weights:.40}'"
            raise UsageError(what, where="--weights", todo="use recency:2 or inverse-variance")
        return power

    def kept(self, reading: Reading, usual: int = 0) -> Reading:
        """The runs without the highest ones.

        Args:
            reading: all of them.
            usual: how many to leave out where nobody says.
        """
        count = usual if self.drop_highest is None else self.drop_highest
        if not count:
            return reading
        if count >= len(reading.runs):
            what = f"leaving out {count} of {len(reading.runs)} runs leaves none"
            raise FitError(what, where="--drop-highest", todo="leave out fewer")
        mask = np.ones(len(reading.runs), bool)
        mask[np.argsort(reading.runs.observed, kind="stable")[-count:]] = False
        return reading.chosen(mask)

    def weights_of(self, law: Law, reading: Reading) -> Array | None:
        """Weights of the observations, 1 on average; None for 1 each.

        Raises:
            FitError: inverse variances without a column of standard errors.
        """
        runs, power = reading.runs, self.recency
        if power is not None:
            _, x = growing(runs)
            weights = (x / x.max()) ** power
        elif self.weights:
            if reading.se is None:
                todo = "map one: --column se=NAME"
                raise FitError("no column has standard errors of the performance", where=runs.source, todo=todo)
            size = reading.se / runs.observed if self.residual == "log" else reading.se
            weights = size**-2.0
        else:
            return None
        found: Array = weights / weights.mean()
        return found

    def words(self) -> dict[str, str]:
        """What is minimised, in words, for people and for law files."""
        loss = self.loss_function
        scale = f", {'delta' if loss.name == 'huber' else 'scale'} {loss.scale:g}" if loss.scale else ""
        residual = f"log {'of the law over the observed' if self.residual == 'log' else ''}".strip()
        found = {
            "loss": f"{loss.name}{'' if loss.name == 'lad' else scale}, summed",
            "residual": residual if self.residual == "log" else "the law less the observed",
            "weights": self.weights or "equal",
        }
        if self.held:
            found["held"] = ", ".join(f"{name} = {value:g}" for name, value in self.held.items())
        if self.tied:
            found["tied"] = ", ".join(" = ".join(group) for group in self.tied)
        return found
