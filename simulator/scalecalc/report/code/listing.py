"""What languages write down: the formulas asked for as expressions, with all a reader or a program needs beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scalecalc.dims import Condition, Dim, Poly, is_positive, put_in, simplified, symbols_of
from scalecalc.dims.atoms import Floor
from scalecalc.errors import UsageError, one_line
from scalecalc.estimate import Inspection
from scalecalc.estimate.inspection import inspect
from scalecalc.expressions import Binary, Expr, Name, Number
from scalecalc.expressions.factoring import floor_names, quotient, tree
from scalecalc.report.code.quantities import choose, quantities, unit_of
from scalecalc.walk import Profile, SymbolInfo


@dataclass(frozen=True, slots=True)
class Requirement:
    """`left sign right` must hold; the sign is `<=`, `>=` or `==`."""

    left: Expr
    sign: str
    right: Expr

    @property
    def names(self) -> frozenset[str]:
        """The symbols it is about."""
        return self.left.names | self.right.names

    @property
    def limits(self) -> frozenset[str]:
        """Those whose formulas it concerns: a limit of one symbol is that symbol's own matter."""
        return self.left.names if self.sign == "<=" and isinstance(self.left, Name) else self.names

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True, slots=True)
class Formula:
    """One quantity.

    Attributes:
        path: its name in the JSON contract, `forward.macs`.
        unit: what it counts.
        expanded: the polynomial as all reports write it.
        tree: the expression to write, over symbols and variables.
        lower_bound: something is missing in it.
        value: at the settled sizes, None where one is missing.
        symbols: what it takes, in the model's order; those of its requirements included.
        variables: the variables of the listing it uses.
        requirements: what must hold among its symbols.
    """

    path: str
    unit: str
    expanded: str
    tree: Expr
    lower_bound: bool
    value: int | None
    symbols: tuple[str, ...]
    variables: tuple[str, ...]
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Formulas that are written together.

    Attributes:
        result: the model they are of.
        formulas: in the order asked for.
        variables: what the names of repeated floors stand for, over symbols and earlier variables.
        symbols: all that formulas and requirements hold.
        requirements: all that must hold.
        given: sizes that have been put in.
        fixed: dimensions the graph allows one size only, as text: no formula holds them any more.
    """

    result: Inspection
    formulas: tuple[Formula, ...]
    variables: Mapping[str, Expr]
    symbols: tuple[SymbolInfo, ...]
    requirements: tuple[Requirement, ...]
    given: Mapping[str, int]
    fixed: tuple[str, ...]

    @property
    def title(self) -> str:
        """The file."""
        profile = self.result.profile
        return one_line(profile.title)

    @property
    def assumed(self) -> list[str]:
        """What the formulas take for granted, and what they leave out."""
        profile = self.result.profile
        lines = [*profile.assumptions, *profile.notes]
        if any(formula.lower_bound for formula in self.formulas):
            rules = [f"{domain}:{name}".removeprefix(":") for domain, name in profile.unsupported]
            missing = f"no rule for {', '.join(rules)}" if rules else f"{len(profile.unreached):,} nodes unreached"
            lines.append(f"lower bounds, marked 'at least': {missing}")
        return [one_line(line) for line in lines]


def at(profile: Profile, sizes: Mapping[str, int], *, task: str | None = None, sample: str | None = None) -> Inspection:
    """`inspect` for formulas, which need no sizes: where those it assumes break a condition, none is assumed.

    Raises:
        UsageError: an unknown symbol, task or sample, or given sizes that break a condition.
    """
    try:
        return inspect(profile, sizes=sizes, task=task, sample=sample)
    except UsageError:
        bare = {name: replace(info, kind="free", hint=None, bound=None) for name, info in profile.symbols.items()}
        return replace(inspect(replace(profile, symbols=bare), sizes=sizes, task=task, sample=sample), profile=profile)


def listing(result: Inspection, asked: Sequence[str], *, nested: bool = True) -> Listing:
    """The formulas of some quantities.

    Args:
        result: the model; sizes that were set are put in.
        asked: paths or unambiguous last parts.
        nested: factored, else sums of products.

    Raises:
        UsageError: an unknown or ambiguous quantity.
    """
    there, profile, settled = quantities(result), result.profile, result.settled
    given = settled.given
    dims = {path: put_in(there[path].formula, given) for path in choose(there, asked)}
    requirements = tuple(_requirements(profile, dims.values(), given))
    needed = {name for requirement in requirements for name in requirement.names}
    names = floor_names([*dims.values()], needed.union(profile.symbols), nested=nested)
    variables = _definitions(dims.values(), names, nested=nested)
    formulas = []
    for path, dim in dims.items():
        expression = tree(dim, names, nested=nested)
        symbols, mine = _reach(_symbols(dim), requirements)
        needed |= symbols
        formulas.append(
            Formula(
                path, unit_of(path, result.task.sample), str(dim), expression, there[path].lower_bound,
                result.value(there[path]), _in_order(profile, symbols), _used(expression, variables), mine,
            )
        )  # fmt: skip
    infos = tuple(profile.symbols.get(name) or SymbolInfo(name, "data") for name in _in_order(profile, needed))
    shown = set(map(str, profile.checks))
    fixed = tuple(condition for condition in profile.conditions if condition not in shown)
    return Listing(result, tuple(formulas), variables, infos, requirements, given, fixed)


def _definitions(dims: Iterable[Dim], names: Mapping[int, str], *, nested: bool) -> dict[str, Expr]:
    """What the names of floors stand for."""
    found: dict[str, Expr] = {}
    atoms = next((dim.system.atoms for dim in dims if isinstance(dim, Poly)), [])
    for atom, name in names.items():
        floor = atoms[atom]
        assert isinstance(floor, Floor)
        found[name] = quotient(floor, names, nested=nested)
    return found


def _symbols(dim: Dim) -> set[str]:
    return {dim.system.info(atom).name for atom in symbols_of(dim)} if isinstance(dim, Poly) else set()


def _in_order(profile: Profile, names: set[str]) -> tuple[str, ...]:
    known = [name for name in profile.symbols if name in names]
    return (*known, *sorted(names.difference(known)))


def _requirements(profile: Profile, dims: Iterable[Dim], given: Mapping[str, int]) -> Iterable[Requirement]:
    """The model's conditions at the given sizes, behind those that keep every divisor positive."""
    conditions = [Condition(put_in(c.left, given), c.op, put_in(c.right, given)) for c in profile.checks]
    divisors: dict[Dim, None] = {}
    for dim in (*dims, *(side for c in conditions for side in (c.left, c.right))):
        divisors.update(dict.fromkeys(_divisors(dim)))
    for condition in conditions:
        if condition.op == "%":
            divisors[condition.right] = None
    positive = [Condition(1, "<=", divisor) for divisor in divisors if not is_positive(divisor)]
    for condition in simplified((*positive, *conditions)):
        left, right = tree(condition.left), tree(condition.right)
        if isinstance(condition.left, int) and isinstance(condition.right, int):
            continue
        if condition.op == "%":
            yield Requirement(Binary("%", left, right), "==", Number(0))
        elif isinstance(condition.left, int):
            yield Requirement(right, {"<=": ">=", "==": "=="}[condition.op], left)
        else:
            yield Requirement(left, condition.op, right)


