"""Answers against figures from outside: the seed article's network by hand, published sizes of GPT-2 and ResNet-50."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scalecalc import profile
from scalecalc.estimate.answer import estimate as by_laws
from scalecalc.laws import shipped
from tests.cli.conftest import EXPORTS, Cli

PREDICTING = {name for name, law in shipped().items() if law.predicts}


def estimate(cli: Cli, path: Path, budget: str, *rest: str) -> Any:
    answer = cli("estimate", path, "--budget", budget, "--format", "json", *rest)
    assert (answer.code, answer.err) == (0, "")
    return answer.json


def value(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document["value"]


# one example, 28x28x1: Conv 3x3x1x32 on 26x26, Conv 3x3x32x64 on 11x11, Dense 1600 -> 10; the stem gets no gradient
SEED = {
    "params.trainable": (3 * 3 * 1 + 1) * 32 + (3 * 3 * 32 + 1) * 64 + (1600 + 1) * 10,
    "params.head": 1601 * 10,
    "params.linear": 288 + 18_432 + 16_000,
    "forward.macs": 26 * 26 * 32 * 9 + 11 * 11 * 64 * 288 + 16_000,
    "forward.matrix_flops": 2 * 2_440_960,
    "training.backward_matrix_flops": 2 * (194_688 + 2 * 2_230_272 + 2 * 16_000),
    "training.matrix_flops": 14_256_384,
    "training.matrix_flops_per_sample": 14_256_384,
    "memory.weights": 4 * 34_826,
    "memory.gradients": 4 * 34_826,
    "memory.optimizer": 8 * 34_826,
}


@pytest.mark.parametrize(("path", "expected"), SEED.items())
def test_the_seed_network(cli: Cli, seed_cnn: Path, path: str, expected: int) -> None:
    assert value(estimate(cli, seed_cnn, "1e15"), path) == expected


def test_the_seed_network_s_published_figures() -> None:
    assert SEED["params.trainable"] == 34_826
    assert SEED["forward.macs"] == 2_440_960
    assert SEED["training.backward_matrix_flops"] == 9_374_464 == 2 * 4_687_232


# the article's two points, and where accuracy reaches 1: C = 1e15 + log(1/.95)/log(.95/.9) * 9e14 = 1.854e15
@pytest.mark.parametrize(("budget", "accuracy"), [("1e14", 0.9), ("1e15", 0.95), ("5.5e14", (0.9 * 0.95) ** 0.5)])
def test_the_seed_law(cli: Cli, seed_cnn: Path, budget: str, accuracy: float) -> None:
    document = estimate(cli, seed_cnn, budget)
    (prediction,) = [entry for entry in document["predictions"] if entry["law"] == "seed-exponential"]
    assert (prediction["law"], prediction["metric"], prediction["unit"]) == ("seed-exponential", "accuracy", "fraction")
    assert prediction["value"] == pytest.approx(accuracy, rel=1e-12)
    assert (prediction["interval"], prediction["inside_range"], prediction["comparable"]) == (None, True, True)
    why = {entry["law"]: entry["why"] for entry in document["refused"]}
    assert set(why) == PREDICTING - {entry["law"] for entry in document["predictions"]}
    assert all(("1,000 classes" if law.startswith("zhai") else "another task") in why[law] for law in why)
    assert document["optimal"] == document["frontier"] == []


def test_beyond_its_bound_the_seed_law_is_refused(cli: Cli, seed_cnn: Path) -> None:
    document = estimate(cli, seed_cnn, "2e15")
    why = {entry["law"]: entry["why"] for entry in document["refused"]}
    assert set(why) == PREDICTING - {entry["law"] for entry in document["predictions"]}
    assert why["seed-exponential"].startswith("accuracy would exceed 1: the law ends at C = 1.854e+15")
    alone = by_laws(profile(seed_cnn), 2e15, laws={"seed-exponential": shipped()["seed-exponential"]})
    assert "ask for less" in alone.verdict


@pytest.mark.parametrize(("budget", "batch"), [("1e15", 1), ("1e15", 64), ("1", 1)])
def test_what_a_budget_buys(cli: Cli, seed_cnn: Path, budget: str, batch: int) -> None:
    bought = estimate(cli, seed_cnn, budget, "--set", f"batch={batch}")["budget"]
    data = Fraction(float(budget)) / 14_256_384
    assert bought["compute"] == float(budget)
    assert bought["data"] == float(data)
    assert bought["steps"] == pytest.approx(float(data / batch), rel=1e-15)
    assert int(bought["data"]) == {"1e15": 70_144_014, "1": 0}[budget]


@pytest.mark.parametrize(("unique", "epochs"), [("60000", 1169.0669), ("6e4*2", 584.5335)])
def test_epochs(cli: Cli, seed_cnn: Path, unique: str, epochs: float) -> None:
    bought = estimate(cli, seed_cnn, "1e15", "--unique", unique)
    assert bought["budget"]["unique"] == eval(unique)
    assert bought["budget"]["epochs"] == pytest.approx(epochs, abs=1e-4)
    assert not any("one pass" in line for line in bought["assumptions"])


@pytest.mark.exports
class TestGpt2:
    """GPT-2 124M: Radford et al. 2019; losses and optima by hand from the publications' coefficients."""

    @pytest.fixture
    def document(self, cli: Cli) -> Any:
        return estimate(cli, EXPORTS / "gpt2.onnx", "1e21")

    def test_counts(self, document: Any) -> None:
        expected = {
            "params.trainable": 124_439_808,
            "params.embedding": 50_257 * 768,
            "params.positional": 1_024 * 768,
            "params.non_embedding": 85_056_000,
            "params.linear": 123_532_032,
            "forward.macs": 123_532_032 * 1024 + 18_432 * 1024**2,
            "training.matrix_flops_per_sample": 6 * (123_532_032 + 18_432 * 1024),
        }
        assert {path: value(document, path) for path in expected} == expected
        assert document["model"]["conditions"] == ["seq <= 1024"]
        assert int(document["budget"]["data"] / 1e8) == 11_703

    def test_predictions(self, document: Any) -> None:
        found = {entry["law"]: round(entry["value"], 3) for entry in document["predictions"]}
        assert found == {
            "besiroglu-2024": 2.634, "hoffmann-2022": 2.580, "hoffmann-2022-unrounded": 2.573,
            "kaplan-2020-joint": 2.797,
            # one pass: e^.6254804 + e^6.255414/124439808^.3526596 + e^7.3049974/1.1703e12^.3526596
            "muennighoff-2023": 2.679,
        }  # fmt: skip
        assert document["predictions"][0]["law"] == "besiroglu-2024"
        outside = document["predictions"][0]["decades_outside"]
        assert (round(outside["D"], 2), round(outside["D/N"], 2)) == (0.57, 1.44)

    def test_optimum(self, document: Any) -> None:
        best = document["optimal"][0]
        assert (best["law"], best["cost"]) == ("besiroglu-2024", "6ND")
        assert round(best["params"] / 1e9, 2) == 2.78
        assert round(best["data"] / 1e9) == 60
        assert round(best["value"], 2) == 2.30
        assert round(best["this_model_is_optimal_at"] / 1e18, 1) == 2.3
        assert round(document["efficiency"]["compute"], 3) == 0.055
        assert "Too small" in document["verdict"]

    def test_table(self, cli: Cli) -> None:
        out = cli("estimate", EXPORTS / "gpt2.onnx", "--budget", "1e21").out
        for text in ("142.4 MMAC = 284.8 MFLOP", "854.4 MFLOP", "797.8 MFLOP", "1.144 x 6N total = 1.674 x 6N",
                     "1.00e21 FLOP buy 1.170e12 tokens: 9,405 per parameter", "loss 2.63 nat/token",
                     "loss 2.80 nat/token", "5.5 %", "seq 1,024 = its bound (--set seq=)", "50,257"):  # fmt: skip
            assert text in out, text

    def test_its_tokenizer_makes_kaplan_first(self, cli: Cli) -> None:
        document = estimate(cli, EXPORTS / "gpt2.onnx", "1e21", "--tokenizer", "gpt2")
        assert document["predictions"][0]["law"] == "kaplan-2020-joint"


