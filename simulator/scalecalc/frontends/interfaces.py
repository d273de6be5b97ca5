"""Which values of two graphs are the same: outputs that feed inputs, inputs both take, and names of dimensions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scalecalc.errors import GraphError, UsageError, nearest
from scalecalc.frontends.renaming import names_of
from scalecalc.ir.graph import Graph, TensorType
from scalecalc.walk.symbols import AUTOMATIC

Pair = tuple[str, str]
"""An output and the input it feeds."""

USUAL_FEEDS = (("last_hidden_state", "encoder_hidden_states"), ("present.", "past_key_values."))
"""(output, input) or their beginnings, as Hugging Face Optimum names them."""
USUAL_SHARED = (("attention_mask", "encoder_attention_mask"),)
"""Names of one input in an earlier graph and in a later one."""

_MOST_LISTED = 6


@dataclass(slots=True)
class Fit:
    """How a graph hangs on those before it.

    Attributes:
        feeds: what feeds its inputs, by input.
        shared: which earlier input its inputs are, by input.
        dims: what its names of dimensions are in the joint graph.
        fixed: names of dimensions of the graphs before it that must be numbers for it.
        stated: the pairs that were asked for.
    """

    feeds: dict[str, str] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    dims: dict[str, int | str] = field(default_factory=dict)
    fixed: dict[str, int] = field(default_factory=dict)
    stated: list[Pair] = field(default_factory=list)


def fit(earlier: Graph, later: Graph, joins: Sequence[Pair] = (), *, spent: Collection[str] = ()) -> Fit:
    """What of `later` is fed by `earlier`, or the same as there.

    Args:
        earlier: those joined so far.
        later: the next one.
        joins: pairs asked for.
        spent: outputs that feed another graph already: they feed a second one by name only.

    Raises:
        UsageError: a pair's types differ.
        GraphError: no output feeds any input.
    """
    found = Fit(stated=[pair for pair in joins if pair[0] in earlier.outputs and pair[1] in later.inputs])
    for output, name in found.stated:
        made, declared = earlier.outputs[output], later.inputs[name]
        if not _fits(made, declared):
            what = f"{_typed(output, made)} cannot feed {_typed(name, declared)} of {later.name:.60}"
            raise UsageError(what, where="--join", todo="join values of one type and shape")
        found.feeds[name] = output
    for name, declared in later.inputs.items():
        output = _namesake(name, earlier.outputs)
        if name not in found.feeds and output and _fits(earlier.outputs[output], declared):
            found.feeds[name] = output
    if not found.feeds:
        left = {name: made for name, made in earlier.outputs.items() if name not in spent}
        pairs = [(i, o) for i, declared in later.inputs.items() for o, made in left.items() if _alike(made, declared)]
        if len(pairs) != 1:
            what = "several outputs could feed several inputs" if pairs else "no output fits an input"
            faces = f"{_interface('outputs', left)} before, {_interface('inputs', later.inputs)} of {later.name:.60}"
            raise GraphError(f"{what}: {faces}", todo="say which belong together with --join OUTPUT=INPUT")
        found.feeds.update(pairs)
    for name, output in found.feeds.items():
        _unify(found, earlier.outputs[output], later.inputs[name])
    _share(found, earlier, later)
    _tell_apart(found, earlier, later)
    return found


def known(joins: Sequence[Pair], graphs: Sequence[Graph]) -> list[Pair]:
    """The pairs, once it is clear that there are such values.

    Raises:
        UsageError: no graph has such an output, or such an input.
    """
    outputs = list(dict.fromkeys(name for graph in graphs for name in graph.outputs))
    inputs = list(dict.fromkeys(name for graph in graphs for name in graph.inputs))
    for pair in joins:
        for kind, name, names in (("output", pair[0], outputs), ("input", pair[1], inputs)):
            if name not in names:
                todo = nearest(name, names, f"use one of {', '.join(names[:_MOST_LISTED])}")
                raise UsageError(f"no {kind} '{name:.80}'", where="--join", todo=todo)
    return list(joins)


def unfit(pair: Pair) -> UsageError:
    """The error for a pair nobody could use."""
    what = f"no file before that of input '{pair[1]:.80}' has output '{pair[0]:.80}'"
    return UsageError(what, where="--join", todo="give the files in the order they run in")


def _namesake(name: str, outputs: Collection[str]) -> str:
    """The output an input is named after, "" for none."""
    if name in outputs:
        return name
    usual = (start + name.removeprefix(after) for start, after in USUAL_FEEDS if name.startswith(after))
    return next((output for output in usual if output in outputs), "")


def _fits(made: TensorType, declared: TensorType) -> bool:
    """Whether a value may be of both types."""
    if made.dtype and declared.dtype and made.dtype != declared.dtype:
        return False
    if made.shape is None or declared.shape is None:
        return True
    pairs = zip(made.shape, declared.shape, strict=False)
    numbers = [(x, y) for x, y in pairs if isinstance(x, int) and isinstance(y, int)]
    return len(made.shape) == len(declared.shape) and all(x == y for x, y in numbers)


def _alike(made: TensorType, declared: TensorType) -> bool:
    """Whether two types are enough to take values for one that have different names."""
    return made.shape is not None and declared.shape is not None and made.dtype != "" and _fits(made, declared)


def _unify(found: Fit, made: TensorType, declared: TensorType) -> None:
    """A later name of a dimension means what the joint value's dimension was called before."""
    for before, after in zip(made.shape or (), declared.shape or (), strict=False):
        if isinstance(after, str):
            if after.isidentifier() and names_of(after) and before is not None:
                found.dims.setdefault(after, before)
        elif after is not None and isinstance(before, str) and before.isidentifier() and names_of(before):
            found.fixed.setdefault(before, after)


