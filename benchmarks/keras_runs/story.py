"""Figures and pictures of docs/calibration.md, from the recorded rows: `python -m benchmarks.keras_runs.story`.

The page is written by hand but for what stands between `<!-- rows: NAME -->` and `<!-- end -->`; tests compare it.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from benchmarks.keras_runs import timing
from benchmarks.keras_runs.calibrate_rows import QUESTIONS, Question, answers, laws, method, runs
from benchmarks.keras_runs.curves import Curve, curve, seeds_apart, there
from benchmarks.keras_runs.grid import HERE, declared
from benchmarks.keras_runs.recorded import rows
from scalecalc.calibrate.bands import fitted_of, held_of
from scalecalc.calibrate.calibration import Calibration, calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.errors import ScalecalcError
from scalecalc.laws.conventions import LEVEL

DOCS = HERE.parents[1] / "docs"
PAGE, PICTURES = DOCS / "calibration.md", DOCS / "calibration"
PART = re.compile(r"(<!-- rows: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PERFORMANCES = {"test_accuracy": "test accuracy", "best_test_loss": "test loss, stopped early"}
DOMAINS = ("text", "images", "speech")
WAITING = "No rows of this kind are recorded yet.\n"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column at the left, the others at the right."""
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, marks, *lines))


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


@cache
def all_curves(performance: str) -> tuple[Curve, ...]:
    """Grid (b), as far as rows are there."""
    return tuple(curve(*key, performance) for key in there())


def compute() -> str:
    """Grid (b): which form foretells accuracy and loss at more compute."""
    parts = []
    for performance, words in PERFORMANCES.items():
        found = all_curves(performance)
        if not found:
            return WAITING
        scale, unit = (100, " points") if "accuracy" in performance else (1, "")
        names = [one.form for one in sorted(found[0].forms, key=lambda one: one.form)]
        lines = []
        for one in found:
            by_name = {form.form: form for form in one.forms}
            best = one.forms[0]
            cells = [_missed(by_name[name].missed * scale, name == best.form) for name in names]
            seen, held = one.levels
            lines.append([
                f"{_network(one)}, {int(one.unique):,} images", f"{seen} + {held}", *cells, f"{one.spread * scale:.2g}"
            ])  # fmt: skip
        head = [f"{words}{f', in{unit}' if unit else ''}", "fitted + foretold", *names, "seeds alone"]
        parts.append(f"{table(head, lines)}\n{_verdict(found)}")
    return "\n".join(parts)


def _network(one: Curve) -> str:
    return "the article's network" if one.width == "1" else f"{float(one.width):g} of its width"


def _missed(value: float, best: bool) -> str:
    text = f"{value:.2g}" if math.isfinite(value) else "none"
    return f"**{text}**" if best else text


def _verdict(found: Sequence[Curve]) -> str:
    """Who wins, and by how much the seed's exponential loses."""
    wins: dict[str, int] = {}
    for one in found:
        wins[one.forms[0].form] = wins.get(one.forms[0].form, 0) + 1
    best = ", ".join(f"{name} on {count}" for name, count in sorted(wins.items(), key=lambda pair: -pair[1]))
    ratios = [next(f.missed for f in one.forms if f.form == "exponential") / one.forms[0].missed for one in found]
    worst = f"{min(ratios):.0f} to {max(ratios):.0f}" if len(ratios) > 1 else f"{ratios[0]:.0f}"
    said = f"The plain exponential misses {worst} times as much as the best form"
    return f"Best of {len(found)} curves: {best}. {said}.\n"


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


def steps() -> str:
    """Seconds of a step: said and measured."""
    constants = timing.fitted().law.coefficients
    lines = []
    for domain in DOMAINS:
        whole = timing.times(domain)
        for fitted in (True, False):
            chosen = [place for place, row in enumerate(whole.rows) if timing.used(row) is fitted]
            if chosen:
                off = np.abs(whole.off[chosen])
                ends = whole.measured[chosen]
                share = [timing.share(whole.rows[place]) for place in chosen]
                lines.append([
                    f"{domain}, {'fitted' if fitted else 'predicted'}", str(len(chosen)),
                    f"{1e3 * ends.min():.2g} to {1e3 * ends.max():.2g} ms",
                    f"{100 * min(share):.0f} to {100 * max(share):.0f} %", f"{100 * float(np.median(off)):.1f} %",
                    f"{100 * float(np.quantile(off, LEVEL)):.0f} %",
                ])  # fmt: skip
    value = {name: c.value or 0.0 for name, c in constants.items()}
    said = (
        f"seconds = {1e3 * value['t']:.2f} ms + {1e6 * value['s']:.0f} µs for each operator + FLOP / "
        f"{value['R'] / 1e9:.1f} GFLOP/s + bytes / {value['W'] / 1e9:.0f} GB/s\n"
    )
    head = ["rows", "how many", "measured", "of the peak rate", "median error", f"{LEVEL:.0%} within"]
    return f"    {said}\n{table(head, lines)}"


PARTS = {
    "grid": grid, "formulas": formulas, "judged": judged, "heldout": heldout, "counts": counts, "compute": compute,
    "seeds": seeds, "steps": steps,
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
