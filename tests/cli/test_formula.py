"""`scalecalc formula`."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.corpus import corpus
from tests.cli.fuzz import damage
from tests.cli.test_process import process

LANGUAGE = """(int64[n,s] ids) => (float[n,s,50] y) <float[50,8] w, float[8,50] v> {
    e = Gather(w, ids)
    y = MatMul(e, v)
  }"""


def test_the_usual_ones(cli: Cli, seed_cnn: Path) -> None:
    """The article's network on 28x28 images."""
    answer = cli("formula", seed_cnn)
    assert (answer.code, answer.err) == (0, "")
    rows = [line.split() for line in answer.out.splitlines()[2:8]]
    assert [row[0] for row in rows] == [
        "params.trainable", "forward.macs", "forward.vector_flops", "training.matrix_flops", "training.vector_flops",
        "memory.activations",
    ]  # fmt: skip
    assert rows[0] == ["params.trainable", "elements", "34826"]
    assert rows[1] == ["forward.macs", "MAC", "per", "run", "2440960*batch"]


def test_all_are_those_of_inspect(cli: Cli, seed_cnn: Path) -> None:
    found = cli("formula", seed_cnn, "--all", "--format", "json").json["quantities"]
    totals = cli("inspect", seed_cnn, "--format", "json").json
    for group in ("params", "forward", "training", "memory"):
        for name, entry in totals[group].items():
            if isinstance(entry, dict):
                mine = found.pop(f"{group}.{name}")
                assert {key: mine[key] for key in ("formula", "value", "lower_bound")} == entry
    assert not found


