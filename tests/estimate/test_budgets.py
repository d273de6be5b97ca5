"""Budgets as people write them, each unit by hand."""

from __future__ import annotations

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import amount, budget
from scalecalc.estimate.budgets import positive

DAY = 24 * 60 * 60
FLOPS = [
    # text, FLOPs
    ("1e21", 1e21),
    ("3.14e23", 3.14e23),
    ("2*10**14", 2e14),
    ("1e15 FLOP", 1e15),
    ("7k", 7e3),
    ("7K", 7e3),
    ("7M", 7e6),
    ("7G", 7e9),
    ("100T", 1e14),
    ("100TFLOP", 1e14),
    ("100 TFLOPs", 1e14),
    ("100TFLOPS", 1e14),
    ("100TF", 1e14),
    ("1000T", 1e15),
    ("1P", 1e15),
    ("1E", 1e18),
    ("1e3E", 1e21),
    ("1E3", 1e3),
    ("1E3F", 1e3),
    ("2.5Z", 2.5e21),
    ("1Y", 1e24),
    ("2*3P", 6e15),
    # a petaFLOP/s-day: 1e15 a second for 86,400 seconds
    ("1PF-day", 8.64e19),
    ("1PF-days", 8.64e19),
    ("1PFLOP/s-day", 8.64e19),
    ("1 PFLOP/s day", 8.64e19),
    ("1PF*day", 8.64e19),
    ("3640PF-days", 3640 * 8.64e19),
    ("2.5 PFLOP/s-day", 2.5e15 * DAY),
    ("1EF-day", 1e18 * DAY),
    ("1e15F-day", 8.64e19),
    ("1TF-s", 1e12),
    ("1TF-min", 60e12),
    ("1TF-h", 3600e12),
    ("2TFLOP/s-hours", 7200e12),
    ("1TF-week", 7 * DAY * 1e12),
]


@pytest.mark.parametrize(("text", "flops"), FLOPS)
def test_flops(text: str, flops: float) -> None:
    found = budget(text)
    assert found.flops == pytest.approx(flops, rel=1e-15)
    assert (found.text, found.how, found.assumptions) == (text, "", ())


# peak rates of the makers' data sheets; 40 % where no utilisation is written
DEVICES = [
    # text, FLOPs
    ("8xh100:3d", 8 * 989.4e12 * 3 * DAY * 0.4),
    ("8xH100-SXM:3d", 8 * 989.4e12 * 3 * DAY * 0.4),
    ("8 x h100 : 3 days", 8 * 989.4e12 * 3 * DAY * 0.4),
    ("8×h100:72h", 8 * 989.4e12 * 3 * DAY * 0.4),
    ("8*h100:3d@50%", 8 * 989.4e12 * 3 * DAY * 0.5),
    ("8xh100-bf16:3d@40%", 8 * 989.4e12 * 3 * DAY * 0.4),
    ("8xh100-sxm-fp8:3d@12.5%", 8 * 1978.9e12 * 3 * DAY * 0.125),
    ("h100-pcie:1d@100%", 756e12 * DAY),
    ("1024xa100:1w", 1024 * 312e12 * 7 * DAY * 0.4),
    ("2xa100-40gb-tf32:90m@30%", 2 * 156e12 * 5400 * 0.3),
    ("4xv100:1.5h@40%", 4 * 125e12 * 5400 * 0.4),
    ("1xt4-fp32:10s@50%", 8.1e12 * 10 * 0.5),
    ("512xtpu_v4:2weeks@40 %", 512 * 275e12 * 14 * DAY * 0.4),
]


@pytest.mark.parametrize(("text", "flops"), DEVICES)
def test_device_time(text: str, flops: float) -> None:
    assert budget(text).flops == pytest.approx(flops, rel=1e-12)


def test_what_device_time_takes_for_granted() -> None:
    found = budget("8xh100:3d")
    assert found.how == "8 x NVIDIA H100 SXM x 259,200 s x 989.4 TFLOP/s (bf16) x 40 %"
    precision, share = found.assumptions
    assert precision == "products in bf16, usual on h100-sxm (--budget 8xh100-fp32:3d)"
    assert share.startswith("40 % of the peak rate, as large language models reach;")
    assert share.endswith("(--budget 8xh100:3d@50%)")
    assert budget("8xh100-bf16:3d@40%").assumptions == ()
    assert budget("8xh100-bf16:3d@40%").flops == found.flops
    assert len(budget("8xh100:3d@40%").assumptions) == len(budget("8xh100-bf16:3d").assumptions) == 1
    assert budget("1xtpu-v4:1d@40%").assumptions == ()  # it has one precision


WRONG = [
    # text, part of the error
    ("", "'' is no budget; write for example 1e21, 100T, 1PF-day or 8xh100:3d"),
    ("100t", "is no budget"),
    ("100B", "is no budget"),
    ("100PB", "is no budget"),
    ("PF-day", "is no budget"),
    ("1PF-year", "is no budget"),
    ("1P-day", "is no budget"),
    ("5 days", "is no budget"),
    ("-1PF-day", "is no budget"),
    ("1ePF-day", "is no budget"),
    ("nanT", "is no budget"),
    ("1e400T", "is no budget"),
    ("1" * 401 + "T", "is no budget"),
    ("1PFLOP/s", "'1PFLOP/s' is a rate; say for how long: 1PFLOP/s-day"),
    ("8xh10:3d", "no device 'h10'; did you mean h100?"),
    ("8xabacus:3d", "no device 'abacus'; scalecalc devices lists them"),
    ("0xh100:3d", "'0' is no number of devices"),
    ("1.5xh100:3d", "'1.5' is no number of devices"),
    ("xh100:3d", "'' is no number of devices"),
    ("8xh100:3", "'8xh100:3' is no budget; write COUNTxDEVICE:DURATION@UTILISATION%"),
    ("8xh100:d", "write COUNTxDEVICE:DURATION"),
    ("8xh100:3y", "'3y' is no duration; write a number with s, m, h, d or w"),
    ("8xh100:-3d", "'-3d' is no duration"),
    ("8xh100:0d", "'0d' is no duration"),
    ("8xh100:3d@0%", "'0%' is no utilisation; write more than 0 to 100 %"),
    ("8xh100:3d@101%", "'101%' is no utilisation"),
    ("8xh100:3d@40", "write COUNTxDEVICE:DURATION"),
    ("8xh100:3d:4d", "write COUNTxDEVICE:DURATION"),
    ("8xt4-bf16:3d", "t4 has no rate in bf16; use one of fp16, fp32"),
    (":", "write COUNTxDEVICE:DURATION"),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_is_no_budget(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        budget(text)
    assert str(caught.value).startswith("--budget: ")
    assert says in str(caught.value)


AMOUNTS = [
    ("60000", 60_000), ("60k", 60_000), ("60K", 60_000), ("1.28M", 1_280_000), ("300B", 3e11), ("300G", 3e11),
    ("15T", 15e12), ("6e4*2", 120_000), (" 5 k ", 5_000), ("k", None), ("", None), ("-5k", None), ("5kk", None),
    ("5x", None), ("0M", None), ("1,5M", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), AMOUNTS)
def test_amounts(text: str, value: float | None) -> None:
    assert amount(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e400", "10**400", "x", "", "(" * 500, "1/0"])
def test_what_is_no_positive_number(text: str) -> None:
    assert positive(text) is None
