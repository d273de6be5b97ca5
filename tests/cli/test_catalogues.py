"""`laws`, `laws show`, `datasets`, `devices`, `ops`, `models`, `layers`: what there is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from scalecalc.estimate import datasets
from scalecalc.hardware import devices
from scalecalc.laws import catalogue, load
from scalecalc.ops import OPERATORS
from tests.cli.conftest import Cli
from tests.cli.test_contract import from_markdown

LISTS = {
    # command: columns
    "laws": ["law", "kind", "predicts", "applies to", "takes", "formula", "source"],
    "datasets": ["data set", "holds", "tokenizer", "task", "modality", "classes", "year", "source", "note", "also"],
    "devices": ["device", "title", "peak TFLOP/s, dense", "memory GB", "GB/s", "W", "year", "source", "note", "also"],
    "ops": ["operator", "domain", "rule", "attributes read"],
    "models": ["model", "title", "domain", "params", "active", "forward", "per", "source"],
    "layers": ["layer", "options", "what it is"],
}


@pytest.mark.parametrize("command", LISTS)
def test_all_formats_say_the_same(cli: Cli, command: str) -> None:
    rows = cli(command, "--format", "json").json
    cells = [list(row.values()) for row in rows]
    assert all(list(row) == LISTS[command] for row in rows)
    assert list(csv.reader(io.StringIO(cli(command, "--format", "csv").out))) == [LISTS[command], *cells]
    assert from_markdown(cli(command, "--format", "markdown").out) == [LISTS[command], *cells]
    table = cli(command).out.splitlines()
    assert len(table) == 1 + len(rows)
    assert all(row[0] in line and row[2] in line for row, line in zip(cells, table[1:], strict=True))


def test_laws_are_all_listed(cli: Cli) -> None:
    rows = {row["law"]: row for row in cli("laws", "--format", "json").json}
    assert set(rows) == set(catalogue())
    assert rows["alabdulmohsin-2022-m4"]["kind"] == "a form: fit it"
    assert rows["seed-exponential"]["formula"] == "a*exp(b*C)"
    assert rows["seed-exponential"]["applies to"] == "image-classification, image"
    assert rows["kaplan-2020-joint"]["takes"] == "N non_embedding, D unique"


def test_data_sets_are_all_listed(cli: Cli) -> None:
    rows = {row["data set"]: row for row in cli("datasets", "--format", "json").json}
    assert set(rows) == set(datasets())
    assert rows["imagenet1k"]["holds"] == "1,281,167 examples"
    assert rows["c4"]["holds"] == "about 156,000,000,000 tokens"
    assert rows["librispeech960"]["holds"] == "3,459,240 seconds, 281,241 examples"
    assert all(row["source"] for row in rows.values())


def test_devices_are_all_listed(cli: Cli) -> None:
    rows = {row["device"]: row for row in cli("devices", "--format", "json").json}
    assert set(rows) == set(devices())
    assert rows["h100-sxm"]["peak TFLOP/s, dense"] == "fp8 1,978.9, bf16 989.4, fp16 989.4, tf32 494.7, fp32 66.9"
    assert (rows["h100-sxm"]["memory GB"], rows["h100-sxm"]["also"]) == ("80", "h100")
    assert all(row["source"] for row in rows.values())


def test_operators_are_all_listed(cli: Cli) -> None:
    rows = cli("ops", "--format", "json").json
    assert {(row["domain"].replace("ai.onnx", ""), row["operator"]) for row in rows} == set(OPERATORS)
    assert all(row["rule"] for row in rows)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_a_law_shows_all_its_constants(cli: Cli, name: str) -> None:
    law = catalogue()[name]
    answer = cli("laws", "show", name)
    assert (answer.code, answer.err) == (0, "")
    labels = [line[:18].strip() for line in answer.out.splitlines()]
    if len(name) < 18:
        assert labels[0] == name
    assert {"formula", "kind", "constants", "variables", "metric", "range", "source"} <= set(labels)
    for constant in law.coefficients.values():
        assert f"{constant.name} " in answer.out
        assert ("to be fitted" if constant.value is None else f"{constant.value:g}") in answer.out
    assert law.source.citation.split(",")[0] in answer.out


def test_a_law_from_a_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text in ("", "a: [", "42", "laws: {}", "\0", "&a [*a]"):
        path.write_text(text)
        answer = cli("laws", "show", path)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("scalecalc: ")
        assert answer.err.count("\n") == 1


def test_a_catalogue_as_a_file(cli: Cli, tmp_path: Path) -> None:
    for command in (("laws",), ("ops",), ("datasets",), ("devices",), ("laws", "show", "seed-exponential")):
        expected = cli(*command).out
        answer = cli(*command, "--output", tmp_path / "out")
        assert (answer.code, answer.out) == (0, "")
        assert (tmp_path / "out").read_text() == expected


def test_models_by_words(cli: Cli) -> None:
    rows = cli("models", "gpt2 natural", "--format", "json").json
    assert [row["model"] for row in rows] == ["gpt2", "gpt2:medium", "gpt2:large", "gpt2:xl"]
    assert [row["params"] for row in rows] == ["124,439,808", "354,823,168", "774,030,080", "1,557,611,200"]
    assert {row["per"] for row in rows} == {"token at seq 1,024"}
    assert "did you mean gpt2?" in cli("models", "gpt22").err


def test_a_models_file_is_one_to_start_from(cli: Cli, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(cli("models", "gpt2", "--spec").out)
    assert cli("inspect", str(own) + ":xl", "--format", "json").json["params"]["trainable"]["value"] == 1_557_611_200
    assert "did you mean gpt2?" in cli("models", "gpt22", "--spec").err


def test_a_law_in_another_count(cli: Cli, tmp_path: Path) -> None:
    """12 d^3/64 weights, 13 d^2/64 biases and norms, and 2 d in the last one; 51,281 d of tokens and places."""
    path = tmp_path / "law.yaml"
    command = ("laws", "convert", "hoffmann-2022", "--N", "non_embedding", "--along", "gpt2", "--set")
    answer = cli(*command, "n_layer=d_model/64", "--output", path)
    assert (answer.code, answer.err) == (0, "")
    shown = cli("laws", "show", path)
    assert shown.code == 0
    equation = "root(d_model, 3*d_model**3/16 + 13*d_model**2/64 + 2*d_model - N, 0, 1000000000)"
    assert f"E + A/(N + 51281*{equation})**alpha + B/D**beta" in "".join(shown.out.split("\n                  "))
    law = load(path)
    # GPT-2 small: 12 layers of 768
    assert law.evaluate(N=85_056_000, D=1e10) == load("hoffmann-2022").evaluate(N=124_439_808, D=1e10)
    for wrong in ("n_layer", "n_layer=d_model+", "layers=d_model/64"):
        answer = cli(*command, wrong)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)


def test_a_form_says_that_it_is_one(cli: Cli) -> None:
    out = cli("laws", "show", "alabdulmohsin-2022-m4").out
    assert "a form: fit it (scalecalc calibrate RUNS --law alabdulmohsin-2022-m4)" in out
    assert "e0   to be fitted  0 to unbounded, near y" in out
    assert "alpha, beta are equal" in cli("laws", "show", "muennighoff-2023").out
    assert "95% 0.491 to 0.505, kept in fits" in cli("laws", "show", "porian-2024").out
