"""From runs to a law with errors: forms tried, the best one fitted to its optimum, its coefficients resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalecalc.calibrate.ensemble import DRAWS, Ensemble, ensemble_of
from scalecalc.calibrate.forms import forms_for
from scalecalc.calibrate.intervals import coefficients, of_judged
from scalecalc.calibrate.judge import Judged, promoted, survivors, with_record
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.ranking import BY_EXTRAPOLATION, rank
from scalecalc.calibrate.reading import Reading, digest
from scalecalc.calibrate.resample import bootstrap, solved
from scalecalc.calibrate.sets import RunSet
from scalecalc.calibrate.tables import MOST
from scalecalc.calibrate.tape import Array
from scalecalc.calibrate.warnings import warnings
from scalecalc.errors import FitError
from scalecalc.laws import Law
from scalecalc.laws.conventions import LEVEL, Uncertainty

WIDE = 1e7
"""A condition number worth a word."""
NONE = "none asked for (--draws)"


@dataclass(frozen=True)
class Calibration:
    """A fitted law and everything that was asked, read and found.

    Attributes:
        read: all runs.
        kept: those fitted.
        method: how.
        ranked, ranked_by: the forms tried, the chosen one first, and by what.
        draws: coefficients of resamples by name, each (s); empty without resamples.
        gradients: the largest entry of each resample's gradient, (s).
        lost: resamples without an optimum.
        why_none: what keeps the fit without resamples.
        run_set: the set the runs are from.
        ensemble: an average of the surviving forms, where that was asked for: then it is the law.
    """

    read: Reading
    kept: Reading
    method: Method
    ranked: Sequence[Judged]
    ranked_by: str
    draws: Mapping[str, Array]
    gradients: Array
    lost: int
    why_none: str = ""
    run_set: RunSet | None = None
    ensemble: Ensemble | None = None

    @property
    def fitted(self) -> LawFit:
        """The best form's fit."""
        first = self.ranked[0].fitted
        assert first is not None
        return first

    @property
    def law(self) -> Law:
        """With the fitted coefficients."""
        return self.ensemble.law if self.ensemble else self.fitted.law

    @property
    def survivors(self) -> list[Judged]:
        """The forms that foretold the larger runs no worse than twice as badly as the best one."""
        return survivors(self.ranked)

    @property
    def uncertainty(self) -> Uncertainty | None:
        """What the law's predictions miss besides its coefficients' errors; None with too few runs to tell."""
        return self.ensemble.uncertainty if self.ensemble else of_judged(self.ranked[0], self.survivors)

    @property
    def digest(self) -> str:
        """Of the runs that were fitted."""
        return digest(self.kept.runs)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What makes the fit less sure than its figures look, one line each."""
        found = [] if self.ensemble else self._fit_doubts
        if self.why_none and self.method.draws:
            found.append(f"no standard errors: {self.why_none}")
        return (*found, *(doubt.text for doubt in warnings(self.fitted)))

    @property
    def _fit_doubts(self) -> list[str]:
        fit, found = self.fitted.fit, []
        if fit.agreed * 2 < fit.starts:
            found.append(
                f"{fit.starts - fit.agreed} of {fit.starts} starts ended elsewhere or nowhere: look at the residuals"
            )
        if self.lost:
            found.append(f"{self.lost:,} of {len(self.gradients):,} resamples have no optimum and are left out")
        if fit.condition > WIDE:
            found.append(f"condition {fit.condition:.1e}: coefficients can stand in for each other")
        return found

    def errors(self, name: str) -> tuple[float, float, float] | None:
        """Standard error, and the interval of level LEVEL, of a coefficient; None without resamples."""
        drawn = self.draws.get(name)
        if drawn is None or not len(drawn):
            return None
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(drawn.std(ddof=1)), float(low), float(high)


def calibrate(
    reading: Reading, method: Method | None = None, forms: Sequence[Law] = (), *, run_set: RunSet | None = None,
    share: Any = map, ensemble: bool = False,
) -> Calibration:  # fmt: skip
    """Fit a law to runs.

    Args:
        reading: the runs.
        method: how.
        forms: to try; all that the runs have columns for unless given.
        run_set: where the runs are from, with its own outlier rule.
        share: `map` of this process, or of a `sharing.crew`.
        ensemble: average the forms that survive, or those that are given, instead of choosing the best one.

    Raises:
        FitError: no form can be fitted.
    """
    method = method or Method()
    kept = method.kept(reading, run_set.drop_highest if run_set else 0)
    ranked, ranked_by = rank(forms or forms_for(kept), kept, method)
    best = ranked[0].fitted if ranked else None
    if best is None:
        why = ranked[0].why if ranked else "no form takes these columns"
        raise FitError(f"no form can be fitted: {why}", todo="name one: --law")
    if ensemble:
        if promoted(ranked):
            ranked, ranked_by = with_record(ranked), BY_EXTRAPOLATION
        chosen = survivors(ranked)
        if forms:
            chosen = [one for one in ranked if one.fitted is not None]
        elif chosen:  # an average of laws of other variables would take all of them, and have no optimum
            chosen = [one for one in chosen if one.form.inputs == chosen[0].form.inputs]
        whole = ensemble_of(chosen, kept, method)
        drawn = whole.draws(min(method.draws, DRAWS), method.seed) if method.draws else {}
        return Calibration(
            reading, kept, method, ranked, ranked_by, drawn, np.empty(0), 0, "" if drawn else NONE, run_set, whole
        )
    drawn, gradients, lost, why_none = _resampled(best, method, share)
    return Calibration(reading, kept, method, ranked, ranked_by, drawn, gradients, lost, why_none, run_set)


def _resampled(fitted: LawFit, method: Method, share: Any) -> tuple[dict[str, Array], Array, int, str]:
    fit, none = fitted.fit, np.empty(0)
    count = len(np.unique(fitted.runs.groups))
    if not method.draws:
        return {}, none, 0, NONE
    if count <= len(fit.point):
        return {}, none, 0, f"{count} runs and {len(fit.point)} coefficients: resampling needs more runs"
    try:
        found = bootstrap(fit, method.draws, method.seed, share)
    except FitError as error:
        return {}, none, 0, f"{error.what}: the runs barely determine the coefficients"
    sizes = np.stack([np.abs(column) for column in fit.problem.coefficients(found.points).values()])
    good = solved(fit, found) & (sizes < MOST).all(axis=0)
    drawn = coefficients(fit.problem, fitted.tied, found.points[good])
    return drawn, found.gradients, int((~good).sum()), ""
