"""`scalecalc predict`: values in the units people have, turned into those the law counts in, or refused."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli

PF_DAY = 1e15 * 86_400
# (3.1e8/C)^.05 at 1e21 FLOP = 11.574 PF-days, by hand
KAPLAN = (3.1e8 / (1e21 / PF_DAY)) ** 0.05


@pytest.mark.parametrize(
    ("text", "days", "status"),
    [
        ("1e21", 1e21 / PF_DAY, "converted"),
        ("100T", 1e14 / PF_DAY, "converted"),
        ("1ZFLOP", 1e21 / PF_DAY, "converted"),
        ("2.5PFLOP/s-day", 2.5, "converted"),
        ("1PF-day", 1.0, "exact"),
        ("3640 PF-days", 3640.0, "exact"),
        ("2*3PF-day", 6.0, "exact"),
    ],
)
def test_compute_is_in_flop_unless_a_unit_is_said(cli: Cli, text: str, days: float, status: str) -> None:
    document = cli("predict", "kaplan-2020-compute", "--set", f"C={text}", "--format", "json").json
    bound = document["binding"]["variables"]["C"]
    assert (bound["value"], bound["status"]) == (pytest.approx(days, rel=1e-12), status)
    assert document["value"] == pytest.approx((3.1e8 / days) ** 0.05)


def test_the_conversion_is_shown(cli: Cli) -> None:
    out = cli("predict", "kaplan-2020-compute", "--set", "C=1e21").out
    assert f"loss {KAPLAN:.3f} nat/token" in out
    assert "11.5741 PF-day  converted  1e+21 FLOP/8.64e19 PF-days" in out
    six = cli("predict", "kaplan-2020-compute", "--set", "N=1e9", "--set", "D=20B").out
    assert "1.38889 PF-day  converted  1.2e+20 FLOP/8.64e19 PF-days; 6*N*D, N non_embedding" in six


def test_a_unit_that_is_no_work(cli: Cli) -> None:
    """.09 + .26 (999.99 + .01)^-.35 = .09 + .26*10^-1.05"""
    document = cli("predict", "zhai-2022-finetune", "--set", "C=999.99core-days", "--format", "json").json
    assert document["value"] == pytest.approx(0.09 + 0.26 * 10**-1.05)


def test_units_of_other_variables(cli: Cli) -> None:
    at = ("--set", "N=1e8", "--set", "D=10B", "--set", "P_w=4bits", "--set", "P_a=1000 bit", "--set", "P_kv=1000")
    document = cli("predict", "kumar-2024", *at, "--format", "json").json
    assert document["value"] == pytest.approx(3.4655, abs=5e-5)
    assert document["binding"]["variables"]["P_w"] == {"value": 4.0, "status": "exact", "how": "as given"}


def test_data_from_a_laws_own_compute(cli: Cli) -> None:
    at = ("--set", "N=1e9", "--set", "C=1e21", "--format", "json")
    bound = cli("predict", "hoffmann-2022", *at).json["binding"]["variables"]["D"]
    assert (bound["value"], bound["status"]) == (pytest.approx(1e21 / 6e9), "converted")


@pytest.mark.parametrize(
    ("arguments", "says", "value"),
    [
        (("deepseek-2024-learning-rate", "--set", "C=1e21"), "learning rate 0.0007394\n", 0.3118 * 10**-2.625),
        (("kaplan-2020-best-n", "--set", "C=1PF-day"), "best N 1.3e+09 parameter\n", 1.3e9),
        (("mccandlish-2018-critical-batch", "--set", "L=1nat/token"), "batch 2e+08 token\n", 2e8),
    ],
)
def test_laws_of_something_else_than_performance(cli: Cli, arguments: tuple[str, ...], says: str, value: float) -> None:
    assert says in cli("predict", *arguments).out
    assert cli("predict", *arguments, "--format", "json").json["value"] == pytest.approx(value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("zhai-2022-finetune", "--set", "C=1e21"),
            "the law counts in core-days, which FLOPs do not tell; give --set C=...core",
        ),
        (("kaplan-2020-compute", "--set", "C=12parsec"), "C = '12parsec' is no compute"),
        (("kaplan-2020-compute", "--set", "C=8xh100:3d"), "is no compute; write FLOP or FLOP/s times a duration"),
        (("kaplan-2020-compute", "--set", "C=1PF"), None),
        (("kaplan-2020-compute", "--set", "C=1PFLOP/s"), "is no compute"),
        (("kumar-2024", "--set", "P_w=4bytes"), "P_w = '4bytes' is no positive number; write for example"),
        (("kaplan-2020-best-n", "--set", "C.exact=1e21"), "exact is given, the law counts 6N_nonemb*D"),
        (("mccandlish-2018-critical-batch", "--set", "L.total=2"), "L has no count 'total'"),
        (("kaplan-2020-learning-rate", "--set", "N=1e12"), "learning rate would fall below 0"),
        (("porian-2024-batch",), "N: no value; give --set N=..."),
        (("kaplan-2020-d", "--set", "D=1e-300"), "D = 1e-300 is beyond any run; give from 1e-60 to 1e60"),
        (("besiroglu-2024", "--set", "N=1e308", "--set", "D=59"), "N = 1e+308 is beyond any run"),
        # N=1e9 is without embeddings, and 6 N D over the total ones tells no D of it
        (("li-2025-learning-rate", "--set", "N=1e9", "--set", "C.6N_total*D=6e19"), "D: no value; give --set D=..."),
        (("kaplan-2020-n", "--set", "N=1e9", "--set", "N.non_embedding=2e9"), "are the same count; give one of them"),
    ],
)
def test_what_is_no_value(cli: Cli, arguments: tuple[str, ...], said: str | None) -> None:
    answer = cli("predict", *arguments)
    if said is None:  # a PFLOP
        assert answer.code == 0
        return
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1
