"""Arithmetic written by others (laws, dimension names, specs): parsed by a whitelist, never executed.

>>> law = parse("E + A/N**alpha")
>>> sorted(law.names)
['A', 'E', 'N', 'alpha']
>>> law.evaluate({"E": 1.0, "A": 8.0, "N": 16, "alpha": 0.5})
3.0
>>> str(law.diff("N"))
'-(A*alpha*N**(-alpha - 1))'
>>> parse("Max(1, seq//2)").evaluate({"seq": 9})
4
"""

from scalecalc.expressions.parser import parse
from scalecalc.expressions.roots import Root
from scalecalc.expressions.tree import ARITY, Binary, Call, Expr, Name, Negate, Number

__all__ = ["ARITY", "Binary", "Call", "Expr", "Name", "Negate", "Number", "Root", "parse"]
