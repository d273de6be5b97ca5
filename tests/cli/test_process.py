"""What only a real process shows: exit codes, streams that break, and what gets imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scalecalc import __version__
from tests.cli.conftest import ROOT, Cli

PLAIN = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "error", "COLUMNS": "80"}


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scalecalc", *map(str, arguments)]
    return subprocess.run(
        command, text=True, cwd=ROOT, env=PLAIN, timeout=60, check=False,
        **{"capture_output": True, **options},  # type: ignore[call-overload]
    )  # fmt: skip


def test_as_a_module_and_as_a_script(cli: Cli, seed_cnn: Path) -> None:
    arguments = ("estimate", seed_cnn, "--budget", "1e15", "--format", "json")
    module = process(*arguments)
    assert (module.returncode, module.stderr) == (0, "")
    assert module.stdout == cli(*arguments).out
    script = Path(sys.executable).with_name("scalecalc")
    if script.exists():
        run = subprocess.run([script, *map(str, arguments)], capture_output=True, text=True, env=PLAIN, check=True)
        assert (run.stdout, run.stderr) == (module.stdout, "")


def test_exit_codes(tmp_path: Path, seed_cnn: Path) -> None:
    assert process("inspect", tmp_path / "missing").returncode == 2
    assert process("inspect", seed_cnn, "--strict").returncode == 3
    failed = process("estimate", seed_cnn)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "scalecalc: Missing option '--budget'. See scalecalc --help\n"


def test_version() -> None:
    run = process("--version")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"scalecalc {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("estimate", "--help"), ("laws", "show", "-h")])
def test_help(arguments: tuple[str, ...]) -> None:
    run = process(*arguments)
    assert (run.returncode, run.stderr) == (0, "")
    assert "Usage: scalecalc" in run.stdout
    assert "\x1b" not in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_a_reader_that_leaves_early(seed_cnn: Path) -> None:
    for arguments in ("inspect MODEL --format json", "ops", "estimate MODEL --budget 1e15"):
        command = f"{sys.executable} -m scalecalc {arguments.replace('MODEL', str(seed_cnn))}"
        for reader in ("head -1", "true"):
            run = subprocess.run(
                ["bash", "-c", f"set -o pipefail; {command} | {reader}"],
                capture_output=True, text=True, env=PLAIN, cwd=ROOT, check=False,
            )  # fmt: skip
            assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
def test_a_full_disk(seed_cnn: Path) -> None:
    for arguments in (("inspect", seed_cnn), ("ops", "--format", "json"), ("--version",), ("--help",)):
        with open("/dev/full", "w") as full:
            run = process(*arguments, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert run.returncode == 2
        assert run.stderr.startswith("scalecalc: ")
        assert run.stderr.endswith("cannot write to stdout: No space left on device; use --output FILE\n")


def test_a_closed_stdout(seed_cnn: Path) -> None:
    command = f"{sys.executable} -m scalecalc inspect {seed_cnn} >&-"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN, cwd=ROOT, check=False)
    assert (run.returncode, run.stderr) == (2, "scalecalc: stdout is closed; use --output FILE\n")


def loaded(arguments: list[str]) -> set[str]:
    """Top-level modules in memory when a command ends."""
    code = (
        "import sys, io, json, contextlib\nfrom scalecalc.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = run({arguments!r})\n"
        "print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    exit_code, names = json.loads(out)
    assert exit_code == 0
    return set(names)


HEAVY = {"numpy", "onnx", "sympy", "scipy", "pydantic", "yaml", "matplotlib"}
LIGHT = [
    # arguments, what they must not import
    (["--help"], HEAVY),
    (["estimate", "--help"], HEAVY),
    (["--version"], HEAVY),
    ([], HEAVY),
    (["laws"], HEAVY - {"yaml", "numpy"}),
    (["ops"], HEAVY),
    (["optimal", "--help"], HEAVY),
    (["optimal", "--budget", "1e14", "--model", "MODEL"], {"sympy", "scipy", "pydantic", "matplotlib"}),
    (["datasets"], HEAVY - {"yaml", "numpy"}),
    (["devices"], HEAVY - {"yaml", "numpy"}),
    (
        ["estimate", "MODEL", "--budget", "8xh100:3d", "--dataset", "mnist"],
        {"sympy", "scipy", "pydantic", "matplotlib"},
    ),
    (["inspect", "MODEL"], {"sympy", "scipy", "pydantic", "matplotlib"}),
    (["estimate", "MODEL", "--budget", "1e15"], {"sympy", "scipy", "pydantic", "matplotlib"}),
    (["formula", "MODEL", "--format", "latex"], {"sympy", "scipy", "pydantic", "matplotlib"}),
]


def test_intervals_by_parts_need_no_library(seed_cnn: Path, tmp_path: Path) -> None:
    """A law file with draws, rivals and drift: Student's t and all."""
    law = tmp_path / "law.yaml"
    law.write_text(
        "name: own\nkind: conditional\nformula: a*D**-b\ncoefficients: {a: 1.0, b: 0.1}\n"
        "D: {sample: image, meaning: seen}\n"
        "metric: {name: error, unit: fraction, better: lower}\nsource: {citation: own}\n"
        "applies_to: {modality: image, task: image-classification}\ndraws: {a: [0.9, 1.0, 1.1], b: [0.1, 0.1, 0.1]}\n"
        "uncertainty: {scale: log, noise: 0.01, freedom: 3, drift: 0.01, rivals: {other: 1.1*D**-0.11}}\n"
    )
    assert not loaded(["estimate", str(seed_cnn), "--budget", "1e15", "--law", str(law)]) & {
        "sympy",
        "scipy",
        "pydantic",
    }


@pytest.mark.parametrize(("arguments", "unwanted"), LIGHT, ids=[" ".join(arguments) for arguments, _ in LIGHT])
def test_what_is_not_imported(seed_cnn: Path, arguments: list[str], unwanted: set[str]) -> None:
    names = loaded([str(seed_cnn) if argument == "MODEL" else argument for argument in arguments])
    assert not names & unwanted
