"""Figures and pictures of docs/calibration.md, from the recorded rows: `python -m benchmarks.keras_runs.story`.

The page is written by hand but for what stands between `<!-- rows: NAME -->` and `<!-- end -->`; tests compare it.
"""

from __future__ import annotations

import math
import re
import sys

import numpy as np

from benchmarks.keras_runs.calibrate_rows import QUESTIONS, Question, answers, laws, method, runs
from benchmarks.keras_runs.curves import seeds_apart
from benchmarks.keras_runs.grid import HERE, declared
from benchmarks.keras_runs.recorded import rows
from benchmarks.keras_runs.tables import DOMAINS, WAITING, compute, recipe, steps, table
from scalecalc.calibrate.bands import fitted_of, held_of
from scalecalc.calibrate.calibration import Calibration, calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.errors import ScalecalcError
from scalecalc.laws.conventions import LEVEL

DOCS = HERE.parents[1] / "docs"
PAGE, PICTURES = DOCS / "calibration.md", DOCS / "calibration"
PART = re.compile(r"(<!-- rows: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def grid() -> str:
    """What was trained."""
    every = declared()
    lines = []
    for domain in DOMAINS:
        there_are = rows(domain)
        c = [float(row["C"]) for row in there_are]
        hours = sum(float(row["cpu_seconds"]) for row in there_are) / 3600
        planned = sum(run.domain == domain for run in every)
        sizes = [int(row["N_total"]) for row in there_are]
        lines.append([
            domain, f"{len(there_are)} of {planned}", f"{min(sizes):,} to {max(sizes):,}",
            f"{min(c):.1e} to {max(c):.1e}", f"{math.log10(max(c) / min(c)):.1f}", f"{hours:.2f} h",
        ])  # fmt: skip
    total = sum(len(rows(domain)) for domain in DOMAINS)
    head = ["domain", "rows", "parameters", "training FLOP", "decades", "processor time"]
    return f"{table(head, lines)}\n{total} rows in all.\n"


def formulas() -> str:
    """The laws that came out."""
    lines = []
    for name, law in laws().items():
        result = answers()[name]
        constants = ", ".join(
            f"{key} {c.value:.4g}" + (f" [{c.ci[0]:.3g}, {c.ci[1]:.3g}]" if c.ci else "")
            for key, c in law.coefficients.items()
        )
        noise = f"{100 * law.uncertainty.noise:.2g} %" if law.uncertainty else "unknown"
        lines.append([f"`{name}`", f"`{law.formula}`", constants, str(len(result.kept.runs)), noise])
    head = ["law", "formula", f"constants [{LEVEL:.0%}]", "runs", "noise of a run"]
    missing = [question.name for question in QUESTIONS if question.name not in laws()]
    return table(head, lines) + (f"\nNot enough rows yet: {', '.join(missing)}.\n" if missing else "")


def judged() -> str:
    """Which form foretold the larger runs best, question by question."""
    lines = []
    for name, result in answers().items():
        known = [one for one in result.ranked if math.isfinite(one.extrapolation)]
        rest = [one.name for one in result.ranked if not math.isfinite(one.extrapolation)]
        said = ", ".join(f"{one.name} {100 * one.extrapolation:.3g} %" for one in known)
        lines.append([f"`{name}`", said, ", ".join(rest) or "none"])
    return table(["law", "missed of the larger runs, by fits to the smaller", "not to be fitted, or not to be judged"],
                 lines)  # fmt: skip


def heldout() -> str:
    """Runs that no fit has seen, beside what the laws say of them."""
    parts = []
    for name, result in answers().items():
        if result.read.held is None:
            continue
        held = held_of(fitted_of(result), result.read.held.runs)
        columns, about = held.runs.columns, held.about
        names = [symbol for symbol in ("N", "D", "C") if symbol in columns]
        lines = [
            [*(f"{columns[symbol][k]:.4g}" for symbol in names), f"{observed:.4f}", f"{about.middle[k]:.4f}",
             f"{100 * (about.middle[k] / observed - 1):+.1f} %", f"{about.least[k]:.4f} to {about.most[k]:.4f}",
             f"{held.scores[k]:+.1f}"]
            for k, observed in enumerate(held.runs.observed)
        ]  # fmt: skip
        head = [*names, "observed", "law", "error", f"{LEVEL:.0%} interval", "z"]
        inside = f"{held.inside} of {len(held.off)} inside the {LEVEL:.0%} interval of one run."
        parts.append(f"`{name}`, {result.fitted.form.name}:\n\n{table(head, lines)}\n{inside}\n\n{_by_form(result)}")
    return "\n".join(parts) or WAITING


def _by_form(result: Calibration) -> str:
    """Root mean square errors of every form on the runs that were held out."""
    assert result.read.held is not None
    held, lines = result.read.held.runs, []
    for one in result.ranked:
        if one.fitted is None:
            lines.append([one.name, one.why])
            continue
        off = np.log(one.fitted.predict(held.needed(one.fitted.law.inputs)) / held.observed)
        lines.append([one.name, f"{100 * math.sqrt(float((off**2).mean())):.1f} %"])
    return table(["form", "root mean square error there"], lines)


def counts() -> str:
    """Whether N counts embeddings or not: what laws of text with either say of the runs held out."""
    question = QUESTIONS[0]
    if question.name not in answers():
        return WAITING
    lines = []
    for count in ("total", "non_embedding", "linear"):
        try:
            cells = _counted(question, count)
        except ScalecalcError as error:
            cells = ["", error.what, ""]
        lines.append([count.replace("_", "-"), *cells])
    return table(["N counts", "form", "missed of the larger runs", "error of those held out"], lines)


def _counted(question: Question, count: str) -> list[str]:
    read = runs(question, count=count)
    result = calibrate(read, method(question, 0), [form_of(name, read) for name in question.forms])
    best = result.ranked[0]
    assert best.fitted is not None
    off = "none recorded yet"
    if read.held is not None:
        law, held = best.fitted, read.held.runs
        gaps = np.log(law.predict(held.needed(law.law.inputs)) / held.observed)
        off = f"{100 * math.sqrt(float((gaps**2).mean())):.1f} %"
    return [best.name, f"{100 * best.extrapolation:.3g} %", off]


def seeds() -> str:
    """How far runs that differ in their seed alone are apart."""
    lines = []
    for name, result in answers().items():
        question = next(q for q in QUESTIONS if q.name == name)
        if question.over == "C":
            lines.append([f"`{name}`", f"{100 * seeds_apart(result.kept):.2g} points of accuracy"])
            continue
        columns = result.kept.runs.columns
        keys = list(zip(columns["N"].tolist(), columns["D"].tolist(), strict=True))
        logs = np.log(result.kept.runs.observed)
        groups = [logs[[k == key for k in keys]] for key in dict.fromkeys(keys)]
        left = sum(len(group) - 1 for group in groups)
        spread = math.sqrt(sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / left) if left else math.nan
        lines.append([f"`{name}`", f"{100 * spread:.2g} %"])
    return table(["law", "standard deviation of runs that differ in their seed alone"], lines)


PARTS = {
    "grid": grid, "formulas": formulas, "judged": judged, "heldout": heldout, "counts": counts, "compute": compute,
    "recipe": recipe, "seeds": seeds, "steps": steps,
}  # fmt: skip


def pictures(start: str) -> str:
    """Those whose names begin so."""
    names = sorted(path.stem for path in PICTURES.glob(f"{start}*.svg"))
    return "".join(f"![{name.replace('-', ' ')}](calibration/{name}.svg)\n" for name in names) or WAITING


def part(name: str) -> str:
    """What stands between the marks of this name."""
    return pictures(name.removeprefix("pictures-")) if name.startswith("pictures-") else PARTS[name]()


def page(text: str) -> str:
    """The page with the figures of today's rows."""
    return PART.sub(lambda found: f"{found[1]}{part(found[2])}{found[4]}", text)


def main() -> int:
    """Write the page and its pictures."""
    from benchmarks.keras_runs.drawings import write

    for name in write(PICTURES):
        print(name)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
