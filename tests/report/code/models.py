"""Models whose formulas are written and read back, and sizes to try them at."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scalecalc.dims import evaluate
from scalecalc.frontends.onnx import read
from scalecalc.report.code import LANGUAGES, Listing, at, listing, quantities
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph

ROOT = Path(__file__).parents[3]
POINTS = 100

FLOORS = """(float[n,3,h,w] x, int64[k] like) => (float[n,r,10] y)
  <float[8,3,3,3] w1, float[8] b1, float[32,10] w2, int64[3] target> {
    a = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w1, b1)
    b = MaxPool<kernel_shape=[3,3], strides=[2,2]>(a)
    c = AveragePool<kernel_shape=[2,2], strides=[3,3]>(b)
    t = Constant<value = int64[3] {0, -1, 32}>()
    d = Reshape(c, t)
    y = MatMul(d, w2)
  }"""
"""Nested floors, windows that must fit, and a division that must come out even: 8*height*width of `c` by 32."""

DIVIDED = """(float[n,12] x, float[k,1] like) => (float[k,m] y) <float[1] w> {
    s = Shape<start=0, end=1>(like)
    rest = Constant<value = int64[1] {-1}>()
    t = Concat<axis=0>(s, rest)
    r = Reshape(x, t)
    y = Exp(r)
  }"""
"""A division by a symbol: 12*n entries in k rows."""

WINDOW = """(float[n,12] x, float[1,1,k] like) => (float[j,m] y) <float[1,1,3] w> {
    v = Conv(like, w)
    s = Shape<start=2, end=3>(v)
    rest = Constant<value = int64[1] {-1}>()
    t = Concat<axis=0>(s, rest)
    r = Reshape(x, t)
    y = Exp(r)
  }"""
"""A division by k - 2, which is above 0 where the window of 3 fits."""

TEXTS = {"floors": FLOORS, "divided": DIVIDED, "window": WINDOW}
EXPORTED = ("gpt2", "resnet50_hw", "bert_base")
MODELS = [*TEXTS, "seed_cnn", *(pytest.param(name, marks=pytest.mark.exports) for name in EXPORTED)]
each_model = pytest.mark.parametrize("name", MODELS)


def profile(name: str) -> Profile:
    """The profile of a model by its name."""
    if name in TEXTS:
        return walk(graph(TEXTS[name]))
    path = ROOT / (f"build/exports/{name}.onnx" if name in EXPORTED else f"models/vision/{name}.onnx")
    assert path.exists(), f"{path} is missing: python tests/exports/make.py build/exports {name}"
    return walk(read(path))


@dataclass
class Case:
    """All formulas of a model in a language, and what they must give.

    Attributes:
        source: the text in the language.
        calls: (path, sizes of its symbols, exact value or None where a condition fails).
    """

    listing: Listing
    source: str
    calls: list[tuple[str, dict[str, int], int | None]] = field(default_factory=list)


def case(name: str, language: str, *, nested: bool = True, most: int = 2_000) -> Case:
    """Every quantity at random points that honour the conditions, and at some that do not."""
    found = profile(name)
    result = at(found, {})
    there = quantities(result)
    listed = listing(result, list(there), nested=nested)
    made = Case(listed, LANGUAGES[language](listed))
    generator = random.Random(7)
    points: list[tuple[dict[str, int], bool]] = []
    held = broken = 0
    while held < POINTS or (found.checks and broken < POINTS // 5):
        sizes = {symbol: generator.randint(1, generator.choice((12, most))) for symbol in found.symbols}
        holds = all(_holds(condition, sizes) for condition in found.checks)
        if holds and held < POINTS:
            held += 1
        elif not holds and broken < POINTS // 5:
            broken += 1
        else:
            continue
        points.append((sizes, holds))
    for formula in listed.formulas:
        for sizes, holds in points if formula.symbols else points[:1]:
            at_ = {symbol: sizes[symbol] for symbol in formula.symbols}
            made.calls.append((formula.path, at_, there[formula.path].value(sizes) if holds or not at_ else None))
    return made


def _holds(condition: Any, sizes: dict[str, int]) -> bool:
    left, right = evaluate(condition.left, sizes), evaluate(condition.right, sizes)
    assert left is not None
    assert right is not None
    return {"<=": left <= right, "==": left == right, "%": right > 0 and left % right == 0}[condition.op]
