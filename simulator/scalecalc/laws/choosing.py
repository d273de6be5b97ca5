"""Which law to believe first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from scalecalc.laws.binding import Binding
from scalecalc.laws.law import Law
from scalecalc.laws.plan import Plan
from scalecalc.laws.scope import mismatches, of_letters, shares

if TYPE_CHECKING:
    from scalecalc.walk.profile import Profile


def select(
    laws: Mapping[str, Law] | Iterable[Law], profile: Profile, plan: Plan, *, force: bool = False
) -> tuple[list[Binding], list[tuple[Law, str]]]:
    """Bindings that predict, the default law first, and the laws refused with the reason, the nearest first.

    Order: not superseded, laws of distinct data where data are repeated and others where not, same corpus, same
    tokenizer, pieces of words before characters, best recorded extrapolation error, then more inputs, a known
    covariance, the newer publication.
    """
    pool = laws.values() if isinstance(laws, Mapping) else laws
    bindings = [law.bind(profile, plan, force=force) for law in pool]
    usable = [binding for binding in bindings if binding.usable]
    refused = [(binding.law, binding.why) for binding in bindings if not binding.usable]
    return sorted(usable, key=lambda own: rank(own.law, plan)), sorted(refused, key=lambda pair: _far(pair[0], plan))


def rank(law: Law, plan: Plan) -> tuple[float | str, ...]:
    """What laws of one task are sorted by; see `select`."""
    corpus, tokenizer = shares(law, plan)
    error = law.evidence.extrapolation_error
    repeated = bool(plan.unique and plan.seen and plan.seen > 1.001 * plan.unique)
    return (
        bool(law.superseded_by), ("U" in law.inputs) != repeated, not corpus, not tokenizer,
        of_letters(law.metric.tokenizer) and not tokenizer,
        math.inf if error is None else error, -len(law.inputs), law.covariance is None,
        -(law.source.year or 0), law.name,
    )  # fmt: skip


def _far(law: Law, plan: Plan) -> tuple[float | str, ...]:
    scope = law.applies_to
    other = scope.task != plan.task, scope.modality != plan.modality
    return *other, law.kind != "conditional", len(mismatches(law, plan)), *rank(law, plan)
