"""Random damage to valid models: exit 0 or 2, one line on stderr at most, and never a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
import pytest

from tests.cli.conftest import Answer, Cli
from tests.cli.corpus import corpus
from tests.cli.fuzz import damage

FORMS = ("table", "json", "csv", "markdown")
SOME, MANY = 60, 4_000
"""Damaged files per test: always, and in the slow tests."""


def verify(answer: Answer, form: str) -> None:
    """What every answer owes its user, whatever the file."""
    if answer.code == 2:
        assert answer.out == ""
        assert answer.err.startswith("scalecalc: ")
        assert len(answer.err) < 900
    else:
        assert answer.code == 0
        assert answer.out
        assert not answer.err or answer.err.startswith("scalecalc: warning: ")
        if form == "json":
            verify_json(answer)
        if form == "table":
            assert all(line == line.rstrip() for line in answer.out.splitlines())
    assert answer.err.count("\n") == (1 if answer.err else 0)


def verify_json(answer: Answer) -> None:
    """Counts are none or not negative; what misses a share says so."""
    document = answer.json
    incomplete = bool(document["unsupported"] or document["unreached"])
    for name in ("params", "forward", "training", "memory"):
        for q in document[name].values():
            if isinstance(q, dict):
                assert q["value"] is None or q["value"] >= 0
    assert all(q["lower_bound"] is incomplete for q in document["forward"].values())
    assert bool(answer.err) is incomplete


def ask(cli: Cli, path: Path, rng: random.Random) -> None:
    form = rng.choice(FORMS)
    arguments = rng.choice((["inspect", path], ["estimate", path, "--budget", "1e18"]))
    verify(cli(*arguments, "--format", form), form)


@pytest.mark.parametrize("index", range(len(corpus())))
def test_the_models_are_valid_before(cli: Cli, save, index: int) -> None:
    answer = cli("inspect", save(corpus()[index]), "--format", "json")
    assert answer.code == 0
    assert answer.json["unsupported"] == []


def damaged(cli: Cli, tmp_path: Path, base: onnx.ModelProto, seed: int, count: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "damaged.onnx"
    for case in range(count):
        state = rng.getstate()
        path.write_bytes(damage(base, rng).SerializeToString())
        try:
            ask(cli, path, rng)
        except BaseException:
            print(f"case {case} of seed {seed}: {path}, {state[1][0]}")
            raise


@pytest.mark.parametrize("index", range(len(corpus())))
def test_damaged_structure(cli: Cli, tmp_path: Path, index: int) -> None:
    damaged(cli, tmp_path, corpus()[index], index, SOME)


def test_the_seed_network_damaged(cli: Cli, tmp_path: Path, seed_cnn: Path) -> None:
    damaged(cli, tmp_path, onnx.load(seed_cnn), 99, SOME)


def damaged_bytes(cli: Cli, tmp_path: Path, content: bytes, seed: int, count: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "damaged.onnx"
    for _ in range(count):
        copy = bytearray(content)
        for _ in range(rng.choice((1, 1, 2, 8))):
            copy[rng.randrange(len(copy))] = rng.randrange(256)
        if rng.random() < 0.2:
            del copy[rng.randrange(len(copy)) :]
        path.write_bytes(copy)
        ask(cli, path, rng)


def test_damaged_bytes(cli: Cli, tmp_path: Path) -> None:
    for index, proto in enumerate(corpus()):
        proto.graph.ClearField("doc_string")
        damaged_bytes(cli, tmp_path, proto.SerializeToString(), index, SOME // 2)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(corpus())))
def test_much_damaged_structure(cli: Cli, tmp_path: Path, index: int) -> None:
    damaged(cli, tmp_path, corpus()[index], 1_000 + index, MANY)


@pytest.mark.slow
def test_many_damaged_bytes(cli: Cli, tmp_path: Path) -> None:
    for index, proto in enumerate(corpus()):
        damaged_bytes(cli, tmp_path, proto.SerializeToString(), 1_000 + index, MANY)