def _divisors(dim: Dim) -> Iterable[Dim]:
    """Divisors with symbols, inner ones first."""
    if isinstance(dim, Poly):
        for atom in sorted(dim.atoms):
            item = dim.system.atoms[atom]
            if isinstance(item, Floor):
                yield from _divisors(item.num)
                yield from _divisors(item.den)
                if isinstance(item.den, Poly):
                    yield item.den


def _reach(symbols: set[str], requirements: Sequence[Requirement]) -> tuple[set[str], tuple[Requirement, ...]]:
    """The symbols and the requirements that speak of them, directly or through others."""
    about: dict[str, list[int]] = {}
    for place, requirement in enumerate(requirements):
        for name in requirement.limits:
            about.setdefault(name, []).append(place)
    found, waiting, mine = set(symbols), list(symbols), set[int]()
    while waiting:
        for place in about.pop(waiting.pop(), ()):
            mine.add(place)
            more = requirements[place].names - found
            found |= more
            waiting += more
    return found, tuple(requirements[place] for place in sorted(mine))


def _used(expression: Expr, variables: Mapping[str, Expr]) -> tuple[str, ...]:
    used: set[str] = set()
    waiting = set(expression.names & variables.keys())
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting |= (variables[name].names & variables.keys()) - used
    return tuple(name for name in variables if name in used)
