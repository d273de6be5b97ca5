"""The options of `estimate` on the command line: budgets, data, steps, attention, counts, laws."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import EXPORTS, Cli
from tests.cli.corpus import GRAPHS
from tests.cli.test_contract import ESTIMATE, check

SEED_COST = 14_256_384  # training matrix FLOPs of one example, by hand in test_figures.py


def json(cli: Cli, path: Path, *arguments: str) -> Any:
    answer = cli("estimate", path, *arguments, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    return answer.json


BUDGETS = [
    # text, FLOPs, what is printed before what it buys
    ("1e14", 1e14, None),
    ("100T", 1e14, "100T = 1e14 FLOP"),
    ("1PF-day", 8.64e19, "1PF-day = 8.64e19 FLOP"),
    ("2.5 PFLOP/s-day", 2.16e20, "2.5 PFLOP/s-day = 2.16e20 FLOP"),
    # 8 x 125e12 x 3600 x .4
    ("8xv100:1h", 1.44e18, "8xv100:1h = 8 x NVIDIA V100 SXM2 x 3,600 s x 125 TFLOP/s (fp16) x 40 % = 1.44e18 FLOP"),
]


@pytest.mark.parametrize(("text", "flops", "line"), BUDGETS)
def test_a_budget_is_said_in_flops(cli: Cli, seed_cnn: Path, text: str, flops: float, line: str | None) -> None:
    document = json(cli, seed_cnn, "--budget", text)
    check(document, ESTIMATE)
    budget = document["budget"]
    assert (budget["text"], budget["compute"]) == (text, pytest.approx(flops, rel=1e-12))
    assert budget["data"] == pytest.approx(flops / SEED_COST, rel=1e-12)
    assert bool(budget["how"]) == (":" in text)
    out = cli("estimate", seed_cnn, "--budget", text).out
    lines = [row.strip() for row in out.splitlines()]
    assert lines.count(line) == (line is not None)
    if ":" in text:
        assert any("(--budget 8xv100-fp32:1h)" in row for row in lines)
        assert any("(--budget 8xv100:1h@50%)" in row for row in lines)


def test_a_data_set_by_name(cli: Cli, seed_cnn: Path) -> None:
    document = json(cli, seed_cnn, "--budget", "1e15", "--dataset", "MNIST", "--batch-size", "128")
    check(document, ESTIMATE)
    budget = document["budget"]
    assert (budget["dataset"], budget["unique"], budget["batch_size"]) == ("mnist", 60_000, 128)
    assert budget["epochs"] == pytest.approx(1e15 / SEED_COST / 60_000, rel=1e-12)
    assert budget["steps"] == pytest.approx(1e15 / SEED_COST / 128, rel=1e-12)
    notes = document["predictions"][0]["binding"]["notes"]
    assert not any("corpus" in note for note in notes)  # it is the law's own
    out = cli("estimate", seed_cnn, "--budget", "1e15", "--dataset", "mnist", "--batch-size", "128").out
    bought = "1.00e15 FLOP buy 70,144,014 examples, 1,169 epochs of mnist (60,000); 548,000 steps of 128 examples"
    assert bought in out
    other = json(cli, seed_cnn, "--budget", "1e15", "--dataset", "cifar10")
    assert "another corpus: the law's is mnist, the model's cifar10" in other["predictions"][0]["binding"]["notes"]


@pytest.mark.parametrize(("text", "unique"), [("60k", 60_000), ("1.28M", 1_280_000), ("6e4", 60_000), ("2B", 2e9)])
def test_distinct_samples_with_suffixes(cli: Cli, seed_cnn: Path, text: str, unique: float) -> None:
    assert json(cli, seed_cnn, "--budget", "1e15", "--unique", text)["budget"]["unique"] == unique


def test_a_number_overrules_the_data_set(cli: Cli, seed_cnn: Path) -> None:
    budget = json(cli, seed_cnn, "--budget", "1e15", "--dataset", "c4", "--unique", "1k")["budget"]
    assert (budget["dataset"], budget["unique"]) == ("c4", 1_000)


def test_counting_everything(cli: Cli, seed_cnn: Path) -> None:
    document = json(cli, seed_cnn, "--budget", "1e15", "--count", "all", "--batch-size", "64")
    check(document, ESTIMATE)
    training = document["training"]
    cost = SEED_COST + training["vector_flops"]["value"] + training["optimizer_flops"]["value"] / 64
    budget = document["budget"]
    assert budget["count"] == "all"
    assert budget["flops_per_sample"] == pytest.approx(cost, rel=1e-12)
    assert budget["data"] == pytest.approx(1e15 / cost, rel=1e-12)
    assert budget["matrix_flops"] == pytest.approx(1e15 * SEED_COST / cost, rel=1e-12)
    assert document["predictions"][0]["binding"]["variables"]["C"]["value"] == budget["matrix_flops"]
    out = cli("estimate", seed_cnn, "--budget", "1e15", "--count", "all", "--batch-size", "64").out
    assert "1.00e15 FLOP of all kinds (" in out
    assert " of matrix products) buy " in out


LINEAR = 16 * 48 + 16 * 16 + 16 * 32 + 32 * 16 + 16 * 50  # per token of GRAPHS["language"], as in test_attention.py


@pytest.mark.parametrize(("attention", "share"), [("full", 1), ("causal", 0.5), ("none", 0)])
def test_ways_to_count_attention(cli: Cli, save, attention: str, share: float) -> None:
    path = save(GRAPHS["language"])
    options = ("--budget", "1e12", "--set", "s=40", "--attention", attention)
    training = json(cli, path, *options)["training"]
    cost = 6 * (LINEAR + share * 32 * 40)
    assert training["attention"] == attention
    assert training["matrix_flops_per_sample"]["value"] == cost
    assert training["matrix_flops"]["value"] == 40 * cost
    assert training["matrix_flops_full"]["value"] == 40 * 6 * (LINEAR + 32 * 40)
    assert training["matrix_flops_causal"]["value"] == 40 * 6 * (LINEAR + 16 * 40)
    params = 50 * 16 + 64 * 16 + 16 * 48 + 16 * 16 + 2 * 16 + 16 * 32 + 32 + 32 * 16
    assert training["ratio_6N_total"] == pytest.approx(cost / (6 * params), rel=1e-12)
    assert training["ratio_6N_non_embedding"] == pytest.approx(cost / (6 * (params - 114 * 16)), rel=1e-12)
    rows = [line.split()[0] for line in cli("estimate", path, *options).out.splitlines() if "the graph" in line]
    assert ("full" in rows, "causal" in rows) == (attention != "full", attention != "causal")


LAW = """
name: mine
kind: conditional
formula: "0.1 + 2*D**-0.2"
D: {sample: example, meaning: seen}
metric: {name: error, unit: fraction, better: lower, bounds: [0, 1]}
applies_to: {modality: image, task: image-classification}
source: {citation: "runs of ours"}
"""


def test_a_law_of_ones_own(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(LAW)
    document = json(cli, seed_cnn, "--budget", "1e15", "--law", str(path))
    check(document, ESTIMATE)
    names = [entry["law"] for entry in document["predictions"]]
    assert names[0] == "mine"
    assert "seed-exponential" in names
    assert document["predictions"][0]["value"] == pytest.approx(0.1 + 2 * (1e15 / SEED_COST) ** -0.2, rel=1e-12)
    assert "mine expects error 0.1" in document["verdict"]
    named = json(cli, seed_cnn, "--budget", "1e15", "--law", "seed-exponential")
    assert named["predictions"][0]["law"] == "seed-exponential"
    refused = json(cli, seed_cnn, "--budget", "1e15", "--law", "hoffmann-2022")
    assert refused["refused"][0]["law"] == "hoffmann-2022"
    assert "another task" in refused["refused"][0]["why"]
    out = cli("estimate", seed_cnn, "--budget", "1e15", "--law", "hoffmann-2022").out
    assert "refused: hoffmann-2022: another task: the law's is language-modeling" in out
    assert re.search(r"refused: \d+ of another task \(.*language-modeling", out)


BAD = [
    # options, the line on stderr
    (("--budget", "8xh10:3d"), "--budget: no device 'h10'; did you mean h100?"),
    (("--budget", "1PFLOP/s"), "--budget: '1PFLOP/s' is a rate; say for how long: 1PFLOP/s-day"),
    (("--dataset", "imgnet"), "--dataset: no data set 'imgnet'; did you mean imagenet?"),
    (("--dataset", "c4"), "--dataset: c4 is of modality text, the model's is image; use for example mnist, "
                          "fashion-mnist, cifar10, cifar100, or give --unique, or --task if the guess is wrong"),
    (("--batch-size", "0.5"), "--batch-size: '0.5' is no whole number; write for example 512, 60k"),
    (("--batch-size", "1e30"), "--batch-size: '1e30' is too large; give a number below 2^53"),
    (("--attention", "causal"), "--attention: no causal mask was recognised in this model; leave it out: every "
                                "product counts"),
    (("--attention", "half"), "--attention: no attention 'half'; use one of full, causal, none"),
    (("--count", "some"), "--count: no count 'some'; use one of matrix, all"),
    (("--sample", "second"), "--sample: the model takes no audio; use example"),
    (("--law", "hofmann-2022"), "no law 'hofmann-2022'; try "),
    (("--law", "missing.yaml"), "missing.yaml: cannot be read (No such file or directory); check the path"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "says"), BAD)
def test_options_that_make_no_sense(cli: Cli, seed_cnn: Path, options: tuple[str, ...], says: str) -> None:
    budget = () if "--budget" in options else ("--budget", "1e15")
    answer = cli("estimate", seed_cnn, *budget, *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert answer.err.startswith(f"scalecalc: {says}")


@pytest.mark.exports
def test_gpt2_on_openwebtext(cli: Cli) -> None:
    """nanoGPT's own recipe: 300B tokens in 600,000 steps of 491,520; 6N of 124M and attention over 1,024 tokens."""
    path = EXPORTS / "gpt2.onnx"
    cost = 6 * (123_532_032 + 18_432 * 1024)  # weights of the products, and scores and values, per token
    tokens = 600_000 * 480 * 1024
    document = json(
        cli, path, "--budget", f"{cost}*{tokens}", "--dataset", "openwebtext", "--batch-size", "480",
        "--tokenizer", "gpt2",
    )  # fmt: skip
    budget = document["budget"]
    assert budget["steps"] == pytest.approx(600_000, rel=1e-12)
    assert budget["data"] == pytest.approx(tokens, rel=1e-12)
    assert budget["epochs"] == pytest.approx(tokens / 9_035_582_198, rel=1e-12)


# PyTorch's FlopCounterMode on t5_small, two layers each side: the decoder's own scores are the only causal ones
@pytest.mark.exports
def test_only_a_decoder_s_own_scores_are_causal(cli: Cli) -> None:
    path = EXPORTS / "t5_small.onnx"
    assert path.exists(), f"{path} is missing: python tests/exports/make.py"
    options = ("--budget", "1e12", "--set", "batch=2", "--set", "seq=64", "--set", "target=30")
    full, causal, none = (json(cli, path, *options, "--attention", a) for a in ("full", "causal", "none"))
    macs = [document["forward"]["macs"]["value"] for document in (full, causal, none)]
    assert macs[0] == 68_015_616
    width, layers = 6 * 24, 2  # heads of 24
    assert macs[0] - macs[1] == 2 * layers * (2 * width * 30 * 30) // 2
    assert macs[0] - macs[2] == 2 * layers * 2 * width * (64 * 64 + 30 * 30 + 30 * 64)
