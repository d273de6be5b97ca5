"""Exports of real models and what PyTorch, Keras or JAX say of them (tests/exports), for tests marked `exports`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph
from scalecalc.walk import Profile, walk

ROOT = Path(__file__).parents[2]
TRUTH: dict[str, Any] = json.loads((ROOT / "tests/exports/truth.json").read_text())
EXPORTS = [name for name, entry in TRUTH.items() if "failed" not in entry["export"]]
COUNTS = [(name, index) for name in EXPORTS for index in range(len(TRUTH[name]["counts"]))]


@cache
def loaded(name: str) -> Graph:
    """The graph of an export, `NAME.onnx` in build/exports."""
    path = ROOT / f"build/exports/{name}.onnx"
    assert path.exists(), f"{path} is missing: python tests/exports/make.py build/exports {name.partition('__')[0]}"
    return read(path)


@cache
def profile(name: str) -> Profile:
    """Its formulas."""
    return walk(loaded(name))


def formula(quantity: Any) -> str:
    """A quantity's formula as text."""
    return str(quantity.formula)
