"""`optimal` for people: the best models by law, what a loss or inference takes, where a model stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO

from scalecalc.estimate.allocation import Allocation
from scalecalc.estimate.curves import Curve
from scalecalc.estimate.places import Place, outside
from scalecalc.estimate.words import short
from scalecalc.laws.optimum import Least, Optimum
from scalecalc.report.advice import settings, sized
from scalecalc.report.allocated import COLUMNS, document, points
from scalecalc.report.blocks import Block
from scalecalc.report.numbers import percent, scientific, unit
from scalecalc.report.placed import cost_of, count_of, ratio_of, within
from scalecalc.report.render import grid
from scalecalc.report.standing import model_block, spent_block
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
    yield model_block(result)
    yield spent_block(result)
    yield _settings(result)
    yield from _isoflop(result)
    yield _curves(result)
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
    metrics = {", ".join((place.law.metric.name, *unit(place.law.metric.unit).split())) for place in result.places}
    said = metrics.pop() if len(metrics) == 1 else "reaches"
    block.rows.append(["law", "C", "N*", "D*", "D/N", said, "N within 1 %", "2x the budget"])
    for place in result.places:
        best = place.best
        if best is not None:
            value = within(f"{best.value:.2f}", best.value_interval, "{:.2f}".format)
            block.rows.append([
                place.law.name, cost_of(place), f"{within(short(best.params), best.params_interval)} {count_of(place)}",
                f"{within(short(best.data), best.data_interval)} {place.sample}s", ratio_of(best.data / best.params),
                value if said != "reaches" else f"{place.law.metric.name} {value}{unit(place.law.metric.unit)}",
                f"{short(best.near[0])} to {short(best.near[1])}", f"gains {place.doubling or 0.0:.2g}",
            ])  # fmt: skip
    for size in result.sizes:
        params, data = sized(size)
        block.rows.append([size.law.name, size.how.split(":")[0], params, data, ratio_of(size.ratio), "", "", ""])
    remarks: dict[str, list[str]] = {}
    for size in result.sizes:
        for remark in (*size.how.split(": ")[1:], *_gaps(size.outside)):
            remarks.setdefault(remark, []).append(size.law.name)
    block.rows += [[f"{', '.join(names)}: {remark}"] for remark, names in remarks.items()]
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
    return _gaps(outside(place.law, run))


def _gaps(decades: Mapping[str, float]) -> Iterator[str]:
    gaps = [f"{name} {gap:.1f}" for name, gap in decades.items() if gap >= 0.05]
    if gaps:
        yield f"{', '.join(gaps)} decades outside what it was calibrated on"


def _settings(result: Allocation) -> Block:
    block = Block("SETTINGS", settings(result.settings))
    if block.rows:
        block.rows.insert(0, [f"for the best model by {result.places[0].law.name}"])
    return block


def _by(place: Place, result: Allocation) -> str:
    """The cost, where a law stands twice."""
    return f" ({cost_of(place)})" if result.inspection is not None else ""


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
        cost_of(place), f"{within(short(least.params), least.params_interval)} {count_of(place)}",
        f"{within(short(least.data), least.data_interval)} {place.sample}s",
        within(scientific(least.total), least.total_interval, scientific),
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
            params, data = f"{short(end.params)} {count_of(place)}", f"{short(end.data)} {place.sample}s"
            cells = [f"{scientific(end.compute)} FLOP", params, data]
        far = [] if end is None else _far(place, end)
        block.rows.append([place.law.name, cost_of(place), *cells, "; ".join(far)])
    return block


def _isoflop(result: Allocation) -> Iterator[Block]:
    label = "ISOFLOP"
    for place in result.places:
        if not place.isoflop or place.best is None:
            continue
        block = Block(label, [[f"{place.law.name}, C = {cost_of(place)}, N {count_of(place)}"]])
        block.rows.append(["N", "D", "D/N", place.law.metric.name, "worse by", ""])
        limit = FLAT * abs(place.best.value)
        for point in place.isoflop:
            mark = "best" if point.params == place.best.params else "within 1 %" if point.worse <= limit else ""
            ratio, data = ratio_of(point.data / point.params), f"{short(point.data)} {place.sample}s"
            block.rows.append([short(point.params), data, ratio, f"{point.value:.4f}", f"{point.worse:.4f}", mark])
        label = ""
        yield block


def _curves(result: Allocation) -> Block:
    """A line for each law of C."""
    block, question = Block("COMPUTE ALONE"), result.question
    if not result.curves:
        return block
    budget, target, stop = question.budget, question.target, question.stop
    head = ["law", *(["reaching", "2x the budget", ""] if budget is not None else [])]
    head += [f"reaches {target:g} with"] if target is not None else []
    block.rows.append([*head, *([f"a doubling gains < {stop} from"] if stop is not None else [])])
    remarks: dict[str, list[str]] = {}
    for curve in result.curves:
        law, row = curve.law, [curve.law.name]
        if budget is not None:
            of = ", the best model" if law.kind == "frontier" else ""
            row.append("" if curve.value is None else f"{law.metric.name} {curve.value:.2f}{unit(law.metric.unit)}{of}")
            row.append("" if curve.doubling is None else f"gains {curve.doubling:.2g}")
            row.append("" if curve.bound is None else curve.bound.status)
        if target is not None:
            row.append("no budget" if curve.target is None else f"{scientific(curve.target)} FLOP")
        if stop is not None:
            row.append("no budget" if curve.stop is None else f"{scientific(curve.stop)} FLOP on")
        block.rows.append(row)
        for remark in _curve_notes(curve):
            remarks.setdefault(remark, []).append(law.name)
    block.rows += [[f"{', '.join(names)}: {remark}"] for remark, names in remarks.items()]
    return block


def _curve_notes(curve: Curve) -> Iterator[str]:
    if curve.bound is not None and curve.bound.status != "exact":
        yield curve.bound.how
    if curve.rising:
        yield "every doubling gains more than the last, so it names no budget to stop at"
    if curve.ends is not None:
        yield f"the law ends at {scientific(curve.ends)} FLOP"


def _next(result: Allocation) -> str:
    question, said = result.question, []
    if result.inspection is not None:
        profile = result.inspection.profile
        file = profile.source or f"{profile.name}.{profile.format}"
        if question.budget is not None:
            said.append(f"scalecalc estimate {file} --budget {question.budget.text or question.budget.flops}")
    if question.budget is not None and not question.isoflop and result.places:
        said.append("--isoflop (what other N reach)")
    named = [place.law.name for place in result.places] + [size.law.name for size in result.sizes]
    law = next(iter([*named, *(curve.law.name for curve in result.curves)]), "")
    return ", ".join([*said, f"scalecalc laws show {law}".rstrip()])
