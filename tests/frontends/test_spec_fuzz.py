"""Damaged specifications: a graph that can be counted, or one line; at once."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from scalecalc.errors import FileError, ScalecalcError
from scalecalc.estimate.sizes import settle
from scalecalc.frontends import zoo
from scalecalc.frontends.spec import parse
from scalecalc.walk import walk
from tests.frontends.spec_fuzz import damaged

FILES = zoo.paths()
SOME, MANY = 40, 2_000
"""Damaged files of each: always, and in the slow test."""
SECONDS = 2


def said(text: str, name: str) -> str:
    """What is said of a specification, "" for one that can be counted."""
    try:
        graph = parse(text, name).graph()
    except FileError as error:
        return str(error)
    with suppress(ScalecalcError):  # sizes that do not fit each other
        settle(walk(graph))
    return ""


def verify(path: Path, seed: int, count: int) -> None:
    rng = random.Random(seed)
    text, refused = path.read_text(), 0
    for case in range(count):
        start = time.process_time()
        line = said(damaged(text, rng), path.name)
        assert time.process_time() - start < SECONDS, case
        assert len(line) < 700, case
        assert not line or line.startswith(path.name), case
        refused += bool(line)
    assert count // 8 < refused < count  # what stands in variants is read when one is asked for


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_damaged(path: Path) -> None:
    verify(path, 1, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_much_damaged(path: Path) -> None:
    verify(path, 2, MANY)
