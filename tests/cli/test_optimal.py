"""`scalecalc optimal` as people and programs use it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_contract import SETTING, SIZE, check

Q = (float, type(None))
LEAST = {
    "value": float, "params": float, "params_interval": ([float], type(None)), "data": float,
    "data_interval": ([float], type(None)), "compute": float, "inference": float, "total": float,
    "total_interval": ([float], type(None)), "params_reaching_with_budget": ([float], type(None)),
}  # fmt: skip
PLACE = {
    "law": str, "metric": str, "unit": str, "count": str, "sample": str, "cost": str,
    "flops_per_param_and_sample": float,
    "best": {
        "compute": float, "params": float, "params_interval": ([float], type(None)), "data": float,
        "data_interval": ([float], type(None)), "value": float, "value_interval": ([float], type(None)), "level": Q,
        "params_within_1_percent": [float], "gain_of_doubling": float, "epochs": Q, "inside_range": (bool, type(None)),
        "decades_outside": {"*": float}, "closed_form": bool,
    },
    "target": LEAST,
    "inference": {**LEAST, "cheapest_to_train": LEAST},
    "model": {
        "params": float, "status": str, "how": str, "optimal_at": Q, "optimal_at_interval": ([float], type(None)),
        "twice_as_large_wins_beyond": Q, "data": Q, "value": Q, "worse_than_best": Q, "gain_of_doubling": Q,
        "stop_at": Q, "target_at": Q, "why_no_value": (str, type(None)),
    },
    "stop": {"compute": float, "params": float, "data": float, "value": float},
    "isoflop": [{"params": float, "data": float, "value": float, "worse": float}],
    "notes": [str],
}  # fmt: skip
DOCUMENT = {
    "command": str, "version": str,
    "question": {"budget": {"text": str, "how": str, "compute": float}, "target": Q, "params": Q,
                 "model": (str, type(None)), "unique": (int, type(None)), "served": Q,
                 "stop_below": {"gain": float, "relative": bool}},
    "optimal": [PLACE],
    "allocation": [SIZE], "settings": [SETTING],
    "compute_alone": [{
        "law": str, "kind": str, "metric": str, "unit": str, "value": Q, "status": (str, type(None)),
        "how": (str, type(None)), "gain_of_doubling": Q, "gains_rise": bool, "ends_at": Q, "target_at": Q, "stop_at": Q,
    }],
    "refused": [{"law": str, "why": str}],
    "assumptions": [str],
}  # fmt: skip
ALL = ("--target-loss", "2.4", "--inference-tokens", "1T", "--stop-below", "1%", "--isoflop", "--unique", "1T")


def test_the_json_contract(cli: Cli) -> None:
    answer = cli("optimal", "--budget", "1e21", "--model", "gpt2", *ALL, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.json
    check(document, DOCUMENT)
    assert document["question"]["unique"] == 10**12
    assert document["optimal"][0]["best"]["epochs"] == document["optimal"][0]["best"]["data"] / 1e12


def test_parts_that_were_not_asked_are_null(cli: Cli) -> None:
    (place,) = cli("optimal", "--target-loss", "2.4", "--law", "besiroglu-2024", "--format", "json").json["optimal"]
    assert place["best"] is place["inference"] is place["model"] is None
    assert place["isoflop"] == []
    assert round(place["target"]["compute"] / 1e20, 2) == 3.68


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_rows(cli: Cli, form: str) -> None:
    answer = cli("optimal", "--budget", "1e21", "--params", "7B", "--law", "hoffmann-2022", *ALL, "--format", form)
    assert (answer.code, answer.err) == (0, "")
    points = ["optimum", "target", "inference", "model", "model at its best", *["isoflop"] * 9]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.out)))
        assert [row["point"] for row in rows] == points
        best = rows[0]
        assert 6 * float(best["params"]) * float(best["data"]) == pytest.approx(1e21)
        assert best["params_low"] == ""
    else:
        assert len(answer.out.splitlines()) == 2 + len(points)


def test_a_fit_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    """A law file asked by its path; 6 N D = 6e12 with L = 1/N + 4/D: N*/D* = 1/4, N* = 5e5."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        """
name: mine-2026
kind: conditional
formula: A/N + B/D
coefficients: {A: 1.0, B: 4.0}
N: {count: total}
D: {sample: token, meaning: seen}
metric: {name: loss, unit: nat/token, better: lower, bounds: [0, null]}
applies_to: {modality: text, task: language-modeling}
source: {citation: runs of mine}
"""
    )
    (place,) = cli("optimal", "--budget", "6*10**12", "--law", file, "--format", "json").json["optimal"]
    assert place["best"]["params"] == pytest.approx(5e5)
    assert place["best"]["data"] == pytest.approx(2e6)
    assert place["best"]["inside_range"] is None


def test_what_a_person_reads(cli: Cli) -> None:
    out = cli("optimal", "--budget", "8xh100:3d", "--law", "besiroglu-2024").out
    assert "8 x NVIDIA H100" in out
    assert "C = 6ND, with N as each law counts it" in out
    assert "as many distinct samples as are seen (--unique)" in out
    assert "laws show besiroglu-2024" in out


def test_strict(cli: Cli) -> None:
    answer = cli("optimal", "--budget", "1e21", "--strict")
    assert answer.code == 3
    assert "--unique" in answer.err


BAD = [
    ((), "nothing is asked; give --budget"),
    (("--budget", "10", "--law", "besiroglu-2024"), "10 FLOP are too little"),
    (("--budget", "0"), "no budget"),
    (("--budget", "1e21", "--law", "hofman-2022"), "no law 'hofman-2022'; try hoffmann-2022"),
    (("--budget", "1e21", "--law", "kaplan-2020-n"), "has no optimum: a conditional law of N"),
    (("--target-loss", "1.5", "--law", "besiroglu-2024"), "never reaches loss 1.5: it comes to 1.817 at best"),
    (("--target-loss", "0"), "--target-loss: '0' is no positive number"),
    (("--target-loss", "nan"), "no positive number"),
    (("--params", "-1"), "--params: '-1' is no positive number"),
    (("--params", "0.5"), "0.5 is no size"),
    (("--budget", "1e4", "--law", "hoffmann-2022"), "above that of guessing"),
    (("--params", "1e9", "--model", "gpt2"), "a model has its own N"),
    (("--model", "gpt2", "--stop-below", "x"), "'x' is no gain"),
    (("--model", "gpt2", "--stop-below", "-1%"), "'-1%' is no gain"),
    (("--params", "1e9", "--isoflop"), "needs a budget"),
    (("--params", "1e9", "--inference-tokens", "1T"), "give --budget or --target-loss"),
    (("--budget", "1e21", "--unique", "1M", "--law", "hoffmann-2022"), "passes over 1M distinct tokens"),
    (("--budget", "1e21", "--task", "language-modelling"), "did you mean language-modeling?"),
    (("--budget", "1e18", "--model", "resnet:50", "--law", "besiroglu-2024"), "another task"),
    (("--budget", "1e21", "--set", "seq=128"), "--set"),
    (("--budget", "1e21", "--format", "pdf"), "use one of table, json, csv, markdown"),
    (("--model", "no-such-model"), "no-such-model"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    answer = cli("optimal", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert len(answer.err.splitlines()) == 1
