"""The law of docs/extending.md, word for word: as a file, and announced by a distribution."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scalecalc.laws import load
from scalecalc.laws.law import KINDS

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").split("\n## A law\n")[1].split("\n## ")[0]


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return text


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The file, the package that announces it, and what an installer writes."""
    folder = tmp_path_factory.mktemp("doe")
    (folder / "doe.yaml").write_text(block("yaml"))
    package = folder / "doe_laws"
    package.mkdir()
    (package / "doe.yaml").write_text(block("yaml"))
    (package / "__init__.py").write_text(block("python"))
    info = folder / "doe_laws-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: doe-laws\nVersion: 1.0\n")
    head, entry = block("toml").strip().splitlines()
    group = re.fullmatch(r'\[project\.entry-points\."(.*)"\]', head)[1]
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")
    return folder


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "simulator"), str(site)])
    return subprocess.run(
        [sys.executable, "-m", "scalecalc", *arguments], env={**os.environ, "PYTHONPATH": path}, capture_output=True,
        text=True, check=False, cwd=site,
    )  # fmt: skip


def test_the_law_of_the_documentation(site):
    """1.7 + 400/1.24e8^.34 + 1000/2e10^.28 = 1.7 + 400/564.6 + 1000/766.1 = 1.7 + .7084 + 1.3053"""
    law = load(site / "doe.yaml")
    assert law.evaluate(N=1.24e8, D=2e10) == pytest.approx(3.7137, abs=1e-4)
    assert law.coefficients["beta"].fixed
    assert law.coefficients["B"].ci == (850, 1200)


@pytest.mark.parametrize("line", [line for line in block("sh").splitlines() if line])
def test_its_commands(site, line):
    program, *arguments = line.split()
    assert program == "scalecalc"
    answer = run(site, *arguments)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "doe-2026" in answer.stdout


def test_a_package_that_announces_it(site):
    answer = run(site, "laws", "show", "doe-2026")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Doe 2026" in answer.stdout


def test_every_kind_is_told():
    told = re.findall(r"`([a-z]+)`", next(line for line in SECTION.splitlines() if line.startswith("| `kind`")))
    assert set(told) - {"kind"} == set(KINDS)
