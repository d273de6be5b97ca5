"""`estimate` for people: labelled blocks from the file to the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scalecalc.estimate import Estimate, Inspection
from scalecalc.estimate.words import short
from scalecalc.laws import Bound, Prediction
from scalecalc.report.numbers import cost, count, dims, percent, scientific, size
from scalecalc.walk import Profile, Quantity

Row = Sequence[str]
UNKNOWN = "-"
"""Stands where a size is missing: the formula is beside it."""
LONG = 90
"""Characters of a formula that fit beside its value."""


@dataclass(slots=True)
class Block:
    """A label and what stands beside it.

    Attributes:
        label: `1 SIZE`, `VERDICT`, ...
        rows: cells to align within the block; a row of one cell is running text.
    """

    label: str
    rows: list[Row] = field(default_factory=list)


def estimate_blocks(result: Estimate) -> list[Block]:
    """All blocks of an estimate, in the order of the chain."""
    inspection = result.inspection
    blocks = [header(inspection), size_block(inspection), compute_block(inspection)]
    blocks[-1].rows += _bought(result)
    blocks += [_efficiency(result), _generalisation(result), _optimum(result), Block("VERDICT", [[result.verdict]])]
    blocks.append(Block("ASSUMED", [[line] for line in result.assumptions]))
    blocks.append(Block("next", [[_next(result)]]))
    return [block for block in blocks if block.rows]


def header(result: Inspection) -> Block:
    """The file, and what it was taken for."""
    profile, task = result.profile, result.task
    known = "every operator known" if profile.complete else f"{_without_rule(profile)}: costs are lower bounds"
    opset = f" opset {profile.opset}" if profile.opset else ""
    words = task.words
    if task.classes is not None:
        words += f", {task.classes:,} classes"
    vocabulary = profile.facts.get("vocabulary")
    if isinstance(vocabulary, int) and task.sample == "token":
        words += f", vocabulary {vocabulary:,}"
    bounds = [symbol for symbol in profile.symbols.values() if symbol.bound is not None]
    words += "".join(f", {symbol.name} at most {symbol.bound:,}" for symbol in bounds)
    if task.guessed:
        words += " (guessed; --task)" if task.name else " (--task)"
    facts = f"{profile.format.upper()}{opset}, {profile.node_count:,} node{'s' * (profile.node_count != 1)}, {known}"
    return Block(f"{profile.name}.{profile.format}", [[facts], [words]])


def _without_rule(profile: Profile) -> str:
    count = sum(profile.unsupported.values())
    if not count:
        return f"{len(profile.unreached):,} of unknown shape"
    names = [name for _, name in profile.unsupported]
    listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    behind = f", {len(profile.unreached):,} behind unreached" if profile.unreached else ""
    return f"{count:,} without a rule ({listed}){behind}"


def size_block(result: Inspection) -> Block:
    """Parameters by role; what the exporter changed."""
    params = result.profile.params
    block = Block("1 SIZE")

    def row(label: str, name: str, *remarks: str) -> None:
        block.rows.append([label, amount(result, params[name]), "; ".join(remarks)])

    def present(name: str) -> bool:
        return result.value(params[name]) != 0

    parts = [f"{role} {amount(result, params[role])}" for role in ("embedding", "positional", "norm", "head", "other")
             if present(role)]  # fmt: skip
    row("trainable", "trainable", *([" + ".join(parts)] if len(parts) > 1 else []))
    if present("embedding") or present("positional"):
        row("non-embedding", "non_embedding")
    tied = "with the head tied to the embedding" if result.profile.facts.get("tied_head") else "incl. the last layer"
    row("linear", "linear", f"weights of matrix products and convolutions, {tied}")
    for name, remark in (
        ("buffers", "running statistics: not trained"),
        ("constants", "shapes, indices, scalars, masks: not trained"),
        ("quantized", "integer weights: shaped like trainable ones"),
    ):
        if present(name):
            row(name, name, remark)
    block.rows += [[note] for note in result.profile.notes]
    return block


def compute_block(result: Inspection) -> Block:
    """FLOPs per sample, forward and backward."""
    profile, task = result.profile, result.task
    unit = task.sample
    at = ", ".join(f"{name} {size:,}" for name, size in result.settled.sizes.items())
    what = f" of {dims(task.shape)}" if task.sample == "example" and task.shape else ""
    block = Block("2 COMPUTE", [[f"per {unit}{what}" + (f", at {at}" if at else "")]])
    macs, training = profile.forward["macs"], profile.training["matrix_flops"]
    forward = each(result, macs, "MAC")
    if forward != UNKNOWN:
        forward += f" = {each(result, profile.forward['matrix_flops'], 'FLOP')}"
    backward, vector = profile.training["backward_matrix_flops"], profile.training["vector_flops"]
    block.rows += [
        ["forward", forward, _formula(result, macs, "MAC")],
        ["backward", each(result, backward, "FLOP"), _saved(result)],
        ["training", each(result, training, "FLOP"), f"matrix: {_formula(result, training, 'FLOP')}"],
        ["", each(result, vector, "FLOP"), "vector: all else, forward and backward (activations, norms, softmax)"],
    ]
    block.rows += _attention(result)
    ratio = _against_six(result)
    if ratio:
        block.rows.append(["exact", *ratio])
    conditions = profile.conditions
    if conditions:
        block.rows.append([f"holds for {', '.join(conditions)}"])
    return block


def _formula(result: Inspection, quantity: Quantity, unit: str) -> str:
    """The formula of one run; a long one only where it has no value."""
    text = str(quantity.formula)
    if len(text) > LONG and result.value(quantity) is not None:
        return "a formula of the sizes: --format json"
    return f"{text} {unit} per run"


def _saved(result: Inspection) -> str:
    forward, backward = result.profile.forward["macs"].formula, result.profile.training["backward_matrix_flops"].formula
    less = Quantity(4 * forward - backward)
    if not result.profile.complete:
        return "of the operators that have a rule"
    if less.formula == 0:
        return "2x forward"
    saved = each(result, less, "FLOP")
    return f"2x forward less {less.formula if saved == UNKNOWN else saved}: the model's input needs no gradient"


def _attention(result: Inspection) -> list[Row]:
    macs = result.profile.facts.get("attention_macs")
    if result.task.name != "language-modeling" or not macs:
        return []
    full = result.profile.training["matrix_flops"].formula
    causal = Quantity(full - 3 * macs)  # type: ignore[operator]
    return [
        [
            "causal",
            each(result, causal, "FLOP"),
            "matrix, with the scores of the past only: half of them; the graph makes all",
        ]
    ]


def _against_six(result: Inspection) -> list[str]:
    flops = result.flops_per_sample
    if not flops or result.task.sample != "token":
        return []
    parts = []
    for name, words in (("trainable", "total"), ("non_embedding", "non-embedding")):
        params = result.value(result.profile.params[name])
        if params:
            parts.append(f"{flops / (6 * params):.3f} x 6N {words}")
    return [" = ".join(parts), "the rule of thumb 6ND beside it"]


def _bought(result: Estimate) -> list[Row]:
    plan = result.plan
    budget = scientific(plan.compute or 0)
    if plan.seen is None:
        why = "a size is missing" if result.inspection.settled.missing else "no cost is known"
        return [[f"what {budget} FLOP buy is unknown while {why}"]]
    most = "" if result.inspection.profile.complete else "at most "
    words = f"{budget} FLOP buy {most}{count(plan.seen)} {plan.sample}s"
    params = result.inspection.value(result.inspection.profile.params["trainable"])
    if plan.sample == "token" and params:
        words += f": {count(plan.seen / params)} per parameter"
    if plan.unique:
        epochs = plan.seen / plan.unique
        words += f", {count(epochs) if epochs >= 100 else f'{epochs:.3g}'} epochs of {count(plan.unique)}"
    if result.steps is not None:
        words += f", {count(result.steps)} steps of {count(plan.seen / result.steps)} at these sizes"
    return [[words]]


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
            f"and {short(least.data)} {result.plan.sample}s",
        ])  # fmt: skip
    return block


def _at(result: Inspection) -> str:
    return "at " + ", ".join(f"{name} {size:,}" for name, size in result.settled.sizes.items()) if (
        result.settled.sizes
    ) else "per run"  # fmt: skip


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
        block.rows += [[f"* {note}"] for note in result.predictions[0].binding.notes]
    own = [(law, why) for law, why in result.refused if law.applies_to.task == result.plan.task]
    block.rows += [[f"refused: {law.name}: {why}"] for law, why in own if law.kind != "frontier"]
    others = [law for law, _ in result.refused if law.applies_to.task != result.plan.task]
    if others:
        tasks = ", ".join(dict.fromkeys(law.applies_to.task for law in others))
        block.rows.append([f"refused: {len(others)} of another task ({tasks}); scalecalc laws lists them"])
    return block


def _prediction(prediction: Prediction, is_default: bool) -> Row:
    takes = ", ".join(_taken(bound) for bound in prediction.binding.variables if bound.value is not None)
    interval, digits = "none published", 2
    if prediction.interval:
        low, high = prediction.interval
        interval = f"[{low:.{digits}f}, {high:.{digits}f}] {prediction.basis.split(':')[0].split(',')[0]}"
    outside = [f"{name} {gap:.2f}" for name, gap in prediction.decades_outside.items() if gap >= 0.005]
    where = f"{', '.join(outside)} decades outside" if outside else "inside" if prediction.inside_range else "unknown"
    if not prediction.comparable:
        where = f"NOT COMPARABLE; {where}"
    name = f"{prediction.law} *" if is_default else prediction.law
    return [name, f"{prediction.metric} {prediction.value:.{digits}f} {prediction.unit}", interval, where, takes]


def _taken(bound: Bound) -> str:
    """A variable's value, in which count, and how it was come by."""
    words = [bound.symbol, short(bound.value or 0)]
    if bound.symbol == "N":
        words.append(bound.how.split(" ")[0].replace("_", "-"))
    return " ".join([*words, bound.status])


