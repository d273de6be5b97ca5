"""A law at values somebody gives: each in its own count, or turned into it by a stated formula, or refused."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

from scalecalc.errors import LawError, UsageError, nearest
from scalecalc.laws.binding import HEADLESS, SIX_N_D, Binding, Bound, flops_per_unit, in_unit
from scalecalc.laws.bounds import beyond
from scalecalc.laws.conventions import UNKNOWN, Variable
from scalecalc.laws.law import Law

NOT_OF_A_MODEL = {
    "frontier": "a frontier: what the best model for C reaches, not a given one",
    "curve": "a curve: one run over time",
    "allocation": "an allocation: what a budget is best spent on, not a performance",
    "hyperparameter": "a training setting, not a performance",
    "link": "a link: one metric from another",
}
COUNTS = {
    "N": ("total", "non_embedding", "linear", "active", "flops_per_token"),
    "D": ("seen", "unique"),
    "C": (*SIX_N_D, "exact", HEADLESS),
}
"""What may follow a symbol: `N.total`, `D.seen`, `C.exact`."""
LEAST, MOST = 1e-60, 1e60
"""Of a value: beyond any run, and within what products and ratios of a few are numbers of."""


def at_point(law: Law, given: Mapping[str, float], own_unit: Collection[str] = ()) -> Binding:
    """A law's variables from values by symbol (`N`, in the law's own count) or by symbol and count (`N.total`).

    Args:
        law: what is asked.
        given: values; those of C in FLOP, whatever unit the law counts in.
        own_unit: of these, the ones that are in the law's own unit (PF-days) nevertheless.

    Raises:
        UsageError: a symbol the law does not take, a value that is not positive or beyond any run, or
            one given twice.
        LawError: a value is missing, or given in a count or unit nobody can turn into the law's.
    """
    values = _split(law, given)
    exact = {tuple(name.partition(".")[::2]) for name in own_unit}
    variables = tuple(_bound(law, law.variables[symbol], values, exact) for symbol in law.inputs)
    notes = [*([NOT_OF_A_MODEL[law.kind]] if law.kind in NOT_OF_A_MODEL else []), *law.notes]
    missing = [bound for bound in variables if bound.status == "refused"]
    if missing:
        raise law.error("; ".join(f"{bound.symbol}: {bound.how}" for bound in missing), _todo(law, missing))
    refusals = beyond(law, {bound.symbol: bound.value for bound in variables if bound.value is not None})
    cost = _bound(law, law.variables["C"], values, exact) if "C" in law.variables and "C" not in law.inputs else None
    return Binding(law, variables, cost, tuple(notes), tuple(refusals))


def _todo(law: Law, missing: list[Bound]) -> str:
    units = {b.symbol: "" if b.symbol != "C" or flops_per_unit(law) else law.variables["C"].unit for b in missing}
    return f"give {' '.join(f'--set {symbol}=...{unit}' for symbol, unit in units.items())}"


def _split(law: Law, given: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Values by symbol and count; "" is the law's own."""
    found: dict[str, dict[str, float]] = {}
    known = dict.fromkeys([*law.inputs, *(("N", "D", "C") if {"D", "C"} & set(law.inputs) else ())])
    for name, value in given.items():
        symbol, _, count = name.partition(".")
        if symbol not in known:
            todo = nearest(symbol, known, f"it takes {', '.join(law.inputs)}")
            raise UsageError(f"{law.name} takes no '{symbol:.40}'", where="--set", todo=todo)
        counts = COUNTS.get(symbol, ())
        if count and count not in counts:
            raise UsageError(f"{symbol} has no count '{count:.40}'", where="--set", todo=nearest(count, counts))
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"{name} = {value:g} is not above 0", where="--set", todo="give a positive number")
        if not LEAST <= value <= MOST:
            raise UsageError(f"{name} = {value:g} is beyond any run", where="--set", todo="give from 1e-60 to 1e60")
        found.setdefault(symbol, {})[count] = value
    return found


def _own(variable: Variable) -> str:
    """What a law's variable counts."""
    return variable.meaning if variable.symbol == "D" else variable.count


def _bound(
    law: Law, variable: Variable, values: Mapping[str, Mapping[str, float]], exact: Collection[tuple[str, ...]]
) -> Bound:
    symbol, own = variable.symbol, _own(variable)
    mine = values.get(symbol, {})
    if mine and symbol not in (*COUNTS, "U"):  # bits, a loss, a number of experts
        return Bound(symbol, mine[""], "exact", "as given")
    if {own, ""} <= mine.keys():
        raise UsageError(f"{symbol} and {symbol}.{own} are the same count", where="--set", todo="give one of them")
    for count in (own, ""):
        if count in mine:
            said = f"{own}, as the law counts" if own != UNKNOWN else "the law does not say how it counts"
            bound = Bound(symbol, mine[count], "exact" if own != UNKNOWN else "assumed", said)
            return bound if symbol != "C" or (symbol, count) in exact else _in_unit(law, bound)
    if mine and own == UNKNOWN:
        count, value = next(iter(mine.items()))
        bound = Bound(symbol, value, "assumed", f"{count}: the law does not say how it counts")
        return bound if symbol != "C" or (symbol, count) in exact else _in_unit(law, bound)
    if (found := _converted(law, variable, values)) is not None:
        return found if symbol != "C" else _in_unit(law, found)
    if mine:
        count = next(iter(mine))
        return Bound(
            symbol, None, "refused", f"{count} is given, the law counts {own}: no formula turns one into the other"
        )
    if symbol == "U" and "D" in law.inputs:
        data = _bound(law, law.variables["D"], values, exact)
        return Bound("U", data.value, "assumed" if data.value else "refused", "one pass: all samples distinct")
    return Bound(symbol, None, "refused", "no value")


def _in_unit(law: Law, bound: Bound) -> Bound:
    """FLOPs as the law's C, or refused where its unit is none of work."""
    if bound.value is None:
        return bound
    try:
        found = in_unit(law.variables["C"], replace(bound, how=f"{bound.value:.4g} FLOP"))
    except LawError as error:
        return Bound("C", None, "refused", error.what)
    return bound if found.value == bound.value else replace(found, how=f"{found.how}; {bound.how}")


def _converted(law: Law, variable: Variable, values: Mapping[str, Mapping[str, float]]) -> Bound | None:
    """C = 6*N*D from N and D, or D = C/(6*N) from C and N, in counts that belong together."""
    if variable.symbol == "C" and variable.count in SIX_N_D:
        n_count = SIX_N_D[variable.count]
        n, d = _value(law, values, "N", n_count), _value(law, values, "D", "seen")
        if n is not None and d is not None:
            return Bound("C", 6 * n * d, "converted", f"6*N*D, N {n_count}")
    if variable.symbol == "D" and variable.meaning != "unique":
        own = law.variables["C"].count if "C" in law.variables else UNKNOWN
        for count, n_count in SIX_N_D.items():
            n = _value(law, values, "N", n_count)
            c = _value(law, values, "C", count) if count == own else values.get("C", {}).get(count)
            if n is not None and c is not None:
                return Bound("D", c / (6 * n), "converted", f"C/(6*N), N {n_count}")
    return None


def _value(law: Law, values: Mapping[str, Mapping[str, float]], symbol: str, count: str) -> float | None:
    """What is given in a count, be it without a word where that is the law's own or it has none."""
    mine = values.get(symbol, {})
    own = _own(law.variables[symbol]) if symbol in law.variables else UNKNOWN
    return mine.get(count, mine.get("") if own in (count, UNKNOWN) else None)
