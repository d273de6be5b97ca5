"""Conditions a change must not meet: `macs>+5%`, `params>25e6`, `activations<-10%`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scalecalc.errors import UsageError

_FORM = re.compile(r"\s*([A-Za-z][\w.-]*)\s*([<>])\s*([+-]?)\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure's change, or its new value, beyond a number.

    Attributes:
        text: as written.
        name: of the figure, as written.
        above: it is met by what is greater, else by what is less.
        number: the limit; of a percentage the hundredth part.
        of: `value` (the new one), `change`, or `ratio` (the change over the old value).
    """

    text: str
    name: str
    above: bool
    number: Fraction
    of: str

    def measured(self, before: int, after: int) -> Fraction | None:
        """What is compared; None for the ratio to 0, which is beyond every limit."""
        if self.of == "value":
            return Fraction(after)
        change = after - before
        if self.of == "change" or not change:
            return Fraction(change)
        return Fraction(change, before) if before else None

    def is_met(self, before: int, after: int) -> bool:
        """Whether the limit is passed."""
        found = self.measured(before, after)
        if found is None:
            return self.above == (after > 0)
        return found > self.number if self.above else found < self.number


def threshold(text: str) -> Threshold:
    """A threshold from its text.

    >>> threshold("macs > +5%").of, threshold("params>25e6").of, threshold("forward.bytes<-1e9").of
    ('ratio', 'value', 'change')

    Raises:
        UsageError: it is not QUANTITY, `>` or `<`, and a number; a percentage has no sign.
    """
    found = _FORM.fullmatch(text)
    if found is None or (found[5] and not found[3]):
        raise UsageError(
            f"'{text:.80}' is no condition",
            where="--fail-if",
            todo="write for example macs>+5% (a change), macs>+1e6 or params>25e6 (the new value)",
        )
    name, relation, sign, digits, percent = found.groups()
    number = Fraction(digits) * (-1 if sign == "-" else 1) / (100 if percent else 1)
    return Threshold(text.strip(), name, relation == ">", number, "ratio" if percent else "change" if sign else "value")


def thresholds(texts: Sequence[str] | None) -> tuple[Threshold, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys(map(threshold, texts or ())))
