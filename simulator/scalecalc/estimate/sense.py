"""Why a law's value makes no sense although the law applies."""

from __future__ import annotations

from math import log

from scalecalc.estimate.inspection import Inspection
from scalecalc.laws import Law, Plan

GUESSING = "that of guessing"
MOST_PASSES = 4
"""Up to so many passes are nearly as good as new data: Muennighoff et al. 2023, Scaling data-constrained models."""
MOST_NATS = log(1e6)
"""Loss per token of guessing among more tokens than any vocabulary has."""
NO_STEP = "the budget does not pay for one step"
NO_COST = "what the budget buys is unknown while a size is missing"


def pays_no_step(plan: Plan, samples_per_step: float | None) -> bool:
    """Whether the budget is spent before the first step ends."""
    return plan.seen is not None and samples_per_step is not None and plan.seen < samples_per_step


def worse_than_guessing(law: Law, value: float, inspection: Inspection) -> str | None:
    """The refusal of a loss per token above that of giving every token of the vocabulary the same probability."""
    vocabulary = inspection.vocabulary
    if law.metric.unit != "nat/token" or not isinstance(vocabulary, int) or value <= log(vocabulary):
        return None
    return f"{law.metric.name} would exceed ln(vocabulary) = {log(vocabulary):.2f}, {GUESSING}"
