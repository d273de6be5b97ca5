"""A law rewritten for another count of N or C, exactly, along a family of models that grow in one size.

Along such a family every count is a formula of that size, so each count follows from each other one:
N_total = total(d) where d solves non_embedding(d) = N. The rewritten law holds that equation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scalecalc.dims import Dim
from scalecalc.errors import LawError
from scalecalc.expressions import Binary, Expr, Name, Number, Root, parse
from scalecalc.expressions.calculus import add, divide, multiply, negate, power, subtract
from scalecalc.expressions.factoring import tree
from scalecalc.laws.binding import PF_DAY, ROLES, SIX_N_D
from scalecalc.laws.conventions import UNKNOWN, Interval, Uncertainty, Variable
from scalecalc.laws.law import Law
from scalecalc.walk.profile import Profile

LARGEST = 10**9
"""No model is so wide or so deep: sizes are looked for below."""
SAMPLES = "sequence"
"""The kind of symbol whose size is the number of samples (tokens) in one example."""


@dataclass(frozen=True, slots=True)
class Family:
    """Models that differ in one size, from which all their others follow.

    Attributes:
        profile: formulas of them all.
        size: the symbol they differ in.
        sizes: every other symbol, as a formula of it.
        name: for people.
    """

    profile: Profile
    size: str
    sizes: Mapping[str, Expr]
    name: str

    @classmethod
    def along(cls, profile: Profile, given: Mapping[str, str], name: str = "") -> Family:
        """The family of a model whose sizes are as given, tied, hinted, or for data 1 sample at its bound.

        Args:
            profile: with symbols.
            given: formulas of sizes, of which all name the one that is free: {"n_layer": "d_model/64"}.
            name: for people.

        Raises:
            LawError: unknown symbols, none or several free sizes, or a size nobody gives.
        """
        known = profile.symbols
        own = {symbol: parse(text) for symbol, text in given.items()}
        used = frozenset[str]().union(*(expression.names for expression in own.values()))
        if strange := sorted((own.keys() | used) - known.keys()):
            raise LawError(f"no size {', '.join(strange)}", where=name, todo=f"it has {', '.join(known)}")
        free = sorted(used - own.keys())
        if len(free) != 1:
            what = f"{', '.join(free) or 'no size'} left free" if own else "no size says how the others grow"
            raise LawError(what, where=name, todo="tie all to one: --set n_layer=d_model/64")
        for symbol, info in known.items():
            if symbol not in own and symbol != free[0]:
                own[symbol] = _usual(symbol, profile, info.tie)
        return cls(profile, free[0], _resolved(own, free[0], name), name)

    def formula(self, count: Dim) -> Expr:
        """A count as a formula of the one size."""
        return _powers(tree(count).substitute(self.sizes), self.size)

    def params(self, count: str) -> Expr:
        """N by one of the counts laws have."""
        if count == "flops_per_token":
            return self.flops()
        if count not in ROLES:
            raise LawError(f"parameters counted as {count!r}", where="--N", todo=f"use one of {', '.join(ROLES)}")
        return self.formula(self.profile.params[ROLES[count]].formula)

    def flops(self, count: str = "exact") -> Expr:
        """Training FLOPs of one sample, by one of the counts laws have."""
        if count in SIX_N_D:
            return multiply(Number(6), self.params(SIX_N_D[count]))
        if count != "exact":
            raise LawError(f"compute counted as {count!r}", where="--C", todo=f"use exact or {', '.join(SIX_N_D)}")
        total = self.formula(self.profile.training["matrix_flops"].formula)
        for symbol, info in self.profile.symbols.items():
            if info.kind == SAMPLES:
                total = divide(total, self.sizes.get(symbol, Name(symbol)))
        return _powers(total, self.size)

    def member(self, count: Expr, value: Expr) -> Root:
        """The size at which a count has a value."""
        return Root(self.size, subtract(count, value), Number(0), Number(LARGEST))

    def __str__(self) -> str:
        return self.name


def convert(
    law: Law, family: Family, *, params: str | None = None, compute: str | None = None, ratio: float | None = None
) -> Law:
    """The law with N or C counted otherwise; along the family it predicts what it did.

    Args:
        law: with known counts.
        family: for whose members it is exact.
        params: the new count of N: total, non_embedding, linear, active or flops_per_token.
        compute: the new count of C: exact, 6N_total*D or 6N_nonemb*D. A law of N and D then takes C instead of D.
        ratio: samples per parameter (total), at which a law of C alone was found: only then C tells the model.

    Raises:
        LawError: a count is unknown, or C alone does not tell which model is meant.
    """
    if params is None and compute is None:
        raise LawError("no count to convert to", where=law.name, todo="give --N or --C")
    if law.gives:
        return _given(law, family, params, compute)
    if not {"N", "C"} & set(law.inputs):
        raise law.error("takes neither N nor C", "there is nothing to convert")
    if "N" not in law.inputs and compute is None:
        raise law.error("takes no N", "convert its C: --C, --ratio")
    old = {symbol: _count(law, symbol) for symbol in ("N", "C") if symbol in law.inputs}
    new_params = params or old.get("N")
    size = _size(law, family, new_params, compute, ratio)
    replaced: dict[str, Expr] = {}
    variables = dict(law.variables)
    if "N" in law.inputs and params is not None and params != old["N"]:
        # what one counts and the other does not is the shorter formula
        more = _powers(subtract(family.params(old["N"]), family.params(params)), family.size)
        replaced["N"] = add(Name("N"), more.substitute({family.size: size}))
    if params is not None and "N" in variables:
        variables["N"] = replace(variables["N"], count=params)
    if compute is not None:
        flops = family.flops(compute).substitute({family.size: size})
        if "C" in law.inputs:
            before = family.flops(old["C"])
            if before != family.flops(compute):
                replaced["C"] = multiply(Name("C"), divide(before.substitute({family.size: size}), flops))
        elif "D" in law.inputs:
            replaced["D"] = divide(Name("C"), flops)
            del variables["D"]
        if "C" not in variables:
            raise law.error("counts no C", "convert its N")
        attention = "full" if compute == "exact" else UNKNOWN
        unit = variables["C"].unit if "C" in law.inputs else "FLOP"
        variables["C"] = replace(variables["C"], count=compute, attention=attention, unit=unit)
    elif "C" in variables and "C" not in law.inputs and params is not None:
        variables["C"] = replace(variables["C"], count=_six(params))
    if not replaced:
        raise law.error("counts so already", "ask for another count")
    ranges = _range(law, family, params if "N" in replaced else None, compute)
    found = _renamed(law, family, law.formula.substitute(replaced), variables, ranges, params, compute)
    return replace(found, uncertainty=_uncertainty(law, replaced))


def _given(law: Law, family: Family, params: str | None, compute: str | None) -> Law:
    """An allocation law whose N* is counted otherwise."""
    if law.gives == "D" or params is None or compute is not None:
        other = "N" if law.gives == "D" else "D"
        raise law.error(f"does not say which {other} its C is spent on", "convert the N of a law that gives N: --N")
    old = _count(law, "N")
    if old == params:
        raise law.error("counts so already", "ask for another count")
    best = family.params(params).substitute({family.size: family.member(family.params(old), law.formula)})
    variables = {**law.variables, "N": replace(law.variables["N"], count=params)}
    unit = "FLOP/token" if params == "flops_per_token" else "parameter"
    found = _renamed(law, family, best, variables, law.range, params, None)
    return replace(found, metric=replace(law.metric, unit=unit))


def _renamed(
    law: Law, family: Family, formula: Expr, variables: Mapping[str, Variable], ranges: Mapping[str, Interval],
    params: str | None, compute: str | None,
) -> Law:  # fmt: skip
    words = " and ".join(f"{s} as {count}" for s, count in (("N", params), ("C", compute)) if count)
    return replace(
        law,
        name="-".join([law.name, *(_word(count) for count in (params, compute) if count)]),
        title=f"{law.title}; {words}, along {family}",
        formula=formula,
        variables=variables,
        range=ranges,
        notes=(*law.notes, f"{words}: exact along {family}, and nowhere else"),
    )


def _uncertainty(law: Law, replaced: Mapping[str, Expr]) -> Uncertainty | None:
    """The rivals rewritten as the law is; without those of a C that it does not take, whose count may be another."""
    if law.uncertainty is None:
        return None
    rivals = {
        name: rival.substitute(replaced)
        for name, rival in law.uncertainty.rivals.items() if rival.names <= set(law.inputs)
    }  # fmt: skip
    return replace(law.uncertainty, rivals=rivals)


def _usual(symbol: str, profile: Profile, tie: str) -> Expr:
    info = profile.symbols[symbol]
    if tie:
        return parse(tie)
    if info.kind == "batch":
        return Number(1)
    if info.hint is not None:
        return Number(info.hint)
    if info.bound is not None:
        return tree(info.bound)
    raise LawError(f"no size for {symbol}", where=profile.name, todo=f"--set {symbol}=")


def _powers(count: Expr, size: str) -> Expr:
    """A count as a sum of powers of the size, largest first; as it is if it is none."""
    import sympy

    count.evaluate({size: 64})  # what has no value, or one of too many digits, ends here
    symbol = sympy.Symbol(size, positive=True)
    expanded = sympy.expand(count.sympy(positive=True))
    if jumps := expanded.atoms(sympy.floor, sympy.ceiling, sympy.Mod):
        what = f"a count jumps, by {min(map(str, jumps))[:60]}: no size can be told from it"
        raise LawError(what, where="--set", todo="give the size that is rounded, without rounding")
    if not expanded.is_polynomial(symbol):
        return count
    terms = expanded.as_coefficients_dict(symbol)
    found: Expr = Number(0)
    for base, factor in sorted(terms.items(), key=lambda term: -sympy.degree(term[0], symbol) if term[0] != 1 else 0):
        _, exponent = base.as_base_exp() if base != 1 else (symbol, sympy.Integer(0))
        if not (factor.is_Rational and exponent.is_Integer and base == symbol**exponent):
            return count
        times = multiply(Number(abs(int(factor.p))), power(Name(size), Number(int(exponent))))
        times = divide(times, Number(int(factor.q)))
        found = add(found, times if factor > 0 else negate(times))
    return found


def _resolved(own: Mapping[str, Expr], free: str, name: str) -> dict[str, Expr]:
    """Formulas of the free size alone."""
    found = dict(own)
    for _ in range(len(found) + 1):
        if all(expression.names <= {free} for expression in found.values()):
            return found
        found = {symbol: expression.substitute(found) for symbol, expression in found.items()}
        if sum(1 for expression in found.values() for _ in expression.walk()) > 20_000:
            break
    raise LawError("sizes follow from each other in a circle", where=name, todo="tie all to one size")


def _count(law: Law, symbol: str) -> str:
    count = law.variables[symbol].count
    if count == UNKNOWN:
        raise law.error(f"does not say how it counts {symbol}", "convert a law that does")
    known = (*ROLES, "flops_per_token") if symbol == "N" else (*SIX_N_D, "exact")
    if count not in known:
        raise law.error(
            f"counts {symbol} as {count.replace('_', ' ')}, of which no family has a formula", "convert another law"
        )
    return count


def _size(law: Law, family: Family, params: str | None, compute: str | None, ratio: float | None) -> Expr:
    """The size of the member that is meant, of the new variables."""
    if "N" in law.inputs and params is not None:
        return family.member(family.params(params), Name("N"))
    if law.inputs == ("C",) and compute is not None and ratio is not None:
        data = multiply(Number(ratio), family.params("total"))
        unit: Expr = Name("C")
        if law.variables["C"].unit == "PF-day":
            unit = Binary("*", Number(PF_DAY), unit)
        elif law.variables["C"].unit != "FLOP":
            raise law.error(f"counts in {law.variables['C'].unit}s", "convert a law that counts FLOPs")
        return family.member(multiply(data, family.flops(compute)), unit)
    raise law.error("does not tell the model by its C alone", "give the tokens per parameter it was found at: --ratio")


def _six(params: str) -> str:
    return {"total": "6N_total*D", "non_embedding": "6N_nonemb*D", "linear": "6N_linear*D"}.get(params, UNKNOWN)


def _word(count: str) -> str:
    return count.lower().replace("_", "-").replace("*", "")


def _range(law: Law, family: Family, params: str | None, compute: str | None) -> dict[str, Interval]:
    """Limits of what is counted as before, and those of N in its new count."""
    touched = ({"N", "C"} if params else set()) | ({"C"} if compute else set())
    found = {text: limits for text, limits in law.range.items() if not parse(text).names & touched}
    if params and "N" in law.range:
        size = family.member(family.params(_count(law, "N")), Name("N"))
        count = family.params(params).substitute({family.size: size})
        low, high = (float(f"{count.evaluate({'N': end}):.6g}") for end in law.range["N"])
        found = {"N": (low, high), **found}
    return found
