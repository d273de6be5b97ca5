"""A law at values somebody gives: each in its own count, or turned into it by a stated formula, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scalecalc.errors import UsageError, nearest
from scalecalc.laws.binding import PF_DAY, SIX_N_D, Binding, Bound, beyond
from scalecalc.laws.conventions import UNKNOWN, Variable
from scalecalc.laws.law import Law

NOT_OF_A_MODEL = {
    "frontier": "a frontier: what the best model for C reaches, not a given one",
    "curve": "a curve: one run over time",
}
COUNTS = {
    "N": ("total", "non_embedding", "linear", "active", "flops_per_token"),
    "D": ("seen", "unique"),
    "C": (*SIX_N_D, "exact"),
}
"""What may follow a symbol: `N.total`, `D.seen`, `C.exact`."""


def at_point(law: Law, given: Mapping[str, float]) -> Binding:
    """A law's variables from values by symbol (`N`, in the law's own count) or by symbol and count (`N.total`).

    Raises:
        UsageError: a symbol the law does not take, a value that is not positive, or one given twice.
        LawError: a value is missing, or given in a count nobody can turn into the law's.
    """
    if law.kind in ("allocation", "hyperparameter", "link"):
        raise law.error(f"is of the kind {law.kind}, which predicts no performance", "choose another law")
    values = _split(law, given)
    variables = tuple(_bound(law, law.variables[symbol], values) for symbol in law.inputs)
    notes = [*([NOT_OF_A_MODEL[law.kind]] if law.kind in NOT_OF_A_MODEL else []), *law.notes]
    missing = [bound for bound in variables if bound.status == "refused"]
    if missing:
        raise law.error("; ".join(f"{bound.symbol}: {bound.how}" for bound in missing), _todo(law, missing))
    refusals = beyond(law, {bound.symbol: bound.value for bound in variables if bound.value is not None})
    cost = _bound(law, law.variables["C"], values) if "C" in law.variables and "C" not in law.inputs else None
    return Binding(law, variables, cost, tuple(notes), tuple(refusals))


def _todo(law: Law, missing: list[Bound]) -> str:
    symbols = " ".join(f"--set {bound.symbol}=..." for bound in missing)
    return f"give {symbols}"


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
        found.setdefault(symbol, {})[count] = value
    return found


def _own(variable: Variable) -> str:
    """What a law's variable counts."""
    return variable.meaning if variable.symbol == "D" else variable.count


def _bound(law: Law, variable: Variable, values: Mapping[str, Mapping[str, float]]) -> Bound:
    symbol, own = variable.symbol, _own(variable)
    mine = values.get(symbol, {})
    if own in mine:
        value, how = mine[own], f"{own}, as the law counts"
        if variable.unit == "PF-day":
            return Bound(symbol, value / PF_DAY, "converted", f"{how}; FLOP/8.64e19 PF-days")
        return Bound(symbol, value, "exact", how)
    if "" in mine:
        unit = f" {variable.unit}" if variable.unit else ""
        said = f"the law's own count: {own}{unit}" if own != UNKNOWN else "the law does not say how it counts"
        return Bound(symbol, mine[""], "exact" if own != UNKNOWN else "assumed", said)
    if mine and own == UNKNOWN:
        count, value = next(iter(mine.items()))
        return Bound(symbol, value, "assumed", f"{count}: the law does not say how it counts")
    if (found := _converted(variable, values)) is not None:
        return found
    if mine:
        count = next(iter(mine))
        return Bound(
            symbol, None, "refused", f"{count} is given, the law counts {own}: no formula turns one into the other"
        )
    if symbol == "U" and "D" in law.inputs:
        data = _bound(law, law.variables["D"], values)
        return Bound("U", data.value, "assumed" if data.value else "refused", "one pass: all samples distinct")
    return Bound(symbol, None, "refused", "no value")


def _converted(variable: Variable, values: Mapping[str, Mapping[str, float]]) -> Bound | None:
    """C = 6*N*D from N and D, or D = C/(6*N) from C and N, in counts that belong together."""
    if variable.symbol == "C" and variable.count in SIX_N_D:
        n_count = SIX_N_D[variable.count]
        n, d = _value(values, "N", n_count), _value(values, "D", "seen")
        if n is not None and d is not None:
            flops = 6 * n * d
            how = f"6*N*D, N {n_count}"
            if variable.unit == "PF-day":
                return Bound("C", flops / PF_DAY, "converted", f"{how}; FLOP/8.64e19 PF-days")
            return Bound("C", flops, "converted", how)
    if variable.symbol == "D" and variable.meaning != "unique":
        for count, n_count in SIX_N_D.items():
            n, c = _value(values, "N", n_count), values.get("C", {}).get(count)
            if n is not None and c is not None:
                return Bound("D", c / (6 * n), "converted", f"C/(6*N), N {n_count}")
    return None


def _value(values: Mapping[str, Mapping[str, float]], symbol: str, count: str) -> float | None:
    mine = values.get(symbol, {})
    return mine.get(count, mine.get(""))
