"""`optimal` for people: the best models by law, what a loss or inference takes, where a model stands."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import IO

from scalecalc.estimate.allocation import Allocation
from scalecalc.estimate.curves import Curve
from scalecalc.estimate.places import Place, outside
from scalecalc.estimate.words import short
from scalecalc.laws.conventions import UNKNOWN, Interval
from scalecalc.laws.optimum import Least, Optimum
from scalecalc.report.allocated import COLUMNS, document, points
from scalecalc.report.blocks import Block, Row
from scalecalc.report.numbers import percent, scientific
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks

FLAT = 0.01
"""Share of the value that counts as no difference."""


def render(result: Allocation, form: str, file: IO[str]) -> None:
    """Write the answer: blocks, the JSON document, or one row per point as CSV or Markdown."""
    if form == "table":
        show_blocks([block for block in _blocks(result) if block.rows], file)
    elif form == "json":
        json.dump(document(result), file, indent=1)
        file.write("\n")
    else:
        rows = [["" if cell is None else str(cell) for cell in row.values()] for row in points(result)]
        grid(COLUMNS, rows, form, file)


def _blocks(result: Allocation) -> Iterator[Block]:
    yield _optimum(result)
    yield _target(result)
    yield _inference(result)
    yield _stop(result)
    yield _model(result)
    yield from _isoflop(result)
    yield Block("COMPUTE ALONE", [row for curve in result.curves for row in _curve(curve, result)])
    yield Block("REFUSED", [[f"{law.name}: {why}"] for law, why in result.refused])
    yield Block("ASSUMED", [[line] for line in result.assumptions])
    yield Block("next", [[_next(result)]])


def _optimum(result: Allocation) -> Block:
    block, budget = Block("OPTIMUM"), result.question.budget
    if budget is None or not (result.places or result.sizes):
        return block
    own = f" = {budget.how}" if budget.how else ""
    words = f" ({budget.text}{own})" if budget.text and not budget.text[-1].isdigit() else ""
    whole = [place.law.name for place in result.places if place.law.uncertainty]
    kind = f", those of {', '.join(dict.fromkeys(whole))}'s value of a new run" if whole else ""
    block.rows.append(
        [f"for {scientific(budget.flops)} FLOP{words}; intervals are 90 %, of the coefficients only{kind}"]
    )
    metrics = {f"{place.law.metric.name}, {place.law.metric.unit}" for place in result.places}
    said = metrics.pop() if len(metrics) == 1 else "reaches"
    block.rows.append(["law", "C", "N*", "D*", "D/N", said, "N within 1 %", "2x the budget"])
    for place in result.places:
        best = place.best
        if best is not None:
            value = _with(f"{best.value:.2f}", best.value_interval, "{:.2f}".format)
            block.rows.append([
                place.law.name, _cost(place), f"{_with(short(best.params), best.params_interval)} {_count(place)}",
                f"{_with(short(best.data), best.data_interval)} {place.sample}s", _ratio(best.data / best.params),
                value if said != "reaches" else f"{place.law.metric.name} {value} {place.law.metric.unit}",
                f"{short(best.near[0])} to {short(best.near[1])}", f"gains {place.doubling or 0.0:.2g}",
            ])  # fmt: skip
    for size in result.sizes:
        ratio = _ratio(size.data / size.params)
        block.rows.append([size.law.name, size.how, short(size.params), short(size.data), ratio, "", "", ""])
    block.rows += [
        [f"{place.law.name}{_by(place, result)}: {note}"] for place in result.places for note in _notes(place)
    ]
    return block


def _notes(place: Place) -> Iterator[str]:
    if place.best is not None:
        yield from _far(place, place.best)
    yield from place.notes


def _far(place: Place, run: Optimum | Least) -> Iterator[str]:
    """A remark where the law speaks of what none of its runs was near to."""
    gaps = [f"{name} {gap:.1f}" for name, gap in outside(place.law, run).items() if gap >= 0.05]
    if gaps:
        yield f"{', '.join(gaps)} decades outside what it was calibrated on"


def _by(place: Place, result: Allocation) -> str:
    """The cost, where a law stands twice."""
    return f" ({_cost(place)})" if result.inspection is not None else ""


def _target(result: Allocation) -> Block:
    block, goal = Block("TARGET"), result.question.target
    rows = [place for place in result.places if place.target is not None]
    if not rows or goal is None:
        return block
    block.rows.append([f"the least that reaches {rows[0].law.metric.name} {goal:g}"])
    within = result.question.budget is not None
    block.rows.append(["law", "C", "N", "D", "FLOP", *(["N that reach it with the budget"] if within else [])])
    for place in rows:
        row = [place.law.name, *_least(place, place.target)]
        if within:
            row.append(
                "none" if place.reaching is None else f"{short(place.reaching[0])} to {short(place.reaching[1])}"
            )
        block.rows.append(row)
    block.rows += [[f"{place.law.name}{_by(place, result)}: {note}"] for place in rows if place.target is not None
                   for note in _far(place, place.target)]  # fmt: skip
    return block


def _least(place: Place, least: Least | None) -> list[str]:
    assert least is not None
    return [
        _cost(place), f"{_with(short(least.params), least.params_interval)} {_count(place)}",
        f"{_with(short(least.data), least.data_interval)} {place.sample}s",
        _with(scientific(least.total), least.total_interval, scientific),
    ]  # fmt: skip


def _inference(result: Allocation) -> Block:
    block, served = Block("INFERENCE"), result.question.served
    rows = [place for place in result.places if place.serving is not None and place.trained is not None]
    if not rows or served is None:
        return block
    what = "that loss" if result.question.target is not None else "the optimum's loss"
    block.rows.append([f"the least for training and {short(served)} {rows[0].sample}s of use together, at {what}"])
    block.rows.append(["law", "C", "N", "D", "FLOP in all", "of which training", "with the N cheapest to train"])
    for place in rows:
        best, plain = place.serving, place.trained
        assert best is not None
        assert plain is not None
        more = f"{short(plain.params)}: {scientific(plain.total)}, {percent(plain.total / best.total - 1)} more"
        block.rows.append([place.law.name, *_least(place, best), percent(best.compute / best.total), more])
    return block


def _stop(result: Allocation) -> Block:
    block, stop = Block("STOP"), result.question.stop
    if stop is None or not result.places:
        return block
    block.rows.append([f"from where twice the budget, each best spent, gains less than {stop}"])
    for place in result.places:
        end = place.stop
        cells = ["nowhere", "", ""]
        if end is not None:
            params, data = f"{short(end.params)} {_count(place)}", f"{short(end.data)} {place.sample}s"
            cells = [f"{scientific(end.compute)} FLOP", params, data]
        far = [] if end is None else _far(place, end)
        block.rows.append([place.law.name, _cost(place), *cells, "; ".join(far)])
    return block


def _model(result: Allocation) -> Block:
    inspection, question = result.inspection, result.question
    block = Block("MODEL")
    places = [place for place in result.places if place.standing is not None]
    if not places:
        return block
    name = inspection.profile.title if inspection is not None else f"{short(question.params or 0)} parameters"
    block.rows.append([f"{name}, by each law"])
    block.rows.append(["law", "C", "N", "is the best at", "a 2x larger one wins beyond"])
    for place in places:
        own = place.standing
        assert own is not None
        at = (
            "no budget"
            if own.best_at is None
            else f"{_with(scientific(own.best_at), own.best_interval, scientific)} FLOP"
        )
        beyond = "no budget" if own.crossover is None else f"{scientific(own.crossover)} FLOP"
        block.rows.append([place.law.name, _cost(place), _counted(place), at, beyond])
    for place in places:
        block.rows += _spent(place, result)
    return block


def _spent(place: Place, result: Allocation) -> Iterator[Row]:
    """What the budget, the target and the least gain mean for the model."""
    own, question, name = place.standing, result.question, f"{place.law.name}{_by(place, result)}"
    assert own is not None
    words = []
    if own.data is not None and question.budget is not None:
        bought = f"{scientific(question.budget.flops)} FLOP buy {short(own.data)} {place.sample}s"
        if own.value is None:
            words.append(f"{bought}: {own.why}")
        else:
            words.append(f"{bought}: {_value(place, own.value, None)}, {own.worse:.3g} worse than the best; "
                         f"twice the budget gains {own.gain or 0:.2g}")  # fmt: skip
    if question.target is not None and own.target is not None:
        goal = f"{place.law.metric.name} {question.target:g}"
        needed = f"{goal} takes {scientific(own.target)} FLOP" if math.isfinite(own.target) else f"never reaches {goal}"
        words.append(needed)
    if question.stop is not None:
        end = f"from {scientific(own.stop)} FLOP on" if own.stop is not None else "at no budget"
        words.append(f"a doubling gains less than {question.stop} {end}")
    if words:
        yield [f"{name}: {'; '.join(words)}"]


def _counted(place: Place) -> str:
    own = place.standing
    assert own is not None
    return f"{short(own.params)} {_count(place)}{' (assumed)' if own.status == 'assumed' else ''}"


def _isoflop(result: Allocation) -> Iterator[Block]:
    label = "ISOFLOP"
    for place in result.places:
        if not place.isoflop or place.best is None:
            continue
        block = Block(label, [[f"{place.law.name}, C = {_cost(place)}, N {_count(place)}"]])
        block.rows.append(["N", "D", "D/N", place.law.metric.name, "worse by", ""])
        limit = FLAT * abs(place.best.value)
        for point in place.isoflop:
            mark = "best" if point.params == place.best.params else "within 1 %" if point.worse <= limit else ""
            ratio, data = _ratio(point.data / point.params), f"{short(point.data)} {place.sample}s"
            block.rows.append([short(point.params), data, ratio, f"{point.value:.4f}", f"{point.worse:.4f}", mark])
        label = ""
        yield block


def _curve(curve: Curve, result: Allocation) -> Iterator[Row]:
    """One line of a law of C."""
    law, question, words = curve.law, result.question, []
    if curve.value is not None and curve.bound is not None:
        of = " of the best model" if law.kind == "frontier" else ""
        words.append(
            f"{law.metric.name} {curve.value:.2f} {law.metric.unit}{of} for C ({curve.bound.status}: {curve.bound.how})"
        )
        if curve.doubling is not None:
            words.append(f"twice the budget gains {curve.doubling:.2g}")
    if curve.target is not None and question.target is not None:
        words.append(f"{scientific(curve.target)} FLOP reach {question.target:g}")
    if question.stop is not None:
        if curve.rising:
            words.append("every doubling gains more than the last, so it names no budget to stop at")
        elif curve.stop is not None:
            words.append(f"a doubling gains less than {question.stop} from {scientific(curve.stop)} FLOP on")
    if curve.ends is not None:
        words.append(f"the law ends at {scientific(curve.ends)} FLOP")
    yield [law.name, "; ".join(words)]


def _cost(place: Place) -> str:
    return "6ND" if place.cost == "6ND" else f"own {place.per_nd:.2f}ND"


def _value(place: Place, value: float, interval: Interval | None) -> str:
    metric = place.law.metric
    text = f"{metric.name} {value:.2f}"
    if interval is not None:
        text += f" [{interval[0]:.2f}, {interval[1]:.2f}]"
    return f"{text} {metric.unit}"


def _with(text: str, interval: Interval | None, words: Callable[[float], str] = short) -> str:
    return text if interval is None else f"{text} [{words(interval[0])}, {words(interval[1])}]"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _count(place: Place) -> str:
    return "(count unknown)" if place.count == UNKNOWN else place.count.replace("_", "-")


def _next(result: Allocation) -> str:
    question, found = result.question, []
    if result.inspection is not None:
        profile = result.inspection.profile
        file = profile.source or f"{profile.name}.{profile.format}"
        if question.budget is not None:
            found.append(f"scalecalc estimate {file} --budget {question.budget.text or question.budget.flops}")
    if question.budget is not None and not question.isoflop and result.places:
        found.append("--isoflop (what other N reach)")
    law = next((place.law.name for place in result.places), next((curve.law.name for curve in result.curves), ""))
    return ", ".join([*found, f"scalecalc laws show {law}".rstrip()])
