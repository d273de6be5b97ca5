"""C functions, compiled by the system's compiler without a warning and run."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest

from scalecalc.report.code import LANGUAGES, at, listing
from scalecalc.walk import walk
from tests.report.code.models import case, each_model
from tests.walk.graphs import graph

CC = shutil.which("cc")
pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler (cc)")
FLAGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
         "-fsanitize=undefined", "-fno-sanitize-recover")  # fmt: skip
NONE = -(2**63)
Call = tuple[str, Sequence[int]]


def answers(source: str, calls: Sequence[Call], tmp_path: Path, standard: str = "-std=c99") -> list[tuple[int, int]]:
    """(value, errno) of each call; errno is 0 before each."""
    lines = [source, "#include <stdio.h>", "int main(void)", "{"]
    for path, group in groupby(calls, key=lambda call: call[0]):
        rows = [sizes for _, sizes in group]
        arguments = ", ".join(f"row[i][{n}]" for n in range(len(rows[0])))
        table = ", ".join("{" + ", ".join(map(str, sizes or [0])) + "}" for sizes in rows)
        lines += [f"    {{ static const int64_t row[][{max(len(rows[0]), 1)}] = {{{table}}};",
                  f"    for (int i = 0; i < {len(rows)}; i++) {{ errno = 0; (void)row;",
                  f"    const long long value = {path.replace('.', '_')}({arguments});",
                  r'    printf("%lld %d\n", value, errno); } }']  # fmt: skip
    (tmp_path / "formulas.c").write_text("\n".join([*lines, "    return 0;", "}", ""]), encoding="utf-8")
    subprocess.run([str(CC), standard, *FLAGS, "formulas.c", "-o", "formulas"], cwd=tmp_path, check=True, timeout=120)
    run = subprocess.run([tmp_path / "formulas"], capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    pairs = [line.split() for line in run.stdout.splitlines()]
    return [(int(value), int(error)) for value, error in pairs]


@each_model
@pytest.mark.parametrize("nested", [True, False])
def test_values(name: str, nested: bool, tmp_path: Path) -> None:
    made = case(name, "c", nested=nested)
    found = answers(made.source, [(path, [*sizes.values()]) for path, sizes, _ in made.calls], tmp_path)
    for (path, sizes, expected), result in zip(made.calls, found, strict=True):
        assert result == ((NONE, errno.EDOM) if expected is None else (expected, 0)), (path, sizes)


def test_past_the_range_of_int64_is_an_error(tmp_path: Path) -> None:
    """The seed CNN takes 2,440,960 MACs per image."""
    most = (2**63 - 1) // 2_440_960
    sizes = [most, most + 1, 2**62, 2**63 - 1, 0, -1]
    found = answers(case("seed_cnn", "c").source, [("forward.macs", [size]) for size in sizes], tmp_path)
    assert found == [(2_440_960 * most, 0), *[(NONE, errno.ERANGE)] * 3, *[(NONE, errno.EDOM)] * 2]


def test_ranges_of_sums_and_differences(tmp_path: Path) -> None:
    """Wherever the exact value passes 2^63 there is an error, and no value is ever wrong, up to the largest sizes."""
    made = case("floors", "c", most=2**31)
    found = answers(made.source, [(path, [*sizes.values()]) for path, sizes, _ in made.calls], tmp_path)
    past = 0
    for (path, sizes, expected), result in zip(made.calls, found, strict=True):
        if expected is not None and expected >= 2**63:
            assert result == (NONE, errno.ERANGE), (path, sizes)
            past += 1
        elif expected is not None:
            assert result in ((expected, 0), (NONE, errno.ERANGE)), (path, sizes)
        else:
            assert result in ((NONE, errno.EDOM), (NONE, errno.ERANGE)), (path, sizes)
    assert past > 50


@pytest.mark.parametrize("standard", ["-std=c99", "-std=gnu99"])
@pytest.mark.parametrize("names", [("linux", "errno", "INT64_MAX"), ("add_", "error_", "value_"), ("fail", "e", "row")])
def test_names_that_mean_something_else_in_c(names: tuple[str, ...], standard: str, tmp_path: Path) -> None:
    """3*2*5*7 exponentials, each once."""
    text = "(float[n,3,h,w] x) => (float[n,3,h,w] y) { y = Exp(x) }"
    found = walk(graph(text), shapes={"x": (names[0], 3, *names[1:])})
    source = LANGUAGES["c"](listing(at(found, {}), ["forward.vector_flops"]))
    calls = [("forward.vector_flops", (2, 5, 7))]
    assert answers(source, calls, tmp_path, standard) == [(3 * 2 * 5 * 7, 0)]
