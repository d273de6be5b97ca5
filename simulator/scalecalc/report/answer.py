"""`estimate` for people: the blocks of a model, and what a budget makes of it, down to the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.estimate import Estimate, Inspection, Run
from scalecalc.estimate.words import short
from scalecalc.laws import Bound, Prediction
from scalecalc.report.advice import settings, sized
from scalecalc.report.blocks import UNKNOWN, Block, Row, compute_block, header, size_block, sizes_of_data
from scalecalc.report.numbers import count, percent, scientific, size, unit

MOST_DIGITS = 6


def estimate_blocks(result: Estimate) -> list[Block]:
    """All blocks of an estimate, in the order of the chain."""
    inspection = result.inspection
    blocks = [header(inspection), size_block(inspection), compute_block(inspection)]
    blocks[-1].rows += _bought(result)
    blocks += [_efficiency(result), _generalisation(result), _optimum(result)]
    blocks += [Block("SETTINGS", settings(result.settings)), Block("VERDICT", [[result.verdict]])]
    blocks.append(Block("ASSUMED", [[line] for line in result.assumptions]))
    blocks.append(Block("next", [[_next(result)]]))
    return [block for block in blocks if block.rows]


def _bought(result: Estimate) -> list[Row]:
    run, plan = result.run, result.plan
    rows: list[Row] = _budget(run)
    budget = f"{scientific(run.budget.flops)} FLOP"
    if plan.seen is None or run.cost is None:
        why = "a size is missing" if result.inspection.settled.missing else "no cost is known"
        return [*rows, [f"what {budget} buy is unknown while {why}"]]
    if run.count == "all":
        budget += f" of all kinds ({scientific(plan.compute or 0)} of matrix products)"
    most = "" if result.inspection.profile.complete else "at most "
    words = f"{budget} buy {most}{count(plan.seen)} {plan.sample}s"
    params = result.inspection.value(result.inspection.profile.params["trainable"])
    if plan.sample == "token" and params:
        each = plan.seen / params
        words += f": {f'{each:,.0f}' if each >= 100 else f'{each:.3g}'} per parameter"
    if plan.unique:
        epochs = plan.seen / plan.unique
        held = count(plan.unique)
        data = f"{run.dataset.name} ({held})" if run.dataset is not None else held
        words += f", {f'{epochs:,.0f}' if epochs >= 100 else f'{epochs:.3g}'} epochs of {data}"
    if run.steps is not None and run.samples_per_step:
        words += f"; {count(run.steps)} steps of {_step(run, plan.sample)}"
    return [*rows, [words]]


def _budget(run: Run) -> list[Row]:
    """A budget in words of its own as FLOPs."""
    budget = run.budget
    if not budget.text or budget.text[-1].isdigit():
        return []
    parts = [budget.text, *([budget.how] if budget.how else []), f"{budget.flops:.4g} FLOP".replace("e+", "e")]
    return [[" = ".join(parts)]]


def _step(run: Run, sample: str) -> str:
    """What one step sees: 512 examples, or 524,288 tokens in 512 examples."""
    examples = f"{run.batch_size:,} example{'s' * (run.batch_size != 1)}"
    return examples if sample == "example" else f"{count(run.samples_per_step or 0)} {sample}s ({examples})"


def _efficiency(result: Estimate) -> Block:
    inspection, memory = result.inspection, result.inspection.profile.memory
    block = Block("3 EFFICIENCY")
    state = sum(inspection.value(memory[name]) or 0 for name in ("weights", "gradients", "optimizer"))
    parts = ", ".join(
        f"{name} {size(inspection.value(memory[name]) or 0)}" for name in ("weights", "gradients", "optimizer")
    )
    block.rows.append(["memory", size(state), f"AdamW: {parts}"])
    kept = inspection.value(memory["activations"])
    formula = f"{memory['activations'].formula} B per run: " if kept is None else ""
    text = UNKNOWN if kept is None else size(kept)
    if memory["activations"].lower_bound:
        text = f"at least {text}"
    block.rows.append(["", text, f"{formula}activations kept for the backward pass, {_at(inspection)}"])
    if result.efficiency is not None:
        least = result.efficiency.least
        block.rows.append([
            "compute", percent(result.efficiency.compute),
            f"{least.law}: {scientific(least.compute)} FLOP (6ND) reach the same with {short(least.params)} parameters "
            f"and {short(least.data)} {result.plan.sample}s"
            + (f"; {percent(result.efficiency_own)} if that model costs as much per parameter as this one"
               if result.efficiency_own is not None else ""),
        ])  # fmt: skip
    return block


def _at(result: Inspection) -> str:
    at = sizes_of_data(result)
    return f"at {at}" if at else "per run"


def _generalisation(result: Estimate) -> Block:
    block = Block("4 GENERALISATION")
    if not result.predictions:
        block.rows.append(["no prediction: no law that is shipped or installed covers this model and budget"])
    else:
        if len(result.predictions) > 1:
            block.rows.append(
                ["each law speaks of its own tokenizer and corpus: rows are not comparable with each other"]
            )
        block.rows.append(["law", "says", "90 % interval", "range", "takes"])
        block.rows += [_prediction(prediction, i == 0) for i, prediction in enumerate(result.predictions)]
        block.rows += _covered(result.predictions)
        block.rows += [[f"* {note}"] for note in result.predictions[0].binding.notes]
    own = [pair for pair in result.refused if pair[0].applies_to.task == result.plan.task or pair[0] is result.law]
    ahead = {point.law.name for point in result.frontiers}
    reasons: dict[str, list[str]] = {}
    for law, why in own:
        if law.name not in ahead:
            reasons.setdefault(why.split("; ")[0], []).append(law.name)  # one is enough for people
    block.rows += [[f"refused: {', '.join(names)}: {why}"] for why, names in reasons.items()]
    others = [pair[0] for pair in result.refused if pair not in own]
    if others:
        tasks = ", ".join(dict.fromkeys(law.applies_to.task for law in others))
        block.rows.append([f"refused: {len(others)} of another task ({tasks}); scalecalc laws lists them"])
    return block


def _prediction(prediction: Prediction, is_default: bool) -> Row:
    takes = ", ".join(_taken(bound) for bound in prediction.binding.variables if bound.value is not None)
    interval, digits = "none published", _digits(prediction)
    if prediction.interval:
        low, high = prediction.interval
        interval = f"[{low:.{digits}f}, {high:.{digits}f}]"
    outside = [f"{name} {gap:.2f}" for name, gap in prediction.decades_outside.items() if gap >= 0.005]
    where = f"{', '.join(outside)} decades outside" if outside else "inside" if prediction.inside_range else "unknown"
    if not prediction.comparable:
        where = f"NOT COMPARABLE; {where}"
    name = f"{prediction.law} *" if is_default else prediction.law
    return [name, f"{prediction.metric} {prediction.value:.{digits}f}{unit(prediction.unit)}", interval, where, takes]


def _covered(predictions: Sequence[Prediction]) -> list[Row]:
    """What the intervals cover: laws that cover the same stand together."""
    laws: dict[str, list[str]] = {}
    for prediction in predictions:
        if prediction.interval:
            laws.setdefault(prediction.basis.split(":")[0].split(",")[0], []).append(prediction.law)
    said = "; ".join(f"{covers} ({', '.join(names)})" for covers, names in laws.items())
    return [[f"intervals of {said}"]] if said else []


def _digits(prediction: Prediction) -> int:
    """Behind the point: two, and more where a value is so close to a bound that two tell nothing."""
    ends = (0.0, *prediction.binding.law.metric.bounds)
    apart = min(
        (abs(prediction.value - end) for end in ends if end is not None and end != prediction.value), default=1.0
    )
    return min(max(2, 1 - int(f"{apart:.1e}".partition("e")[2])), MOST_DIGITS)


def _taken(bound: Bound) -> str:
    """A variable's value, in which count, and how it was come by."""
    words = [bound.symbol, short(bound.value or 0)]
    if bound.symbol == "N":
        words.append(bound.how.split(" ")[0].replace("_", "-"))
    return " ".join([*words, bound.status])


