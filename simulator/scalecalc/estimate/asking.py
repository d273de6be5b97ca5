"""What laws are asked: a budget, a performance to reach, a size, the samples there are and those to be served; and the
values of a law's own variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.errors import UsageError
from scalecalc.estimate.budgets import Budget, amount, budget, positive


@dataclass(frozen=True, slots=True)
class Stop:
    """The least gain of a doubling that is worth its compute: in the metric's unit, or a share of the value."""

    gain: float
    relative: bool = False

    def of(self, value: Any) -> Any:
        """The gain at a value."""
        return abs(value) * self.gain if self.relative else self.gain

    def __str__(self) -> str:
        return f"{100 * self.gain:g} %" if self.relative else f"{self.gain:g}"


@dataclass(frozen=True, slots=True)
class Question:
    """All that may be asked; None for what is not.

    Attributes:
        budget: training FLOPs.
        target: the value to reach, in the metric of the laws.
        params: N of a model, in each law's own count.
        unique: distinct samples there are.
        served: samples to be answered after training.
        stop: which gain is too small to go on for.
        isoflop: whether to table the loss over N at the budget.
    """

    budget: Budget | None = None
    target: float | None = None
    params: float | None = None
    unique: float | None = None
    served: float | None = None
    stop: Stop | None = None
    isoflop: bool = False

    def check(self, *, model: bool) -> None:
        """Raises if the parts do not make a question.

        Args:
            model: whether there is a model file too.
        """
        if self.budget is not None and not 1 <= self.budget.flops <= 1e60:
            raise UsageError(f"{self.budget.text or self.budget.flops:.40} is no budget", where="--budget",
                             todo="give from 1 to 1e60 FLOP, such as 1e21")  # fmt: skip
        if not model and all(part is None for part in (self.budget, self.target, self.params, self.stop)):
            raise UsageError("nothing is asked", where="optimal",
                             todo="give --budget, --target-loss, --stop-below, --params or --model")  # fmt: skip
        if self.params is not None and model:
            raise UsageError("a model has its own N", where="--params", todo="leave out --params or --model")
        if self.params is not None and self.params < 1:
            raise UsageError(f"{self.params:g} is no size", where="--params", todo="give 1 parameter or more")
        if self.isoflop and self.budget is None:
            raise UsageError("a table over N needs a budget", where="--isoflop", todo="give --budget")
        if self.served is not None and self.budget is None and self.target is None:
            raise UsageError("inference counts against a training budget or a loss to reach",
                             where="--inference-tokens", todo="give --budget or --target-loss")  # fmt: skip


def stop_of(text: str) -> Stop:
    """A gain: `.01` in the metric's unit, or `1%` of the value.

    >>> stop_of(".01"), stop_of("1%")
    (Stop(gain=0.01, relative=False), Stop(gain=0.01, relative=True))

    Raises:
        UsageError: it is no positive number.
    """
    relative = text.strip().endswith("%")
    gain = positive(text.strip().removesuffix("%"))
    if gain is None:
        raise UsageError(f"'{text:.40}' is no gain", where="--stop-below", todo="write .01, or 1% of the loss")
    return Stop(gain / 100 if relative else gain, relative)


def values_of(texts: Mapping[str, str], units: Mapping[str, str]) -> tuple[dict[str, float], list[str]]:
    """Values of a law's variables, and which of them are in the law's own unit.

    >>> values_of({"N": "7B", "C": "1e21"}, {"C": "PF-day"}), values_of({"C": "2 core-days"}, {"C": "core-day"})
    (({'N': 7000000000.0, 'C': 1e+21}, []), ({'C': 2.0}, ['C']))

    Args:
        texts: by symbol, or symbol and count (`N.total`).
        units: of the law, by symbol. C in another one than the law's is in FLOP: 1e21, 100T, 1PF-day.

    Raises:
        UsageError: a text is no positive number, or in another unit.
    """
    values, own = {}, []
    for name, text in texts.items():
        symbol = name.partition(".")[0]
        head, unit = text.strip(), units.get(symbol, "")
        # a unit of one letter could be a suffix of the number
        endings = (f"{unit}s", unit) if len(unit) > 1 and unit[0].isalpha() else ()
        ending = next((end for end in endings if head.lower().endswith(end.lower())), None)
        value = None if ending is None else amount(head[: len(head) - len(ending)])
        if value is not None and (unit != "FLOP" or symbol != "C"):
            own.append(name)
        elif value is None:
            value = _flops(name, text) if symbol == "C" else amount(text)
        if value is None:
            todo = f"write for example --set {name}=20B" + (f" or {name}=4{unit}" if unit else "")
            raise UsageError(f"{name} = '{text:.60}' is no positive number", where="--set", todo=todo)
        values[name] = value
    return values, own


def _flops(name: str, text: str) -> float:
    try:
        if ":" not in text:  # what devices reach is an assumption, which `optimal --budget` lists
            return amount(text) or budget(text).flops
    except UsageError:
        pass
    what = f"{name} = '{text:.60}' is no compute"
    raise UsageError(what, where="--set", todo="write FLOP or FLOP/s times a duration, such as 1e21, 100T or 1PF-day")
