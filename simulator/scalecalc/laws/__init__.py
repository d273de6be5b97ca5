"""Scaling laws as data: what they say, of which models, in whose counts.

>>> from scalecalc.laws import load, optimum
>>> law = load("hoffmann-2022")
>>> round(law.evaluate(N=70e9, D=1.4e12), 3)
1.937
>>> best = optimum(law, 5.76e23)
>>> f"{best.params:.3g} parameters, {best.data:.3g} tokens"
'3.22e+10 parameters, 2.98e+12 tokens'
"""

from scalecalc.laws.binding import Binding, Bound, bind
from scalecalc.laws.catalogue import catalogue, load, shipped
from scalecalc.laws.choosing import select
from scalecalc.laws.conventions import UNKNOWN, Coefficient, Metric, Scope, Source, Variable
from scalecalc.laws.law import Law
from scalecalc.laws.optimum import Efficiency, Optimum, optimum
from scalecalc.laws.plan import Plan
from scalecalc.laws.prediction import Prediction

__all__ = [
    "UNKNOWN", "Binding", "Bound", "Coefficient", "Efficiency", "Law", "Metric", "Optimum", "Plan", "Prediction",
    "Scope", "Source", "Variable", "bind", "catalogue", "load", "optimum", "select", "shipped",
]  # fmt: skip