def test_names_of_quantities(cli: Cli, seed_cnn: Path) -> None:
    out = cli("formula", seed_cnn, "macs", "memory.weights", "forward.macs").out.splitlines()
    assert [line.split()[0] for line in out[2:4]] == ["forward.macs", "memory.weights"]  # each once
    assert out[4] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mac",), "QUANTITY: no quantity 'mac'; did you mean forward.macs?"),
        (("forward.mac",), "QUANTITY: no quantity 'forward.mac'; did you mean forward.macs?"),
        (("zzz",), "QUANTITY: no quantity 'zzz'; use one of params.trainable, params.embedding, "),
        (
            ("matrix_flops",),
            "QUANTITY: 'matrix_flops' may be forward.matrix_flops or training.matrix_flops",
        ),
        (("--format", "xml"), "--format: no format 'xml'; use one of text, latex, python, c, js, json"),
        (("--format", "table"), "--format: no format 'table'; use one of text, latex, python, c, js, json"),
        (("--set", "bach=2"), "--set: no symbol 'bach'; did you mean batch?"),
        (("--set", "batch=1.5"), "--set: '1.5' is no whole number"),
        (("--set", "batch"), "--set: 'batch' is not NAME=SIZE"),
        (("--set", "batch=1", "--set", "batch=2"), "--set: 'batch' is given twice"),
        (("--shape", "y=1,1"), "--shape: no input 'y'"),
        (("--task", "dancing"), "--task: no task 'dancing'"),
        (("--output", "/nonexistent/file"), "cannot write"),
    ],
)
def test_bad_arguments(cli: Cli, seed_cnn: Path, arguments: tuple[str, ...], message: str) -> None:
    answer = cli("formula", seed_cnn, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_a_quotient_that_is_no_polynomial(cli: Cli, save: Callable[..., Path]) -> None:
    """A sum of n rows' work and a constant's is no multiple of n."""
    path = save("""(float[n,4] x) => (float[n,5] y, float[6,5] z) <float[4,5] w, float[6,4] c> {
        y = MatMul(x, w)
        z = MatMul(c, w)
      }""")
    answer = cli("formula", path, "matrix_flops_per_sample")
    assert answer.code == 2
    assert "training.matrix_flops_per_sample is no polynomial for this model; divide" in answer.err
    assert "matrix_flops_per_sample" not in cli("formula", path, "--all").out


def test_set_and_shape_and_sample(cli: Cli, save: Callable[..., Path]) -> None:
    """8*50 products per token."""
    path = save(LANGUAGE)
    assert "  400*n*s\n" in cli("formula", path, "macs").out
    assert "  51200*n\n" in cli("formula", path, "macs", "--set", "s=128").out
    assert "  51200*rows\n" in cli("formula", path, "macs", "--shape", "ids=rows,128").out
    per_sample = cli("formula", path, "matrix_flops_per_sample").out.splitlines()[2]
    assert per_sample == "training.matrix_flops_per_sample  FLOP per token  2400"  # 2*400, and twice that backward
    assert "FLOP per example" in cli("formula", path, "matrix_flops_per_sample", "--sample", "example").out


def test_output_file(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    target = tmp_path / "formulas.py"
    answer = cli("formula", seed_cnn, "macs", "--format", "python", "-o", target)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert "def forward_macs(*, batch: int) -> int:" in target.read_text()


def test_lower_bounds_warn_and_fail_under_strict(cli: Cli, save: Callable[..., Path]) -> None:
    path = save("(float[n,8] x) => (float[n,8] y) { y = com.acme.Magic(x) }")
    answer = cli("formula", path)
    assert (answer.code, "at least 0" in answer.out) == (0, True)
    assert answer.err.startswith("scalecalc: warning: no rule for com.acme:Magic (1)")
    assert cli("formula", path, "--strict").code == 3


def test_factored_and_expanded(cli: Cli, save: Callable[..., Path]) -> None:
    path = save(
        "(float[n,s,8] x) => (float[n,s,s] y) { t = Transpose<perm=[0,2,1]>(x)\n y = MatMul(x, t)\n z = Exp(x) }"
    )
    factored, expanded = (cli("formula", path, "forward.flops", flag).out for flag in ("--factored", "--expanded"))
    assert "  n*s*(16*s + 8)\n" in factored
    assert "  16*n*s**2 + 8*n*s\n" in expanded
    both = json.loads(cli("formula", path, "forward.flops", "--expanded", "--format", "json").out)
    entry = both["quantities"]["forward.flops"]
    assert (entry["formula"], entry["factored"]) == ("16*n*s**2 + 8*n*s", "n*s*(16*s + 8)")


def check_damaged(cli: Cli, path: Path, language: str) -> int:
    """Exit 0 or 2 with one line; where there are values, the Python functions give them at the same sizes: how many."""
    answer = cli("formula", path, "--all", "--format", "json")
    other = cli("formula", path, "--all", "--format", language)
    assert {answer.code, other.code} <= {0, 2}
    assert max(answer.err.count("\n"), other.err.count("\n")) <= 1
    if answer.code or language != "python" or other.code:
        assert answer.code == other.code or "too long" in other.err or "too deeply" in other.err
        return 0
    module: dict[str, Any] = {}
    exec(compile(other.out, "formulas", "exec"), module)
    document, compared = answer.json, 0
    sizes = {name: symbol["value"] for name, symbol in document["model"]["symbols"].items()}
    for quantity, entry in document["quantities"].items():
        function, given = module[quantity.replace(".", "_")], [sizes[name] for name in entry["symbols"]]
        if entry["value"] is not None and None not in given:
            assert function(**dict(zip(signature(function).parameters, given, strict=True))) == entry["value"]
            compared += 1
    return compared


def damage_all(cli: Cli, tmp_path: Path, seed: int, count: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "damaged.onnx"
    compared = 0
    for _ in range(count):
        path.write_bytes(damage(rng.choice(corpus()), rng).SerializeToString())
        compared += check_damaged(cli, path, rng.choice(("text", "latex", "python", "python", "c", "js")))
    assert compared > count


def test_damaged_models(cli: Cli, tmp_path: Path) -> None:
    damage_all(cli, tmp_path, 5, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_damaged_models(cli: Cli, tmp_path: Path, seed: int) -> None:
    damage_all(cli, tmp_path, 100 + seed, 1_000)


def test_help() -> None:
    run = process("formula", "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert max(map(len, run.stdout.splitlines())) <= 80
