"""Values outside their metric's bounds, with the place where a law leaves them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scalecalc.errors import ExpressionError, LawError
from scalecalc.laws.law import Law


def beyond(law: Law, values: Mapping[str, float]) -> list[str]:
    """Why the law's value is none; empty where it is one.

    Args:
        law: with a value for each coefficient.
        values: of its variables, in its own counts and units.
    """
    low, high = law.metric.bounds
    try:
        value = float(law.evaluate(**values))
    except ExpressionError as error:
        if high is None or len(values) > 1:
            return [f"no value at these inputs: {error.what}"]
        value = math.inf  # too large for a number
    if high is not None and value > high:
        limit, words = high, "exceed"
    elif low is not None and value < low:
        limit, words = low, "fall below"
    else:
        return [] if math.isfinite(value) else ["no value at these inputs: the result is no finite number"]
    text = f"{law.metric.name} would {words} {limit:g}"
    if len(law.inputs) == 1:
        (symbol,) = law.inputs
        try:
            edge = f"{law.inverse(symbol, limit):.4g} {law.variables[symbol].unit}".strip()
        except LawError:  # it is beyond everywhere
            return [text]
        text += f": the law ends at {symbol} = {edge}, {values[symbol]:.4g} was asked"
    return [text]
