"""A fit as a law file: formula, counts, coefficients with errors and draws, range, evidence, method."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.intervals import DIGITS, short
from scalecalc.calibrate.lawfit import is_positive
from scalecalc.calibrate.tape import Array
from scalecalc.laws import Law
from scalecalc.laws.conventions import LEVEL, Covariance, Evidence, Source

KEPT, NUMBERS = 400, 3_600
"""Draws a file holds: the ends of a 90 % interval move by no more than 2 % of it; and numbers these have altogether, so
that files stay below 64 kB."""
VANISHED = 1e-3
"""A draw below this part of the median went to 0, as floors do: its logarithm says how far it was followed there."""


def fitted_law(result: Calibration, name: str = "") -> Law:
    """The law of a calibration with everything a file of it says.

    Args:
        result: with its draws.
        name: of the law; the form's and the runs' unless given.
    """
    law = result.law
    coefficients = {}
    for key, coefficient in law.coefficients.items():
        errors = result.errors(key)
        se, *ci = map(short, errors) if errors else (None,)
        coefficients[key] = replace(
            coefficient, se=se, ci=(ci[0], ci[1]) if errors else None, level=LEVEL if errors else None
        )
    drawn = {key: column for key, column in result.draws.items() if key in law.coefficients}
    free = {} if result.ensemble else {n: drawn[n] for n in drawn if n in result.fitted.fit.problem.names}
    source = result.run_set.source if result.run_set else result.read.runs.source
    what = str(law.formula) if result.ensemble is None else law.title
    return replace(
        law,
        name=plain_name(name or f"{law.name}-{result.run_set.name if result.run_set else Path(source).stem}"),
        title=f"{what} fitted to {source}",
        coefficients=coefficients,
        covariance=_covariance(law, free) if free else None,
        draws={key: tuple(float(f"{v:.{DIGITS}g}") for v in column) for key, column in thinned(drawn).items()},
        uncertainty=result.uncertainty,
        range=_ranges(result),
        evidence=_evidence(result),
        source=Source(f"fitted to {source}"),
        notes=tuple(result.read.assumptions),
        method=method_words(result),
    )  # fmt: skip


def method_words(result: Calibration) -> dict[str, str]:
    """How the coefficients were found."""
    fit, method = result.fitted.fit, result.method
    out = len(result.read.runs) - len(result.kept.runs)
    left_out = {"left out": f"the {out} highest of {len(result.read.runs)}" if out else "none"}
    count = len(result.gradients) or len(next(iter(result.draws.values()), ()))
    resamples = {"resamples": f"{count:,} of whole runs, seed {method.seed}" if count else "none"}
    if result.ensemble:
        members = [f"{m.name} {m.weight:.2g}" for m in result.ensemble.members]
        return {
            **method.words(), "loss": "least-squares, summed",
            "weights": f"recency, ({result.ensemble.along}/largest)^k", **left_out, **resamples,
            "members": f"form^k and weight: {', '.join(members)}",
        }  # fmt: skip
    return {
        **method.words(),
        **left_out,
        "starts": f"{fit.agreed} of {fit.starts} at this optimum",
        "objective": f"{fit.objective:.12g}",
        "gradient": f"{fit.gradient:.1e}",
        "condition": f"{fit.condition:.3g}",
        **resamples,
        "chosen": f"of {len(result.ranked)} forms by {result.ranked_by}" if len(result.ranked) > 1 else "as asked",
    }


def thinned(drawn: Mapping[str, Array], most: int = KEPT) -> dict[str, Array]:
    """So many draws, evenly along the direction in which they differ most: a sample that represents all of them."""
    if not drawn:
        return {}
    rows, count = np.stack(list(drawn.values()), axis=1), min(most, NUMBERS // len(drawn))
    if len(rows) <= count:
        return dict(drawn)
    scaled = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-300)
    longest = np.linalg.svd(scaled, full_matrices=False)[2][0]
    order = np.argsort(scaled @ longest, kind="stable")
    chosen = rows[order[((np.arange(count) + 0.5) * len(rows) / count).astype(int)]]
    return {name: chosen[:, place] for place, name in enumerate(drawn)}


def _covariance(law: Law, drawn: Mapping[str, Array]) -> Covariance:
    """Of the coordinates that vary evenly: logarithms of coefficients that are positive, save those that go to 0."""
    logs = [is_positive(law, name) and column.min() > VANISHED * np.median(column) for name, column in drawn.items()]
    columns = [np.log(column) if log else column for column, log in zip(drawn.values(), logs, strict=True)]
    matrix = np.atleast_2d(np.cov(np.stack(columns)))
    count = len(columns[0])
    return Covariance(
        tuple(f"log({name})" if log else name for name, log in zip(drawn, logs, strict=True)),
        tuple(tuple(float(f"{value:.10g}") for value in row) for row in matrix),
        f"coefficients only: {count:,} resamples of whole runs; neither noise nor the choice of formula",
    )


def _ranges(result: Calibration) -> dict[str, tuple[float, float]]:
    """Least and largest value of every variable, and of D/N."""
    columns = dict(result.kept.runs.columns)
    if {"N", "D"} <= columns.keys():
        columns["D/N"] = columns["D"] / columns["N"]
    return {name: (float(f"{v.min():.6g}"), float(f"{v.max():.6g}")) for name, v in columns.items()}


def _evidence(result: Calibration) -> Evidence:
    runs, whole = result.kept.runs, result.ensemble
    spread = whole.noise if whole else float(np.std(result.fitted.fit.residuals))
    what = "log residuals" if result.method.residual == "log" else "residuals"
    text = f"{len(runs)} observations; {what} spread by {spread:.3g}"
    missed = float(np.mean(whole.by_origin)) if whole and whole.by_origin else result.ranked[0].extrapolation
    error = short(missed) if math.isfinite(missed) else None
    return Evidence(len(set(runs.groups.tolist())), error, text=text, data=f"sha256:{result.digest}")


def plain_name(text: str) -> str:
    """A name laws may have.

    >>> plain_name("My fit_2")
    'my-fit-2'
    """
    return "-".join(re.findall("[a-z0-9]+", text.lower())) or "fit"