def _optimum(result: Estimate) -> Block:
    block, sample = Block("OPTIMUM"), result.plan.sample
    if result.best:
        law = next(p.binding.law for p in result.predictions if p.law == result.best[0].optimum.law)
        block.rows.append([f"by {law.name}, N counted as {law.variables['N'].count.replace('_', '-')}"])
    for best in result.best:
        point = best.optimum
        interval = ""
        if point.params_interval:
            interval = f" [{short(point.params_interval[0])}, {short(point.params_interval[1])}]"
        cost_ = "C = 6ND" if best.cost == "6ND" else f"own C = {point.per_nd:.2f}ND"
        at = f"; this model is best at {scientific(best.at)} FLOP" if best.at else ""
        metric = law.metric.name
        block.rows.append([
            cost_,
            f"N* {short(point.params)}{interval}, {short(point.data)} {sample}s, {metric} {point.value:.2f}",
            f"{short(point.near[0])} to {short(point.near[1])} lie within 1 %{at}",
        ])  # fmt: skip
    if result.best and result.best[0].crossover and result.best[0].gain is not None:
        larger, gain = scientific(result.best[0].crossover), result.best[0].gain
        block.rows.append(
            [f"beyond {larger} FLOP (6ND) a model of 2x its size wins; 2x this budget gains it {gain:.2g} {metric}"]
        )
    for ahead in result.frontiers:
        metric_ = ahead.law.metric
        said = f"{metric_.name} {ahead.value:.2f}{unit(metric_.unit)}"
        how = "" if ahead.bound.status == "exact" else f": {ahead.bound.how}"
        block.rows.append([ahead.law.name, f"{said} of the best model for C ({ahead.bound.status}{how})"])
    for best_size in result.sizes:
        params, data = sized(best_size)
        block.rows.append([best_size.law.name, f"N* {params}, {data} (C as {best_size.how})"])
    return block


def _next(result: Estimate) -> str:
    profile = result.inspection.profile
    file = profile.source or f"{profile.name}.{profile.format}"
    if result.inspection.settled.missing:
        return f"scalecalc formula {file}"
    law = result.predictions[0].law if result.predictions else ""
    return f"scalecalc inspect {file} (where the FLOPs are), scalecalc laws {f'show {law}' if law else ''}".rstrip()
