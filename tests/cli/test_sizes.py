"""Sizes: unset, set, by alias, out of bounds, contradicting; shapes of inputs; what else the user may state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_contract import LANGUAGE

CONV = "(float[n,3,h,v] x) => (float[n,4,a,b] y) <float[4,3,3,3] w> { y = Conv(x, w) }"
FIXED = "(float[1,4] x) => (float[1,2] y) <float[4,2] w> { y = MatMul(x, w) }"


def json(cli: Cli, path: Path, *rest: str, command: str = "estimate") -> Any:
    budget = ("--budget", "1e15") if command == "estimate" else ()
    answer = cli(command, path, *budget, "--format", "json", *rest)
    assert (answer.code, answer.err) == (0, "")
    return answer.json


def test_unset_sizes(cli: Cli, save) -> None:
    document = json(cli, save(LANGUAGE))
    symbols = document["model"]["symbols"]
    assert {name: (s["value"], s["assumed"], s["bound"]) for name, s in symbols.items()} == {
        "n": (1, True, None), "s": (64, True, 64)}  # fmt: skip
    assert "n 1 (--set n=)" in document["assumptions"]
    assert "s 64 = its bound (--set s=)" in document["assumptions"]


def test_sizes_set_are_no_assumptions(cli: Cli, save) -> None:
    document = json(cli, save(LANGUAGE), "--set", "n=2", "--set", "s=32")
    assert not any(symbol["assumed"] for symbol in document["model"]["symbols"].values())
    assert not any("--set" in line for line in document["assumptions"])
    assert document["forward"]["macs"]["value"] == 2 * 32 * (8 * 8 + 8 * 50)
    assert document["training"]["samples_per_step"]["value"] == 64


@pytest.mark.parametrize("name", ["batch", "unk__44", "unk__45", " batch "])
def test_an_alias_names_the_same_symbol(cli: Cli, seed_cnn: Path, name: str) -> None:
    document = json(cli, seed_cnn, "--set", f"{name}=3")
    assert document["model"]["symbols"]["batch"] == {
        "value": 3, "kind": "batch", "assumed": False, "bound": None, "aliases": ["unk__44", "unk__45"]}  # fmt: skip
    assert document["forward"]["macs"]["value"] == 3 * 2_440_960


@pytest.mark.parametrize("size", ["4", "2*2", "8/2", "2**2", "4.0", "4e0"])
def test_sizes_may_be_arithmetic(cli: Cli, seed_cnn: Path, size: str) -> None:
    assert json(cli, seed_cnn, "--set", f"batch={size}")["forward"]["macs"]["value"] == 4 * 2_440_960


ERRORS = [
    # graph, options, what stderr says
    (LANGUAGE, ("--set", "sq=3"), "--set: no symbol 'sq'; did you mean s?"),
    (LANGUAGE, ("--set", "height=3"), "--set: no symbol 'height'; its symbols are n, s"),
    (FIXED, ("--set", "n=3"), "--set: no symbol 'n': all sizes are fixed in the file; use --shape"),
    (LANGUAGE, ("--set", "s=65"), "the model needs s <= 64, which fails at these sizes (65 and 64)"),
    (LANGUAGE, ("--set", "s=0"), "--set: '0' is no positive number"),
    (LANGUAGE, ("--set", "s=-1"), "--set: '-1' is no positive number"),
    (LANGUAGE, ("--set", "s=1.5"), "--set: '1.5' is no whole number"),
    (LANGUAGE, ("--set", "s=1e16"), "--set: '1e16' is too large"),
    (LANGUAGE, ("--set", "s=n"), "--set: 'n' is no positive number"),
    (LANGUAGE, ("--set", "s"), "--set: 's' is not NAME=SIZE; write for example --set seq=512"),
    (LANGUAGE, ("--set", "=3"), "--set: '=3' is not NAME=SIZE"),
    (LANGUAGE, ("--set", "s=3", "--set", "s=4"), "--set: 's' is given twice"),
    (LANGUAGE, ("--shape", "x=1,2"), "--shape: no input 'x'; its inputs are ids"),
    (LANGUAGE, ("--shape", "ids"), "--shape: 'ids' is not INPUT=D,D,..; write --shape x=1,3,224,224"),
    (LANGUAGE, ("--shape", "ids=1,0"), "--shape: '0' is no positive number"),
    (LANGUAGE, ("--shape", "ids=1,,2"), "--shape: '' is no positive number"),
    (LANGUAGE, ("--shape", "ids=1,2", "--shape", "ids=1,3"), "--shape: 'ids' is given twice"),
    (LANGUAGE, ("--shape", "ids=1,65"), "65 is more than 64, in Gather node 'Gather_6'"),
    (CONV, ("--shape", "x=1,4,8,8"), "in Conv node 'Conv_0' of inputs 1x4x8x8, 4x3x3x3; check the sizes with --shape"),
    (CONV, ("--shape", "x=1,3,8"), "--shape: input 'x' has 4 dimensions, not 3; give its n, 3, h, v"),
    (CONV, ("--shape", "x=1,3,2,8"), "a window of 3 does not fit into 2"),
    (LANGUAGE, ("--task", "language-modelling"), "no task 'language-modelling'; did you mean language-modeling?"),
    (LANGUAGE, ("--task", "x"), "--task: no task 'x'; use one of language-modeling, "),
    (LANGUAGE, ("--sample", "word"), "--sample: no sample 'word'; use one of example, token, second"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("graph", "options", "says"), ERRORS, ids=lambda x: " ".join(x) if isinstance(x, tuple) else ""
)
@pytest.mark.parametrize("command", ["inspect", "estimate"])
def test_what_does_not_fit(cli: Cli, save, command: str, graph: str, options: tuple[str, ...], says: str) -> None:
    budget = ("--budget", "1e15") if command == "estimate" else ()
    answer = cli(command, save(graph), *budget, *options)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert answer.err.startswith("scalecalc: ")
    assert says in answer.err


def test_contradicting_aliases(cli: Cli, seed_cnn: Path) -> None:
    answer = cli("inspect", seed_cnn, "--set", "batch=2", "--set", "unk__44=3")
    assert (answer.code, answer.err) == (2, "scalecalc: --set: unk__44 is batch, which is 2 already; set it once\n")
    assert cli("inspect", seed_cnn, "--set", "batch=2", "--set", "unk__44=2").code == 0


@pytest.mark.exports
def test_a_sequence_beyond_the_table(cli: Cli) -> None:
    from tests.cli.conftest import EXPORTS

    answer = cli("estimate", EXPORTS / "gpt2.onnx", "--budget", "1e21", "--set", "seq=2048")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "scalecalc: --set: the model needs seq <= 1024, which fails at these sizes (2,048 and 1,024); "
        "choose sizes that fulfil it\n"
    )


def test_a_shape_replaces_the_file_s(cli: Cli, save) -> None:
    path = save(CONV)
    document = json(cli, path, "--shape", "x=2,3,10,12")
    assert document["model"]["symbols"] == {}
    assert document["model"]["outputs"]["y"] == [2, 4, 8, 10]
    assert document["forward"]["macs"] == {"formula": str(2 * 80 * 4 * 27), "value": 17_280, "lower_bound": False}
    named = json(cli, path, "--shape", "x=m,3,k,k", "--set", "k=10", "--set", "m=2")
    assert named["model"]["inputs"]["x"] == ["m", 3, "k", "k"]
    assert named["forward"]["macs"]["value"] == 2 * 64 * 4 * 27
    fixed = json(cli, save(FIXED), "--shape", "x=7,4")
    assert fixed["forward"]["macs"]["value"] == 7 * 4 * 2


def test_task_and_sample_overrule_the_guess(cli: Cli, save) -> None:
    path = save(LANGUAGE)
    guessed = json(cli, path)
    assert guessed["model"]["task"] == "masked-language-modeling"
    assert any(line.startswith("task guessed: ") for line in guessed["assumptions"])
    stated = json(cli, path, "--task", "language-modeling")
    assert stated["model"]["task"] == "language-modeling"
    assert stated["training"]["sample"] == "token"
    assert not any("task" in line for line in stated["assumptions"])
    why = {entry["law"]: entry["why"] for entry in stated["refused"]}
    assert why["besiroglu-2024"] == "other tokens: the law's are pieces of words, the model's of char"
    tokens = json(cli, path, "--task", "language-modeling", "--tokenizer", "gpt2")
    assert any(entry["why"].endswith("that of guessing") for entry in tokens["refused"])
    assert not guessed["predictions"]
    examples = json(cli, path, "--sample", "example")["training"]
    assert (examples["sample"], examples["samples_per_step"]["formula"]) == ("example", "n")
    assert examples["matrix_flops_per_sample"]["value"] == 64 * stated["training"]["matrix_flops_per_sample"]["value"]


ENCODER = """(int64[n,64] ids) => (float[n,64,64] y) <float[20000,64] table, float[64,64] w> {
    e = Gather(table, ids)  y = MatMul(e, w)
}"""


def test_forced_laws_are_not_comparable(cli: Cli, save) -> None:
    path = save(ENCODER)
    document = json(cli, path, "--force", "--task", "text-encoding")
    forced = [entry for entry in document["predictions"] if not entry["comparable"]]
    assert {"besiroglu-2024", "hoffmann-2022"} <= {entry["law"] for entry in forced}
    assert all(entry["binding"]["notes"][0].startswith("NOT COMPARABLE: ") for entry in forced)
    assert document["optimal"] == []
    out = cli("estimate", path, "--budget", "1e15", "--force", "--task", "text-encoding").out
    assert out.count("NOT COMPARABLE; ") == len(forced)


STRICT = [
    # options, what it complains of
    ((), "assumed: n 1 (--set n=); s 64 = its bound (--set s=); task guessed: masked language model (--task)"),
    (("--set", "n=1", "--set", "s=9"), "assumed: task guessed: masked language model (--task)"),
]


@pytest.mark.parametrize(("options", "says"), STRICT)
def test_strict(cli: Cli, save, options: tuple[str, ...], says: str) -> None:
    path = save(LANGUAGE)
    answer = cli("inspect", path, "--strict", *options)
    assert (answer.code, answer.err.count("\n")) == (3, 1)
    assert says in answer.err
    assert answer.out == cli("inspect", path, *options).out


def test_strict_is_content_when_nothing_is_assumed(cli: Cli, save) -> None:
    answer = cli("inspect", save(LANGUAGE), "--strict", "--set", "n=1", "--set", "s=9", "--task", "text-encoding")
    assert (answer.code, answer.err) == (0, "")


def test_experts_show_what_a_token_meets(cli: Cli) -> None:
    """Mixtral 8x7B: six of eight experts, 3 * 4096 * 14336 weights in each of 32 layers, are left out."""
    answer = cli("inspect", "mixtral")
    lines = {words[0]: words[1] for line in answer.out.splitlines() if len(words := line.split()) > 1}
    active = 46_702_792_704 - 6 * 32 * 3 * 4096 * 14336
    assert int(lines["active"].replace(",", "")) == active
    # products: all but the table of tokens and 65 norms, and scores and values of 32,768 tokens
    products = active - 32000 * 4096 - 65 * 4096 + 2 * 32 * 4096 * 32_768
    assert f"= {products / active:.3f} x 6N active" in answer.out
    assert "laws of dense models do not hold" in " ".join(answer.out.split())
    assert "active" not in cli("inspect", "gpt2").out
