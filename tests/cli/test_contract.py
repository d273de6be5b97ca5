"""The JSON contract: every key, every type, every formula worth its value; the other formats say the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from scalecalc import __version__
from scalecalc.expressions import parse
from tests.cli.conftest import Answer, Cli

NONE = type(None)
NUMBER = (int, float)
Q = {"formula": str, "value": (int, NONE), "lower_bound": bool}
PER_SAMPLE = {"formula": (str, NONE), "value": (int, float, NONE), "lower_bound": bool}
PARAMS = (
    "trainable", "embedding", "positional", "head", "norm", "other", "non_embedding", "linear", "active", "buffers",
    "constants", "quantized", "total",
)  # fmt: skip
TOTALS = {
    "command": str,
    "version": str,
    "model": {
        "name": str, "format": str, "opset": int, "nodes": int, "task": (str, NONE),
        "symbols": {"*": {"value": (int, NONE), "kind": str, "assumed": bool, "bound": (int, str, NONE),
                          "aliases": [str]}},
        "conditions": [str], "inputs": {"*": [(int, str)]}, "outputs": {"*": [(int, str)]},
    },
    "params": dict.fromkeys(PARAMS, Q),
    "forward": dict.fromkeys(("macs", "matrix_flops", "vector_flops", "flops", "bytes"), Q),
    "training": {
        "backward_matrix_flops": Q, "backward_vector_flops": Q, "matrix_flops": Q, "vector_flops": Q,
        "optimizer_flops": Q, "samples_per_step": Q, "matrix_flops_per_sample": PER_SAMPLE, "sample": str,
        "attention": str, "matrix_flops_full": Q, "matrix_flops_causal": NONE, "ratio_6N_total": (float, NONE),
        "ratio_6N_non_embedding": (float, NONE),
    },
    "memory": {"weights": Q, "gradients": Q, "optimizer": Q, "activations": Q, "peak_training": NONE,
               "peak_inference": NONE},
    "unsupported": [{"domain": str, "op_type": str, "count": int}],
    "unreached": [str], "assumptions": [str], "notes": [str],
}  # fmt: skip
INSPECT = {
    **TOTALS,
    "nodes": [{
        "name": str, "op_type": str, "outputs": [[(int, str)]], "params": Q, "macs": Q, "backward_macs": Q,
        "vector_flops": Q, "backward_vector_flops": Q, "bytes": Q, "kept_bytes": Q, "layer": (str, NONE),
        "status": str, "module": str,
    }],
    "blocks": [{
        "path": str, "kind": str, "level": int, "count": int, "nodes": int, "output": ([(int, str)], NONE),
        "params": Q, "macs": Q, "backward_macs": Q, "vector_flops": Q, "backward_vector_flops": Q, "bytes": Q,
        "kept_bytes": Q,
    }],
    "operators": [{
        "op_type": str, "count": int, "params": Q, "macs": Q, "backward_macs": Q, "vector_flops": Q,
        "backward_vector_flops": Q, "bytes": Q, "kept_bytes": Q,
    }],
}  # fmt: skip
SIZE = {"law": str, "params": float, "data": float, "how": str, "count": str, "data_per_param": float,
        "decades_outside": {"*": float}}  # fmt: skip
SETTING = {"law": str, "quantity": str, "unit": str, "value": float, "status": str, "how": str,
           "decades_outside": {"*": float}}  # fmt: skip
ESTIMATE = {
    **TOTALS,
    "budget": {"text": str, "how": str, "compute": float, "count": str, "matrix_flops": (float, NONE),
               "flops_per_sample": (int, float, NONE), "data": (float, NONE), "unique": (float, NONE),
               "dataset": (str, NONE), "epochs": (float, NONE), "steps": (float, NONE), "batch_size": int,
               "samples_per_step": (int, float, NONE), "upper_bound": bool},
    "predictions": [{
        "law": str, "metric": str, "unit": str, "value": float, "interval": ([float], NONE), "level": (float, NONE),
        "basis": str, "parts": {"*": float}, "parts_of": (str, NONE), "freedom": (float, NONE),
        "conformal": ([float], NONE), "inside_range": (bool, NONE), "decades_outside": {"*": NUMBER},
        "comparable": bool,
        "binding": {"variables": {"*": {"value": NUMBER, "status": str, "how": str}}, "notes": [str]},
    }],
    "refused": [{"law": str, "why": str}],
    "optimal": [{
        "law": str, "cost": str, "flops_per_param_and_sample": NUMBER, "params": float,
        "params_interval": ([float], NONE), "data": float, "value": float, "params_ratio": float,
        "params_within_1_percent": [float], "this_model_is_optimal_at": (float, NONE),
        "twice_this_model_wins_beyond": (float, NONE), "this_model_gains_by_doubling": float,
    }],
    "frontier": [{"law": str, "value": float, "status": str, "how": str}],
    "allocation": [SIZE], "settings": [SETTING],
    "efficiency": {"compute": (float, NONE), "compute_own_cost": (float, NONE)},
    "verdict": str,
}  # fmt: skip
WITH_LAW = {**ESTIMATE, "efficiency": {"compute": float, "compute_own_cost": float, "least": {
    "law": str, "compute": float, "params": float, "data": float}}}  # fmt: skip

LANGUAGE = """(int64[n,s] ids) => (float[n,s,50] y) <float[50,8] table, float[64,8] places, float[8,8] w> {
    e = Gather(table, ids)
    sh = Shape(ids)
    one = Constant<value = int64 {1}>()
    zero = Constant<value = int64 {0}>()
    len = Gather(sh, one)
    pos = Range(zero, len, one)
    p = Gather(places, pos)
    x = Add(e, p)
    h = MatMul(x, w)
    t = Transpose<perm=[1,0]>(table)
    y = MatMul(h, t)
}"""


def check(found: Any, wanted: Any, path: str = "") -> None:
    """Same keys, right types, all the way down."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        if set(wanted) != {"*"}:
            assert sorted(found) == sorted(wanted), path
        for name, value in found.items():
            check(value, wanted.get(name, wanted.get("*")), f"{path}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), path
        for i, value in enumerate(found):
            check(value, wanted[0], f"{path}[{i}]")
    elif isinstance(wanted, tuple) and any(isinstance(kind, list) for kind in wanted):
        check(found, wanted[0] if isinstance(found, list) else NONE, path)
    else:
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        assert type(found) in kinds, f"{path}: {found!r}"


def quantities(document: Any, path: str = "") -> dict[str, dict[str, Any]]:
    """Every Q of a document by its path."""
    found = {}
    for name, value in document.items() if isinstance(document, dict) else enumerate(document):
        where = f"{path}.{name}" if path else str(name)
        if isinstance(value, dict) and {"formula", "value", "lower_bound"} <= value.keys():
            found[where] = value
        elif isinstance(value, dict | list):
            found |= quantities(value, where)
    return found


@pytest.fixture
def masked(save) -> Path:
    return save(LANGUAGE)


def ask(cli: Cli, command: str, path: Path, *rest: str) -> Answer:
    budget = ("--budget", "1e15") if command == "estimate" else ()
    answer = cli(command, path, *budget, *rest)
    assert (answer.code, answer.err) == (0, "")
    return answer


def test_every_key_of_an_estimate_by_a_law(cli: Cli, save) -> None:
    path = save(LANGUAGE.replace("[50,8]", "[20000,64]").replace(",8]", ",64]").replace("[8,64]", "[64,64]")
                .replace("n,s,50", "n,s,20000"))  # fmt: skip
    document = ask(cli, "estimate", path, "--format", "json", "--task", "language-modeling").json
    check(document, WITH_LAW)
    assert all(document[name] for name in ("predictions", "refused", "optimal", "frontier", "allocation", "settings"))
    assert {entry["status"] for entry in document["frontier"]} == {"exact", "assumed"}


@pytest.mark.parametrize("task", ["language-modeling", None, "image-classification"])
@pytest.mark.parametrize("command", ["estimate", "inspect"])
def test_every_key_and_type(cli: Cli, masked: Path, command: str, task: str | None) -> None:
    rest = ("--task", task) if task else ()
    document = ask(cli, command, masked, "--format", "json", *rest).json
    check(document, INSPECT if command == "inspect" else WITH_LAW if document["optimal"] else ESTIMATE)
    assert (document["command"], document["version"]) == (command, __version__)
    assert set(document["model"]["symbols"]) == {"n", "s"}
    assert document["model"]["inputs"] == {"ids": ["n", "s"]}
    assert document["model"]["outputs"] == {"y": ["n", "s", 50]}
    assert document["model"]["conditions"] == ["s <= 64"]


@pytest.mark.parametrize("command", ["estimate", "inspect"])
def test_formulas_give_their_values(cli: Cli, masked: Path, seed_cnn: Path, command: str) -> None:
    for path, sizes in ((masked, {"n": 3, "s": 7}), (seed_cnn, {"batch": 5})):
        options = [text for name, size in sizes.items() for text in ("--set", f"{name}={size}")]
        found = quantities(ask(cli, command, path, "--format", "json", *options).json)
        assert len(found) >= 29
        for where, q in found.items():
            value = parse(q["formula"]).evaluate(sizes)
            assert (value, type(value)) == (q["value"], int), where
            assert q["lower_bound"] is False


def test_unbound_symbols_leave_values_null(cli: Cli, save) -> None:
    path = save("(float[n,3,h,v] x) => (float[n,4,a,b] y) <float[4,3,3,3] w> { y = Conv(x, w) }")
    document = ask(cli, "estimate", path, "--format", "json").json
    check(document, ESTIMATE)
    macs = document["forward"]["macs"]
    assert (macs["value"], macs["lower_bound"]) == (None, False)
    assert parse(macs["formula"]).evaluate({"n": 2, "h": 5, "v": 7}) == 2 * (3 * 5) * 4 * 27
    assert document["training"]["matrix_flops_per_sample"]["value"] is None
    assert document["budget"]["data"] is document["budget"]["steps"] is None
    assert document["params"]["trainable"]["value"] == 108
    sizes = {name: symbol["value"] for name, symbol in document["model"]["symbols"].items()}
    assert sizes == {"n": 1, "h": None, "v": None}


def test_csv_of_an_estimate_holds_every_leaf(cli: Cli, masked: Path) -> None:
    document = ask(cli, "estimate", masked, "--format", "json").json
    rows = list(csv.reader(io.StringIO(ask(cli, "estimate", masked, "--format", "csv").out)))
    assert rows[0] == ["quantity", "value", "formula"]
    table = {name: (value, formula) for name, value, formula in rows[1:]}
    assert len(table) == len(rows) - 1, "a path twice"
    for where, q in quantities(document).items():
        assert table[where] == (str(q["value"]), q["formula"])
    assert float(table["budget.data"][0]) == document["budget"]["data"]
    assert table["refused.0.law"][0] == document["refused"][0]["law"]
    assert table["model.conditions"][0] == "s <= 64"


COLUMNS = ["params", "macs", "backward_macs", "vector_flops", "backward_vector_flops", "bytes", "kept_bytes"]


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_rows_of_an_inspection_are_its_nodes(cli: Cli, masked: Path, form: str) -> None:
    nodes = ask(cli, "inspect", masked, "--format", "json").json["nodes"]
    out = ask(cli, "inspect", masked, "--format", form).out
    rows = list(csv.reader(io.StringIO(out))) if form == "csv" else from_markdown(out)
    assert rows[0] == ["node", "op_type", "outputs", *COLUMNS, "status", "module"]
    assert [row[:2] for row in rows[1:]] == [[node["name"], node["op_type"]] for node in nodes]
    assert [row[3:] for row in rows[1:]] == [
        [*(str(node[name]["value"]) for name in COLUMNS), node["status"], node["module"]] for node in nodes
    ]


def test_markdown_of_an_estimate_equals_its_csv(cli: Cli, masked: Path) -> None:
    rows = list(csv.reader(io.StringIO(ask(cli, "estimate", masked, "--format", "csv").out)))
    assert from_markdown(ask(cli, "estimate", masked, "--format", "markdown").out) == rows


def from_markdown(text: str) -> list[list[str]]:
    """The cells of a Markdown table, head first."""
    rows = [[cell.strip().replace("\\|", "|") for cell in line[1:-1].split(" | ")] for line in text.splitlines()]
    assert set(rows[1]) == {"---"}
    assert len({len(row) for row in rows}) == 1
    return [rows[0], *rows[2:]]


def test_totals_are_the_sums_of_the_nodes(cli: Cli, seed_cnn: Path) -> None:
    document = ask(cli, "inspect", seed_cnn, "--format", "json").json
    sums = {name: sum(node[name]["value"] for node in document["nodes"]) for name in COLUMNS}
    assert sums["params"] == document["params"]["trainable"]["value"] == 34_826
    assert sums["macs"] == document["forward"]["macs"]["value"] == 2_440_960
    assert 2 * sums["backward_macs"] == document["training"]["backward_matrix_flops"]["value"] == 9_374_464
    assert sums["vector_flops"] == document["forward"]["vector_flops"]["value"]
    assert sums["bytes"] == document["forward"]["bytes"]["value"]
    assert sums["kept_bytes"] == document["memory"]["activations"]["value"]


def test_a_file_gets_what_stdout_would(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    expected = ask(cli, "inspect", seed_cnn, "--format", "json").out
    target = tmp_path / "out.json"
    assert ask(cli, "inspect", seed_cnn, "--format", "json", "--output", str(target)).out == ""
    assert target.read_text() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