@pytest.mark.exports
def test_resnet50(cli: Cli) -> None:
    document = estimate(cli, EXPORTS / "resnet50.onnx", "1e15")
    assert value(document, "forward.macs") == 4_089_184_256
    assert value(document, "training.matrix_flops_per_sample") == 6 * 4_089_184_256 - 2 * 118_013_952
    assert round(document["budget"]["data"], 1) == 41_153.8
    why = {entry["law"]: entry["why"] for entry in document["refused"]}
    assert document["predictions"] == []
    assert why["seed-exponential"].startswith("other data: the law's has 10 classes, the model's 1,000")
    assert set(why) == PREDICTING


@pytest.mark.exports
def test_unset_sizes_are_asked_for(cli: Cli) -> None:
    document = estimate(cli, EXPORTS / "resnet50_hw.onnx", "1e15")
    assert value(document, "forward.macs") is document["budget"]["data"] is None
    assert value(document, "params.trainable") == 25_530_472
    assert "height" in document["verdict"]
    assert "--set height=224 --set width=224" in document["verdict"]


@pytest.mark.exports
@pytest.mark.parametrize("side", [224, 256, 320, 333])
def test_sizes_set_equal_the_static_export(cli: Cli, side: int) -> None:
    dynamic = estimate(cli, EXPORTS / "resnet50_hw.onnx", "1e15", "--set", f"height={side}", "--set", f"width={side}")
    static = estimate(cli, EXPORTS / f"resnet50_{side}.onnx", "1e15", "--format", "json")
    for group in ("params", "forward", "training"):
        for name in static[group].keys() - {"sample", "bytes"}:
            if not isinstance(static[group][name], dict):
                assert dynamic[group][name] == static[group][name]
                continue
            assert value(dynamic, f"{group}.{name}") == value(static, f"{group}.{name}"), name
    assert dynamic["budget"] == static["budget"]


@pytest.mark.exports
def test_bert(cli: Cli) -> None:
    document = estimate(cli, EXPORTS / "bert_base.onnx", "1e18")
    assert document["model"]["task"] == "text-encoding"
    assert value(document, "forward.macs") == 512 * (84_934_656 + 18_432 * 512)
    assert value(document, "params.positional") == 512 * 768
    assert document["predictions"] == []
    assert "No shipped law covers this task" in document["verdict"]
