"""`scalecalc calibrate --plot`: files that are there, said to be there, and the same every time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

ARGUMENTS = ("calibrate", "@chinchilla", "--law", "separable", "--draws", 40, "--plot")
NAMES = ("extrapolation", "fit", "residuals", "valleys")


def test_every_picture_twice_the_same(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "new/pictures"
    answer = cli(*ARGUMENTS, folder)
    assert (answer.code, answer.err) == (0, "")
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert sorted(files) == [f"{name}.{ending}" for name in NAMES for ending in ("png", "svg")]
    for name, data in files.items():
        assert str(folder / name) in answer.out
        assert data.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
    assert "replaced" not in answer.out
    again = cli(*ARGUMENTS, folder, "--format", "json")
    assert again.json["law"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert cli(*ARGUMENTS, folder).out.count("replaced") == 8


def test_pictures_a_law_has_not(cli: Cli, tmp_path: Path) -> None:
    where = ("--where", "Task=inet_10", "--where", "Model=ViT/B/16", "--law", "power-floor", "--draws", 20)
    answer = cli("calibrate", "@learning-curves", *where, "--plot", tmp_path)
    assert answer.code == 0
    assert "no valleys" in answer.out
    assert not (tmp_path / "valleys.png").exists()
    assert (tmp_path / "extrapolation.svg").exists()


def test_without_matplotlib(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is fitted or made."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    answer = cli(*ARGUMENTS, tmp_path / "new")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "scalecalc: --plot: pictures need matplotlib; pip install 'scalecalc[plot]'\n"
    assert not (tmp_path / "new").exists()
