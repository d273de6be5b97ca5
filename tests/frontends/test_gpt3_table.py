"""Table D.1 of GPT-3's paper: its arithmetic, and the exact cost of the shipped specifications beside it."""

from __future__ import annotations

import json

import pytest

from benchmarks.published.gpt3_table_d1 import Row, main, rows
from scalecalc.cli import run
from scalecalc.frontends import zoo

ROWS = {row.model: row for row in rows()}
GPT3 = {
    # layers and width of Table 2.1, the 13B one as wide as its 40 heads of 128
    "GPT-3 Small": (12, 768), "GPT-3 Medium": (24, 1024), "GPT-3 Large": (24, 1536), "GPT-3 XL": (24, 2048),
    "GPT-3 2.7B": (32, 2560), "GPT-3 6.7B": (32, 4096), "GPT-3 13B": (40, 5120), "GPT-3 175B": (96, 12288),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.model)
def test_the_table_is_its_own_arithmetic(row: Row) -> None:
    assert row.arithmetic == pytest.approx(row.published, rel=0.01)
    assert zoo.find(row.spec) is not None


def test_all_lines_are_there() -> None:
    assert len(ROWS) == 17


@pytest.mark.parametrize("model", GPT3)
def test_exact_cost_of_a_decoder(model: str) -> None:
    """Narayanan et al. 2021 (arXiv:2104.04473), equation 3 without recomputed activations, for 300e9 tokens:
    72 l h^2 (1 + s/6h + V/12lh) for each."""
    layers, width = GPT3[model]
    per_token = 72 * layers * width**2 + 12 * layers * width * 2048 + 6 * width * 50257
    assert ROWS[model].exact == per_token * 300e9


@pytest.mark.parametrize(
    ("model", "macs"),
    [("BERT-Base", 48_318_971_904 / 512 * 250e9), ("T5-Small", 17_708_900_352 / 512 * 1000e9)],
)
def test_exact_cost_of_others(model: str, macs: float) -> None:
    """Forward as torch's FlopCounterMode counts transformers' models; training is three times that."""
    assert ROWS[model].exact == pytest.approx(6 * macs, rel=1e-12)


def test_the_largest_model_costs_little_more_than_the_rule_of_thumb() -> None:
    """Attention's share falls as models get wider."""
    ratios = [ROWS[model].exact / ROWS[model].published for model in GPT3]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == pytest.approx(1.03, abs=0.01)


def test_prints(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert len(capsys.readouterr().out.splitlines()) == 18


def test_what_its_compute_buys(capsys: pytest.CaptureFixture[str]) -> None:
    """300 billion tokens for 3.14e23 FLOP: within 3 % by the exact cost, within .5 % by 6ND."""
    assert run(["estimate", "gpt3:175b", "--budget", "3.14e23", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    bought = found["budget"]["data"]
    assert bought == pytest.approx(300e9, rel=0.03)
    assert bought * found["training"]["ratio_6N_total"] == pytest.approx(300e9, rel=0.005)