def _share(found: Fit, earlier: Graph, later: Graph) -> None:
    """Inputs of both: of one name and type, every dimension a number or a name that means the same."""
    usual = {after: before for before, after in USUAL_SHARED}

    def meaning(entry: int | str | None) -> int | str | None:
        if not isinstance(entry, str) or entry in found.dims:
            return found.dims.get(entry, "") if isinstance(entry, str) else entry
        another = entry in found.dims.values()  # what the graph calls by another name
        return None if another or AUTOMATIC.fullmatch(entry) else entry

    for name, declared in later.inputs.items():
        before = name if name in earlier.inputs else usual.get(name, "")
        known = earlier.inputs.get(before)
        if name in found.feeds or known is None or declared.shape is None or known.dtype != declared.dtype:
            continue
        meant = tuple(map(meaning, declared.shape))
        if None not in meant and meant == known.shape:
            found.shared[name] = before
            _unify(found, known, declared)


def _tell_apart(found: Fit, earlier: Graph, later: Graph) -> None:
    """Names of dimensions that are left and were used before get the graph's name in front."""
    stem = re.sub(r"\W+", "_", later.name)
    taken, own = set(_dims(earlier)), dict.fromkeys(_dims(later))
    for name in own:
        if name in taken and name not in found.dims:
            new = f"{stem}_{name}" + "_dim_0" * bool(AUTOMATIC.fullmatch(name))  # still a name nobody chose
            while new in taken or new in own:
                new += "_0"
            found.dims[name] = new


def _dims(graph: Graph) -> Iterator[str]:
    """All names of dimensions a graph uses."""
    for declared in (*graph.inputs.values(), *graph.outputs.values(), *graph.value_info.values()):
        for entry in declared.shape or ():
            yield from names_of(entry)


def _typed(name: str, declared: TensorType) -> str:
    dims = "?" if declared.shape is None else ", ".join(str(dim or "?") for dim in declared.shape)
    return f"{name:.40} {declared.dtype or 'any'}[{dims:.100}]"


def _interface(kind: str, types: Mapping[str, TensorType]) -> str:
    items = [_typed(name, declared) for name, declared in types.items()]
    more = f" and {len(items) - _MOST_LISTED} more" if len(items) > _MOST_LISTED else ""
    return f"{kind} {'; '.join(items[:_MOST_LISTED]) or 'none'}{more}"
