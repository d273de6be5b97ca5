"""Budgets and amounts as people write them: 1e21, 100T, 1PF-day, 8xh100:3d; 60k, 1.28M."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalecalc.errors import ExpressionError, UsageError
from scalecalc.expressions import parse

if TYPE_CHECKING:
    from scalecalc.hardware import Device

PREFIXES = {name: 10 ** (3 * power) for power, name in enumerate(("", "k", "M", "G", "T", "P", "E", "Z", "Y"))}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
WORDS = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "day": "d", "week": "w"}
LONGEST = 400
"""Characters of a text that may be a budget."""

FLOPS = re.compile(
    r"(?P<head>.*?)\s*(?P<prefix>[kKMGTPEZY]?)(?P<unit>(?i:flops?|f))?(?P<rate>/s)?(?:[-*·\s](?P<time>[a-z]+?)s?)?"
)
HARDWARE = re.compile(
    r"(?:(?P<count>[^:]*?)\s*[x×*]\s*)?(?P<device>[^:@]+):\s*(?P<duration>[^@a-z]+?)\s*(?P<unit>[a-z]+?)s?"
    r"\s*(?:@\s*(?P<share>[^%]+?)\s*%)?"
)


@dataclass(frozen=True, slots=True)
class Budget:
    """Training FLOPs, and how a text comes to them.

    Attributes:
        flops: of the whole run.
        text: as it was written.
        how: the factors between the text and `flops`; "" where the text says it all.
        assumptions: what the text leaves open, with what to write instead.
    """

    flops: float
    text: str = ""
    how: str = ""
    assumptions: tuple[str, ...] = ()


def positive(text: str) -> float | None:
    """A positive finite number, or arithmetic of numbers; None if it is none.

    >>> positive("2*10**14"), positive("-1"), positive("seq")
    (200000000000000.0, None, None)
    """
    try:
        expression = parse(text)
        value = float(expression.evaluate({})) if not expression.names else 0.0
    except (ExpressionError, OverflowError):
        return None
    return value if 0 < value < float("inf") else None


def amount(text: str) -> float | None:
    """A positive number with a suffix: k, M, G or B (10^9), T.

    >>> amount("60k"), amount("1.28M"), amount("300B"), amount("1e6"), amount("5X")
    (60000.0, 1280000.0, 300000000000.0, 1000000.0, None)
    """
    value, text = positive(text), text.strip()
    if value is not None or not text:
        return value
    factor = {**PREFIXES, "K": 10**3, "B": 10**9}.get(text[-1])
    head = positive(text[:-1]) if factor is not None else None
    return head * factor if head is not None and factor is not None else None


def budget(text: str) -> Budget:
    """A budget from FLOPs with an SI prefix, FLOP/s times a duration, or devices times a duration.

    Devices count at their peak dense matrix rate in the precision named (`8xh100-fp8:3d`; else the usual one of
    training) times a utilisation (`@50%`; else `hardware.UTILISATION`).

    >>> budget("100T").flops, budget("1PF-day").flops, budget("2.5 PFLOP/s-day").flops
    (100000000000000.0, 8.64e+19, 2.16e+20)
    >>> budget("8xv100:1h@50%").how
    '8 x NVIDIA V100 SXM2 x 3,600 s x 125 TFLOP/s (fp16) x 50 %'

    Raises:
        UsageError: the text is none of these, or names no device there is.
    """
    text = text.strip()
    value = positive(text)
    if value is not None:
        return Budget(value, text)
    if len(text) <= LONGEST:
        if ":" in text:
            return _of_devices(text)
        if found := _of_flops(text):
            return found
    raise _no_budget(text)


def _no_budget(text: str) -> UsageError:
    return UsageError(
        f"'{text}' is no budget", where="--budget", todo="write for example 1e21, 100T, 1PF-day or 8xh100:3d"
    )


def _of_flops(text: str) -> Budget | None:
    match = FLOPS.fullmatch(text)
    if match is None or (head := positive(match["head"])) is None:
        return None
    prefix, unit, rate, time = match["prefix"], match["unit"], match["rate"], match["time"]
    scale = PREFIXES[prefix.replace("K", "k")]
    if rate and not time:
        raise UsageError(f"'{text}' is a rate", where="--budget", todo=f"say for how long: {text}-day")
    if not time:
        return Budget(head * scale, text)
    seconds = SECONDS.get(WORDS.get(time, time))
    if seconds is None or unit is None:
        return None
    return Budget(head * scale * seconds, text)


def _of_devices(text: str) -> Budget:
    from scalecalc.hardware import PRECISIONS, UTILISATION, device

    match = HARDWARE.fullmatch(text)
    if match is None:
        raise UsageError(f"'{text}' is no budget", where="--budget",
                         todo="write COUNTxDEVICE:DURATION@UTILISATION%, such as 8xh100:36h@50%")  # fmt: skip
    count = positive(match["count"]) if match["count"] is not None else 1.0
    if count is None or count % 1:
        raise UsageError(f"'{match['count']}' is no number of devices", where="--budget", todo="write 8xh100:3d")
    duration, unit = positive(match["duration"]), WORDS.get(match["unit"], match["unit"])
    if duration is None or unit not in SECONDS:
        raise UsageError(f"'{match['duration']}{match['unit']}' is no duration", where="--budget",
                         todo="write a number with s, m, h, d or w, such as 3d")  # fmt: skip
    share = positive(match["share"]) if match["share"] is not None else 100 * UTILISATION
    if share is None or share > 100:
        raise UsageError(f"'{match['share']}%' is no utilisation", where="--budget", todo="write more than 0 to 100 %")
    name, _, precision = match["device"].rpartition("-")
    if not name or precision not in PRECISIONS:
        name, precision = match["device"], ""
    found = device(name, where="--budget")
    if precision and precision not in found.peak:
        raise UsageError(f"{found.name} has no rate in {precision}", where="--budget",
                         todo=f"use one of {', '.join(found.peak)}")  # fmt: skip
    used = precision or found.precision
    assumed = _assumed(found, "" if precision else used, None if match["share"] is not None else share, text)
    return Budget(
        flops=count * found.peak[used] * duration * SECONDS[unit] * share / 100,
        text=text,
        how=f"{count:,.0f} x {found.title} x {duration * SECONDS[unit]:,.15g} s x {found.peak[used] / 1e12:,.10g} "
        f"TFLOP/s ({used}) x {share:.10g} %",
        assumptions=assumed,
    )


def _assumed(device: Device, precision: str, share: float | None, text: str) -> tuple[str, ...]:
    """What a text of devices leaves open; what can be written instead is shown with the text's own figures."""
    found, (head, _, tail) = [], text.partition(":")
    others = [name for name in device.peak if name != precision]
    if precision and others:
        found.append(f"products in {precision}, usual on {device.name} (--budget {head}-{others[-1]}:{tail})")
    if share is not None:
        found.append(
            f"{share:g} % of the peak rate, as large language models reach; convolutions about half of it "
            f"(--budget {text}@50%)"
        )
    return tuple(found)
