"""Forms ordered by how well their fits to the smaller runs foretell the larger ones, else by how well they describe
all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scalecalc.calibrate import judge
from scalecalc.calibrate.fit import Fit
from scalecalc.calibrate.forms import checked, dressed, ranges_of
from scalecalc.calibrate.judge import Cuts, Judged
from scalecalc.calibrate.lawfit import LawFit, fit_law, held_of
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.problem import EXACT
from scalecalc.calibrate.reading import Reading
from scalecalc.errors import FitError, ScalecalcError, UsageError
from scalecalc.laws import Law

BY_AICC = "AICc: the fit itself, no word on larger runs"
BY_EXTRAPOLATION = "what fits to the smaller runs missed of the larger ones"
BY_BOTH = f"{BY_EXTRAPOLATION}; before it, forms without that record whose AICc is better by more than 10"
JUDGED = 8
"""So many forms, the best by AICc, are judged by extrapolation; each is fitted to several parts of the runs."""
SAME = 1e-9
"""Two forms with as many coefficients whose objectives differ by no more, relatively, are one form."""
EFFECT = 1e-7
"""Less than this, relatively, is no effect of a coefficient."""
DETERMINED = 1e14
"""A condition number beyond which coefficients are not determined at all."""


def rank(forms: Sequence[Law], reading: Reading, method: Method) -> tuple[list[Judged], str]:
    """Every form fitted, the best first, those that cannot be fitted last; and by what they are ranked.

    Raises:
        FitError: there is one form only, and it cannot be fitted.
        UsageError: a coefficient is held or tied that no form has.
    """
    names = {name for form in forms for name in form.coefficients}
    if unknown := sorted({*method.held, *(name for group in method.tied for name in group)} - names):
        what = f"no coefficient '{unknown[0]:.40}'"
        raise UsageError(what, where="--hold or --tie", todo=f"they have {', '.join(sorted(names))}")
    found: list[Judged] = []
    for form in forms:
        try:
            fitted = fit_form(form, reading, method)
        except ScalecalcError as error:
            if len(forms) == 1:
                raise
            found.append(Judged(form, None, why=error.what))
            continue
        if not any(_same(fitted.fit, other.fitted.fit) for other in found if other.fitted is not None):
            found.append(judge.candidate(form, fitted))
    found = judge.rank(found)
    try:
        cuts = Cuts.of(reading.runs, horizon=method.horizon)
    except FitError:  # nothing grows
        return found, BY_AICC
    good = [one for one in found if one.fitted is not None][:JUDGED]
    judged = judge.rank(good, cuts, {one.name: ranges_of(one.form, reading) for one in good})
    if not any(math.isfinite(one.extrapolation) for one in judged):
        return found, BY_AICC
    found = judge.rank([*judged, *found[len(good) :]])
    return found, BY_BOTH if judge.promoted(found) else BY_EXTRAPOLATION


def fit_form(form: Law, reading: Reading, method: Method) -> LawFit:
    """One form fitted as asked, in the runs' own counts.

    Raises:
        FitError: the runs do not determine it.
    """
    law = dressed(form, reading)
    held = held_of(law, {name: value for name, value in method.held.items() if name in law.coefficients})
    tied = [group for group in method.tied if set(group) <= law.coefficients.keys()]
    bound = {*held, *(name for group in (*law.ties, *tied) for name in group[1:])}
    checked(law, reading, [name for name in law.coefficients if name not in bound])
    weights = method.weights_of(law, reading)
    found = fit_law(
        law, reading.runs, loss=method.loss_function, residual=method.residual, weights=weights,
        held=held, tied=tied, ranges=ranges_of(form, reading), starts=method.starts,
    )  # fmt: skip
    if not found.fit.condition < DETERMINED:
        what = f"the runs do not determine the coefficients of {form.name} (condition {found.fit.condition:.1e})"
        raise FitError(what, where=reading.runs.source, todo="hold some (--hold), or choose a shorter form")
    if vanished := _vanished(found.fit):
        what = f"{vanished} of {form.name} went to its limit: the runs show no such term"
        raise FitError(
            what, where=reading.runs.source, todo=f"choose a shorter form, or hold it (--hold {vanished}=...)"
        )
    return replace(found, form=form)


def _vanished(fit: Fit) -> str | None:
    """A coefficient that could be e times as large with no effect on any run: an optimum infinitely far away."""
    slopes = np.abs(fit.problem.linearised(fit.point[None])[1][0])
    if fit.problem.residual == "raw":
        slopes = slopes / np.abs(fit.problem.observed)[:, None]
    names = fit.problem.names
    return next((n for n, slope in zip(names, slopes.max(axis=0), strict=True) if slope < EFFECT), None)


def _same(one: Fit, other: Fit) -> bool:
    if len(one.point) != len(other.point):
        return False
    same = SAME * abs(one.objective) + one.problem.off_by(EXACT)
    return bool(abs(one.objective - other.objective) <= same)
