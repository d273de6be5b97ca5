"""From a profile and a budget to an answer: size, compute, efficiency, generalisation, optimum, verdict."""

from scalecalc.estimate.answer import Estimate, estimate
from scalecalc.estimate.difference import Difference, difference
from scalecalc.estimate.explanation import Explanation, explain
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.sizes import Settled, settle

__all__ = [
    "Difference", "Estimate", "Explanation", "Inspection", "Settled", "difference", "estimate", "explain", "inspect",
    "settle",
]  # fmt: skip
