"""A calibration for people and programs: what was read, the fit with its errors, how sure it is, what to do next."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import IO, Any

from scalecalc import __version__
from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.intervals import written
from scalecalc.calibrate.judge import OUTCLASSED, SURVIVES, Judged, promoted
from scalecalc.calibrate.lawfile import fitted_law, method_words
from scalecalc.laws.writing import text_of
from scalecalc.report import ahead, held
from scalecalc.report.blocks import Block, Row
from scalecalc.report.numbers import unit
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks

FORMATS = ("table", "json", "csv", "markdown", "yaml")
COLUMNS = ("coefficient", "value", "standard error", "low", "high", "unit")
OWN = ("objective", "chosen", "members")
"""Words of the method that other blocks have."""
SHOWN = 8
"""Forms a table lists."""
NAMED = 6
"""Forms that could not be fitted of which it says why."""


def render(result: Calibration, form: str, file: IO[str], path: str | None = None) -> None:
    """Write a calibration to a stream.

    Args:
        result: what to write.
        form: one of FORMATS; yaml is the law file.
        file: stream.
        path: where the law file was written, for the next step.
    """
    if form == "table":
        show_blocks(blocks(result, path), file)
    elif form == "yaml":
        file.write(text_of(fitted_law(result)))
    elif form == "json":
        json.dump(document(result), file, indent=1)
        file.write("\n")
    else:
        grid(COLUMNS, _coefficients(result, digits=12), form, file)


def blocks(result: Calibration, path: str | None = None) -> list[Block]:
    """Everything for people."""
    name = result.read.runs.source
    law = fitted_law(result)
    method: list[Row] = [[key, text, ""] for key, text in method_words(result).items() if key not in OWN]
    if not result.ensemble:
        method.insert(0, ["objective", f"{result.fitted.fit.objective:.10g}", "sum over the observations"])
    head = [result.run_set.title, f"source: {result.run_set.source}"] if result.run_set else []
    found = [
        Block(name, [*([line] for line in head)]),
        Block("RUNS", [[_counts(result)], *([fact] for fact in result.read.facts), *_ranges(result)]),
        Block("FORMS", _forms(result)),
        Block("FIT", _members(result) if result.ensemble else _fit(result)),
        Block("METHOD", method),
        Block("HELD OUT", held.rows(result)),
        Block("PREDICTION", ahead.rows(law, result.kept.runs)),
        Block("WARNINGS", [[line] for line in result.doubts]),
        Block("ASSUMED", [[line] for line in result.read.assumptions]),
        Block("next", [[_next(result, path)]]),
    ]  # fmt: skip
    return [block for block in found if block.rows or block.label == name]


def _fit(result: Calibration) -> list[Row]:
    interval = "90 % interval" if result.draws else result.why_none
    return [
        [f"{result.kept.runs.metric} = {result.law.formula}"],
        ["", "value", "standard error", interval, ""],
        *([row[0], row[1], row[2], f"{row[3]} to {row[4]}" if row[3] else "", row[5]]
          for row in _coefficients(result, digits=6)),
    ]  # fmt: skip


def _members(result: Calibration) -> list[Row]:
    """The members of an ensemble: coefficients are in its law file."""
    if result.ensemble is None:
        return []
    what = f"log {result.kept.runs.metric} = the mean of its members' by weight: 1/(what each missed of larger runs)^2"
    members = sorted(result.ensemble.members, key=lambda member: -member.weight)
    return [
        [what], ["form^k", "weight", "missed", ""],
        *([m.name, f"{m.weight:.3f}", _percent(m.error), str(written(m.law, digits=4))] for m in members),
    ]  # fmt: skip


def _counts(result: Calibration) -> str:
    kept = result.kept.runs
    out = len(result.read.runs) - len(kept)
    trained = int(kept.groups.max()) + 1
    words = f"{len(kept):,} observations of {trained:,} run{'s' * (trained != 1)}"
    if out:
        rule = "the rule of the runs' publication" if result.method.drop_highest is None else "as asked"
        words += f"; the {out} of {len(result.read.runs):,} with the highest {kept.metric} are left out: {rule} "
        words += "(--drop-highest)"
    if result.read.replicates:
        words += f"; {result.read.replicates:,} replicates"
    return words


def _ranges(result: Calibration) -> list[Row]:
    runs = result.kept.runs
    columns = {**runs.columns, runs.metric: runs.observed}
    units = {runs.metric: result.read.unit, "C": "FLOP"}
    return [
        [name, f"{column.min():.4g} to {column.max():.4g}{unit(units.get(name, ''))}"]
        for name, column in columns.items()
    ]


def _forms(result: Calibration) -> list[Row]:
    if len(result.ranked) == 1:
        return []
    best, survive = result.ranked[0], {one.name for one in result.survivors}
    rows: list[Row] = [[f"{len(result.ranked)} tried, ranked by {result.ranked_by} (--law chooses)"]]
    fitted = [one for one in result.ranked if one.fitted is not None]
    rows.append(["form", "missed beyond", "AICc", ""])
    rows += [[f"{one.name}{' *' * (one.name in survive)}", _percent(one.extrapolation), _behind(one.aicc, best.aicc),
              str(one.form.formula)] for one in fitted[:SHOWN]]  # fmt: skip
    if len(fitted) > SHOWN:
        rows.append([f"and {len(fitted) - SHOWN} more (--format json)"])
    if survive:
        far = f"AICc within {OUTCLASSED:g} of the best; it had no optimum, or too few runs, below one of the origins"
        near = f"missed no more than {SURVIVES:g} times what the best one did"
        rows.append([f"* survives: {far if promoted(result.ranked) else near}"])
    left_out = [one for one in result.ranked if one.fitted is None]
    rows += [["not fitted", one.name, one.why] for one in left_out[:NAMED]]
    if len(left_out) > NAMED:
        rows.append([f"and {len(left_out) - NAMED} more could not be fitted (--format json)"])
    return rows


def _percent(missed: float) -> str:
    """A spread of logarithms."""
    return f"{100 * missed:.2f} %" if math.isfinite(missed) else "-"


def _behind(score: float, best: float) -> str:
    """By how much a form is worse than the best; unknown with too few runs."""
    return f"{score - best:+.1f}" if math.isfinite(score) and math.isfinite(best) else "?"


def _coefficients(result: Calibration, digits: int) -> list[list[str]]:
    """Name, value, standard error, ends of the interval, unit or what it was held by."""
    rows = []
    tied = {name: group[0] for group in result.fitted.tied for name in group[1:]}
    for name, coefficient in result.law.coefficients.items():
        errors = result.errors(name)
        other = f"= {tied[name]}" if name in tied else coefficient.unit
        note = _held(result, name) if name in result.fitted.held else other
        ends = [f"{value:.4g}" for value in errors] if errors else ["", "", ""]
        rows.append([name, f"{coefficient.value:.{digits}g}", *ends, note])
    return rows


def _held(result: Calibration, name: str) -> str:
    """By whom a coefficient has its value."""
    own = name in result.method.held or result.fitted.form.coefficients[name].fixed
    return "held" if own else "at its bound"


def _next(result: Calibration, path: str | None) -> str:
    law = path or "fit.yaml"
    values = " ".join(f"--set {symbol}=..." for symbol in result.law.inputs)
    first = "" if path else "-o fit.yaml keeps the law; then "
    best = f"scalecalc optimal --law {law} --budget ..., " if {"N", "D"} <= set(result.law.inputs) else ""
    return f"{first}scalecalc predict {law} {values}, {best}scalecalc estimate MODEL --budget ... --law {law}"


def document(result: Calibration) -> dict[str, Any]:
    """The same for programs."""
    runs, law = result.kept.runs, fitted_law(result)
    survive = {one.name for one in result.survivors}
    return {
        "command": "calibrate",
        "version": __version__,
        "runs": {
            "source": runs.source,
            "observations": len(result.read.runs),
            "fitted": len(runs),
            "runs": int(runs.groups.max()) + 1,
            "replicates": result.read.replicates,
            "metric": runs.metric,
            "unit": result.read.unit,
            "better": result.read.better,
            "conventions": {symbol: dict(words) for symbol, words in runs.conventions.items()},
            "range": {name: [float(c.min()), float(c.max())] for name, c in runs.columns.items()},
            "sha256": result.digest,
        },
        "forms": [_form(one, survive) for one in result.ranked],
        "ranked_by": result.ranked_by,
        "law": {
            "name": law.name,
            "form": result.ensemble.law.name if result.ensemble else result.fitted.form.name,
            "formula": str(law.formula),
            "coefficients": {
                name: {"value": c.value, "se": c.se, "interval": list(c.ci) if c.ci else None, "level": c.level}
                for name, c in law.coefficients.items()
            },
            "held": dict(result.fitted.held),
            "tied": [list(group) for group in result.fitted.tied],
        },
        "fit": {
            **_optimum(result),
            "draws": len(result.gradients) or len(next(iter(result.draws.values()), ())),
            "draws_without_optimum": result.lost,
            "largest_gradient_of_draws": float(result.gradients.max()) if len(result.gradients) else None,
            "method": method_words(result),
        },
        "held_out": held.document(result),
        "members": [
            {"form": m.form.name, "recency": m.recency, "weight": m.weight, "missed": m.error}
            for m in (result.ensemble.members if result.ensemble else ())
        ],
        "uncertainty": ahead.uncertainty(law),
        "predictions": ahead.document(law, runs),
        "warnings": list(result.doubts),
        "assumptions": list(result.read.assumptions),
    }


def _optimum(result: Calibration) -> dict[str, Any]:
    """Of the one fit; nulls for an ensemble, which has several."""
    names = ("objective", "gradient", "condition", "starts", "agreed")
    return {name: None if result.ensemble else getattr(result.fitted.fit, name) for name in names}


def _form(one: Judged, survive: Collection[str]) -> dict[str, Any]:
    return {
        "form": one.name, "formula": str(one.form.formula), "aicc": _known(one.aicc),
        "extrapolation": _known(one.extrapolation), "bias": _known(one.bias), "drift": _known(one.drift),
        "survives": one.name in survive,
        "objective": one.fitted.fit.objective if one.fitted else None, "why_not": one.why or None,
    }  # fmt: skip


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
