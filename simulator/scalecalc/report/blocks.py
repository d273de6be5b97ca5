"""A model for people, as labelled blocks: the file, its size, what it computes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from scalecalc.dims import Condition, put_in
from scalecalc.estimate import Inspection
from scalecalc.estimate.attention import training_flops, way
from scalecalc.report.numbers import cost
from scalecalc.walk import Profile, Quantity
from scalecalc.walk.task import Task

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


def header(result: Inspection) -> Block:
    """The file, and what it was taken for."""
    profile, task = result.profile, result.task
    known = "every operator known" if profile.complete else f"{_without_rule(profile)}: costs are lower bounds"
    opset = f" opset {profile.opset}" if profile.opset else ""
    words = task.words
    if task.classes is not None:
        words += f", {task.classes:,} classes"
    if result.vocabulary is not None and task.sample == "token":
        words += f", vocabulary {result.vocabulary:,}"
    bounds = [symbol for symbol in profile.symbols.values() if symbol.bound is not None and symbol.kind != "weight"]
    limits = [put_in(symbol.bound, result.settled.own) for symbol in bounds if symbol.bound is not None]
    most = [f"{limit:,}" if isinstance(limit, int) else str(limit) for limit in limits]
    words += "".join(f", {symbol.name} at most {limit}" for symbol, limit in zip(bounds, most, strict=True))
    if task.guessed:
        words += " (guessed; --task)" if task.name else " (--task)"
    form = profile.format if profile.format == "spec" else profile.format.upper()
    facts = f"{form}{opset}, {profile.node_count:,} node{'s' * (profile.node_count != 1)}, {known}"
    if "title" in profile.facts:
        facts = f"{profile.facts['title']}: {facts}"
    own = _sizes(result.settled.own)
    return Block(profile.title, [[facts], [words], *([[f"{own} (--set changes them)"]] if own else [])])


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {size:,}" for name, size in sizes.items())


def sizes_of_data(result: Inspection, leave_out: Collection[str] = ()) -> str:
    """The sizes values are at, without those of the model itself."""
    skipped = {*result.settled.own, *leave_out}
    return _sizes({name: size for name, size in result.settled.sizes.items() if name not in skipped})


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
    if _picks(result):
        row("active", "active", "what one sample meets: the experts chosen for it, and everything that is no expert")
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
    at = sizes_of_data(result)
    block = Block("2 COMPUTE", [[f"per {_sample(task)}" + (f", at {at}" if at else "")]])
    macs, training = profile.forward["macs"], profile.training["matrix_flops"]
    forward = each(result, macs, "MAC")
    if forward != UNKNOWN:
        forward += f" = {each(result, profile.forward['matrix_flops'], 'FLOP')}"
    backward, vector = profile.training["backward_matrix_flops"], profile.training["vector_flops"]
    block.rows += [
        ["forward", forward, _formula(result, macs, "MAC")],
        ["backward", each(result, backward, "FLOP"), _saved(result)],
        [
            "training",
            each(result, training, "FLOP"),
            f"{COUNTED[way(profile)]}: {_formula(result, training, 'FLOP')}",
        ],
        ["", each(result, vector, "FLOP"), "vector: all else, forward and backward (activations, norms, softmax)"],
    ]
    block.rows += _attention(result)
    ratio = _against_six(result)
    if ratio:
        block.rows.append(["exact", *ratio])
    if conditions := _conditions(result):
        block.rows.append([f"holds for {', '.join(conditions)}"])
    return block


def _conditions(result: Inspection) -> list[str]:
    """What the formulas hold for, at the model's own sizes."""
    profile, own = result.profile, result.settled.own
    if not own:
        return list(profile.conditions)
    held = [Condition(put_in(c.left, own), c.op, put_in(c.right, own)) for c in profile.checks]
    return [str(c) for c in held if not (isinstance(c.left, int) and isinstance(c.right, int))]


def _sample(task: Task) -> str:
    """One sample, and what of the inputs it holds."""
    if task.sample == "second":
        return f"second of audio ({task.per_second:,} input steps)"
    if task.sample == "token":
        return "token of either side" if len(task.parts) > 1 and task.modality == "text" else "token"
    return f"{task.sample} of {' and '.join(task.parts)}" if task.parts else task.sample


def _formula(result: Inspection, quantity: Quantity, unit: str) -> str:
    """The formula of one run; a long one only where it has no value."""
    text = str(put_in(quantity.formula, result.settled.own))
    if len(text) > LONG and result.value(quantity) is not None:
        return "a long formula of the sizes: scalecalc formula"
    return f"{text} {unit} per run"


def _saved(result: Inspection) -> str:
    forward, backward = result.profile.forward["macs"].formula, result.profile.training["backward_matrix_flops"].formula
    less = Quantity(4 * forward - backward)
    if not result.profile.complete:
        return "of the operators that have a rule"
    if less.formula == 0:
        return "2x forward"
    saved = each(result, less, "FLOP")
    return f"2x forward less {less.formula if saved == UNKNOWN else saved}: what comes from the data needs no gradient"


COUNTED = {
    "full": "matrix",
    "causal": "matrix, with the scores of the past only",
    "none": "matrix, without attention's products",
}
OTHERWISE = {
    "full": "matrix, as the graph executes it: every query with every key",
    "causal": "matrix, with the scores of the past only: half of them; the graph makes all",
}


def _attention(result: Inspection) -> list[Row]:
    """The ways to count attention that were not asked for."""
    profile = result.profile
    rows: list[Row] = []
    if result.task.name != "language-modeling" and way(profile) == "full":
        return []
    for attention, words in OTHERWISE.items():
        flops = training_flops(profile, attention) if attention != way(profile) else None
        if flops is not None:
            rows.append([attention, each(result, flops, "FLOP"), words])
    return rows


def _against_six(result: Inspection) -> list[str]:
    roles = {"trainable": "total", "non_embedding": "non-embedding"} | ({"active": "active"} if _picks(result) else {})
    ratios = ((result.against_six(role), words) for role, words in roles.items())
    parts = [f"{ratio:.3f} x 6N {words}" for ratio, words in ratios if ratio is not None]
    return [" = ".join(parts), "the rule of thumb 6ND beside it"] if parts else []


def _picks(result: Inspection) -> bool:
    """Whether a sample meets some of the weights only."""
    params = result.profile.params
    return params["active"].formula != params["trainable"].formula


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
