"""From a profile and a budget to an answer: size, compute, efficiency, generalisation, optimum, verdict."""

from scalecalc.estimate.answer import Estimate, estimate
from scalecalc.estimate.attention import ATTENTION
from scalecalc.estimate.budgets import Budget, amount, budget
from scalecalc.estimate.datasets import Dataset, dataset, datasets
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.planning import COUNTS, Run
from scalecalc.estimate.sizes import Settled, settle

__all__ = [
    "ATTENTION", "COUNTS", "Budget", "Dataset", "Estimate", "Inspection", "Run",
    "Settled", "amount", "budget", "dataset", "datasets", "estimate", "inspect", "settle",
]  # fmt: skip
