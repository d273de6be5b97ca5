"""Where a model stands among the best ones, by each law."""

from __future__ import annotations

import math

from scalecalc.estimate.allocation import Allocation
from scalecalc.estimate.places import Place
from scalecalc.estimate.words import short
from scalecalc.report.blocks import Block
from scalecalc.report.numbers import scientific
from scalecalc.report.placed import cost_of, count_of, value_of, within


def model_block(result: Allocation) -> Block:
    """The budgets it is the best for, and those beyond which a larger one wins."""
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
            else f"{within(scientific(own.best_at), own.best_interval, scientific)} FLOP"
        )
        beyond = "no budget" if own.crossover is None else f"{scientific(own.crossover)} FLOP"
        block.rows.append([place.law.name, cost_of(place), _counted(place), at, beyond])
    return block


def spent_block(result: Allocation) -> Block:
    """What the budget, the target and the least gain mean for the model."""
    block, question = Block(""), result.question
    places = [place for place in result.places if place.standing is not None]
    budget, target, stop = question.budget, question.target, question.stop
    if not places or (budget is None and target is None and stop is None):
        return block
    head = ["law", "C"]
    if budget is not None:
        head += [f"{scientific(budget.flops)} FLOP buy", "reaching", "worse than the best by", "2x the budget"]
    if target is not None:
        head.append(f"reaches {target:g} with")
    if stop is not None:
        head.append(f"a doubling gains < {stop} from")
    block.rows.append(head)
    for place in places:
        own = place.standing
        assert own is not None
        row = [place.law.name, cost_of(place)]
        if budget is not None:
            row.append("" if own.data is None else f"{short(own.data)} {place.sample}s")
            if own.value is None:
                row += [own.why, "", ""]
            else:
                row += [value_of(place, own.value), f"{own.worse:.3g}", f"gains {own.gain or 0:.2g}"]
        if target is not None:
            reached = own.target is not None and math.isfinite(own.target)
            row.append("no budget" if not reached else f"{scientific(own.target or 0)} FLOP")
        if stop is not None:
            row.append("no budget" if own.stop is None else f"{scientific(own.stop)} FLOP on")
        block.rows.append(row)
    return block


def _counted(place: Place) -> str:
    own = place.standing
    assert own is not None
    return f"{short(own.params)} {count_of(place)}{' (assumed)' if own.status == 'assumed' else ''}"
