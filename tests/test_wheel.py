"""What users install: the wheel alone, in an environment of its own, away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT, cwd=folder)
    return next(folder.glob("scalecalc-*.whl"))


@pytest.mark.slow
def test_wheel_holds_the_package_its_laws_and_its_models(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "scalecalc/__init__.py",
        "scalecalc/models/vision/seed_cnn.onnx",
        "scalecalc/models/language/gpt2.yaml",
    } <= names
    assert any(name.startswith("scalecalc/laws/") and name.endswith(".yaml") for name in names)
    assert not any(name.partition("/")[0] in {"tests", "benchmarks", "simulator", "models"} for name in names)


@pytest.mark.slow
def test_installed_wheel_answers(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    binaries = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(binaries / "python", "-m", "pip", "install", "-q", wheel, cwd=tmp_path)
    assert "0.1.0" in run(binaries / "scalecalc", "--version", cwd=tmp_path)
    find_model = "import importlib.resources as r; print(r.files('scalecalc') / 'models' / 'vision' / 'seed_cnn.onnx')"
    model = run(binaries / "python", "-c", find_model, cwd=tmp_path).strip()
    assert "34,826" in run(binaries / "scalecalc", "estimate", model, "--budget", "1e15", cwd=tmp_path)
    assert "1,557,611,200" in run(binaries / "scalecalc", "inspect", "gpt2:xl", cwd=tmp_path)
