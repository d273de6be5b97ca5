"""What joins the bodies of Loop, Scan and If to the outside (`ir/unfold.py`): shapes and trip counts, no cost."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import INFINITE, Dim, System, bound, either, smaller
from scalecalc.errors import UndeterminedError
from scalecalc.ir.unfold import CONTROL
from scalecalc.ops.registry import Cost, Out, Shape, Tensor, give, op
from scalecalc.ops.shape import moved


@op("LoopCount", domain=CONTROL, fixed_inputs=(0, 1))
def loop_count(
    limit: Tensor | None = None,
    condition: Tensor | None = None,
    *ranges: Tensor | None,
    at_most: int = 0,
    late: Sequence[int] = (),
    system: System,
) -> Cost:
    """The index of a run, how many there are, and the condition.

    Their number is the file's; a symbol where the file does not fix it, or where a condition may end the loop sooner.
    `ranges` are the first values of counters that end it and what they stay below, two for each; `late` the runs
    beyond their difference.
    """
    known = limit.known() if limit is not None else None
    trips: Dim = known[0] if known else INFINITE
    begins = condition is None or condition.known() == (1,)  # the first run is before all comparisons
    for first, last, more in zip(ranges[::2], ranges[1::2], late, strict=True):
        start, stop = first.known() if first is not None else (0,), last.known() if last is not None else None
        if start is None or stop is None:
            at_most = 1
            continue
        runs = stop[0] - start[0] + more
        if isinstance(runs, int) and begins:
            runs = max(runs, 1)
        if not isinstance(trips, int) or trips < INFINITE:
            runs = smaller(runs, trips, bounds=False)
        trips = runs
    if isinstance(trips, int):
        trips = max(trips, 0)
    if at_most or (isinstance(trips, int) and trips >= INFINITE):
        most, trips = trips, system.fresh("trips", kind="data")
        if not isinstance(most, int) or 0 < most < INFINITE:
            bound(trips, most)
    return give(Out((), "int64", limit=trips), Out((), "int64", (trips,)), Out((), "bool"))


@op("Entry", domain=CONTROL)
def entry(sequence: Tensor, *, axis: int = 0) -> Cost:
    """One entry of a sequence, and how many it has."""
    place = axis % sequence.rank
    out = (*sequence.shape[:place], *sequence.shape[place + 1 :])
    return give(Out(out), Out((), "int64", (sequence.shape[place],)), view=True)


@op("StateIn", domain=CONTROL)
def state_in(x: Tensor) -> Cost:
    """What a body starts from: it changes from run to run, so its contents are unknown."""
    return moved(x, x.shape)


@op("StateOut", domain=CONTROL, fixed_inputs=(1, 2))
def state_out(last: Tensor, before: Tensor, first: Tensor, *, system: System) -> Cost:
    """What is left after the last run: of the shape it came in with, or of one nobody knows."""
    return moved(last, _common(last.shape, before.shape, system))


@op("Stack", domain=CONTROL, fixed_inputs=(1,))
def stack(x: Tensor, trips: Tensor, *, axis: int = 0) -> Cost:
    """The results of all runs behind each other."""
    place = axis % (x.rank + 1)
    return give((*x.shape[:place], (trips.value or (0,))[0], *x.shape[place:]))


@op("Either", domain=CONTROL, partial=True)
def one_of(first: Tensor | None = None, other: Tensor | None = None, *, system: System) -> Cost:
    """What the branch that runs gives."""
    if first is None or other is None:
        taken = first or other
        if taken is None:
            raise UndeterminedError("no branch gives this value")
        return moved(taken, taken.shape, taken.value)
    value = first.value if first.value == other.value else None
    return moved(first, _common(first.shape, other.shape, system), value)


def _common(a: Shape, b: Shape, system: System) -> Shape:
    if len(a) != len(b):
        return a
    return tuple(either(x, y, system, axis) for axis, (x, y) in enumerate(zip(a, b, strict=True)))
