"""Tables of docs/calibration.md on compute and seconds: what grid (b), the article's recipe and the steps show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from benchmarks.keras_runs import timing
from benchmarks.keras_runs.calibrate_rows import laws
from benchmarks.keras_runs.curves import Curve, curve, there
from benchmarks.keras_runs.recorded import rows
from scalecalc.laws.conventions import LEVEL

PERFORMANCES = {"test_accuracy": "test accuracy", "best_test_loss": "test loss, stopped early"}
DOMAINS = ("text", "images", "speech")
WAITING = "No rows of this kind are recorded yet.\n"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column at the left, the others at the right."""
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, marks, *lines))


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
            spread = f"{one.spread * scale:.2g}" if math.isfinite(one.spread) else "one run"
            lines.append([f"{_network(one)}, {int(one.unique):,} images", f"{seen} + {held}", *cells, spread])
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


def recipe() -> str:
    """Grid (c): the article's own program, beside what the law of grid (b) says of its compute."""
    found = rows("images", lambda row: row["grid"] == "c")
    law = laws().get("keras-images-accuracy")
    if not found or law is None:
        return WAITING
    lines = [
        [row["seed"], f"{float(row['C']):.3g}", f"{100 * float(row['test_accuracy']):.2f} %",
         f"{100 * float(law.evaluate(C=float(row['C']))):.2f} %"]
        for row in found
    ]  # fmt: skip
    return table(["seed", "training FLOP", "test accuracy", "by the law of other schedules"], lines)


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
