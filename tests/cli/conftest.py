"""The command line run in this process, and models as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import pytest

from scalecalc.cli import run
from tests.walk.graphs import model

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "build/exports"


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as strict JSON: no NaN, no Infinity."""

        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("estimate", path, "--budget", "1e15")`."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def seed_cnn() -> Path:
    return ROOT / "models/vision/seed_cnn.onnx"


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """A file of a graph in ONNX's text form, of a ModelProto, or of bytes."""

    def write(content: str | onnx.ModelProto | bytes, name: str = "model.onnx", opset: int = 23) -> Path:
        if isinstance(content, str):
            content = model(content, opset)
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        return path

    return write