def _optimum(result: Estimate) -> Block:
    block, sample = Block("OPTIMUM"), result.plan.sample
    if result.best:
        first = result.predictions[0].binding
        block.rows.append([f"by {first.law.name}, N counted as {first.law.variables['N'].count.replace('_', '-')}"])
    for best in result.best:
        point = best.optimum
        interval = ""
        if point.params_interval:
            interval = f" [{short(point.params_interval[0])}, {short(point.params_interval[1])}]"
        cost_ = "C = 6ND" if best.cost == "6ND" else f"own C = {point.per_nd:.2f}ND"
        at = f"; this model is best at {scientific(best.at)} FLOP" if best.at else ""
        metric = result.predictions[0].metric
        block.rows.append([
            cost_,
            f"N* {short(point.params)}{interval}, {short(point.data)} {sample}s, {metric} {point.value:.2f}",
            f"{short(point.near[0])} to {short(point.near[1])} lie within 1 %{at}",
        ])  # fmt: skip
    for ahead in result.frontiers:
        metric_ = ahead.law.metric
        said = f"{metric_.name} {ahead.value:.2f} {metric_.unit}"
        why = f": {ahead.bound.how.split('; ')[-1]}" if ahead.bound.status == "assumed" else ""
        block.rows.append([ahead.law.name, said, f"of the best model for C ({ahead.bound.status}{why})"])
    return block


def _next(result: Estimate) -> str:
    profile = result.inspection.profile
    if result.inspection.settled.missing:
        return f"scalecalc inspect {profile.name}.{profile.format} shows the formulas node by node"
    return f"scalecalc inspect {profile.name}.{profile.format} (where the FLOPs are), scalecalc laws show NAME"


def amount(result: Inspection, quantity: Quantity) -> str:
    """An exact count, or its formula while a size is missing; a lower bound says so."""
    value = result.value(quantity)
    text = str(quantity.formula) if value is None else f"{value:,}"
    return f"at least {text}" if quantity.lower_bound else text


def each(result: Inspection, quantity: Quantity, unit: str) -> str:
    """A quantity per sample with its unit."""
    value = result.each(quantity)
    if value is None:
        return UNKNOWN
    return f"at least {cost(value, unit)}" if quantity.lower_bound else cost(value, unit)
