"""Third parties' laws from distributions that are really installed: found by their entry points, broken ones named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[1] / "plugins"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A directory with both distributions of tests/plugins as an installer lays them out."""
    target = tmp_path_factory.mktemp("site")
    for folder in (path.parent for path in PLUGINS.glob("*/pyproject.toml")):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        (package,) = (path.parent for path in folder.glob("*/__init__.py"))
        shutil.copytree(package, target / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        info = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        heads = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(heads)
        points = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(points))
    return target


def scalecalc(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "simulator"), str(site)])
    return subprocess.run(
        [sys.executable, "-m", "scalecalc", *arguments], env={**os.environ, "PYTHONPATH": path}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_laws_of_an_installed_distribution(site):
    """One as YAML, one as an object: L = 2 + 10/sqrt(N) is 2.1 for ten thousand parameters."""
    listed = scalecalc(site, "laws", "--format", "json")
    assert listed.returncode == 0
    assert '"acme-2026"' in listed.stdout
    assert '"acme-2026-object"' in listed.stdout
    code = "from scalecalc.laws import load; print(load('acme-2026').evaluate(N=1e4), load('acme-2026-object').title)"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "simulator"), str(site)])},
    )  # fmt: skip
    assert run.stdout == "2.1 as an object\n"


def test_a_broken_distribution_is_named_and_left_out(site):
    shown = scalecalc(site, "laws", "show", "acme-2026")
    assert shown.returncode == 0
    assert "2 + 10/sqrt(N)" in shown.stdout
    assert "plug-in 'broken-laws' of scalecalc-broken is left out: RuntimeError: no licence" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_shipped_law_does_not_ask_plug_ins(site):
    shown = scalecalc(site, "laws", "show", "hoffmann-2022")
    assert (shown.returncode, shown.stderr) == (0, "")
