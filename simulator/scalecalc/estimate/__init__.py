"""From a profile and a budget to an answer: size, compute, efficiency, generalisation, optimum, verdict."""

from scalecalc.estimate.answer import Estimate, estimate
from scalecalc.estimate.attention import ATTENTION
from scalecalc.estimate.budgets import Budget, amount, budget
from scalecalc.estimate.datasets import Dataset, dataset, datasets
from scalecalc.estimate.difference import Difference, difference
from scalecalc.estimate.explanation import Explanation, explain
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.planning import COUNTS, Run
from scalecalc.estimate.sizes import Settled, settle

__all__ = [
    "ATTENTION", "COUNTS", "Budget", "Dataset", "Difference", "Estimate", "Explanation", "Inspection", "Run",
    "Settled", "amount", "budget", "dataset", "datasets", "difference", "estimate", "explain", "inspect", "settle",
]  # fmt: skip
