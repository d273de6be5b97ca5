"""Python modules, run by another interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.report.code.models import Case, case, each_model

RUN = """
import json, runpy, sys
module = runpy.run_path(sys.argv[1])
results = []
for path, sizes in json.load(sys.stdin):
    try:
        results.append(module[path.replace(".", "_")](**sizes))
    except (TypeError, ValueError) as error:
        results.append(f"{type(error).__name__}: {error}")
print(json.dumps(results))
"""


def answers(source: str, calls: list[Any], tmp_path: Path) -> list[Any]:
    path = tmp_path / "formulas.py"
    path.write_text(source, encoding="utf-8")
    command = [sys.executable, "-I", "-W", "error", "-c", RUN, str(path)]
    run = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, check=True, timeout=60)
    found: list[Any] = json.loads(run.stdout)
    return found


def check(made: Case, found: list[Any]) -> None:
    assert len(found) == len(made.calls)
    for (path, sizes, expected), result in zip(made.calls, found, strict=True):
        if expected is None:
            assert result.startswith(f"ValueError: {path.replace('.', '_')} holds for "), (path, sizes, result)
        else:
            assert result == expected, (path, sizes)


@each_model
@pytest.mark.parametrize("nested", [True, False])
def test_values(name: str, nested: bool, tmp_path: Path) -> None:
    made = case(name, "python", nested=nested)
    check(made, answers(made.source, [call[:2] for call in made.calls], tmp_path))


def test_sizes_that_are_none(tmp_path: Path) -> None:
    source = case("seed_cnn", "python").source
    results = answers(
        source,
        [("forward.macs", sizes) for sizes in ({"batch": 0}, {"batch": -1}, {"batch": 1.0}, {"batch": "1"}, {})]
        + [("params.trainable", {"batch": 1}), ("forward.macs", {"batch": 10**30})],
        tmp_path,
    )
    assert results[:2] == [f"ValueError: batch = {n} is no size: sizes are 1 or more" for n in (0, -1)]
    assert all(result.startswith("TypeError: ") for result in results[2:6])
    assert results[6] == 2_440_960 * 10**30  # ints have no limit


def test_docstrings_name_unit_and_conditions() -> None:
    source = case("floors", "python").source
    module: dict[str, Any] = {}
    exec(compile(source, "formulas", "exec"), module)
    words = module["forward_macs"].__doc__
    assert words.startswith("forward.macs: MAC per run.")
    assert "Holds for h >= 9, w >= 9, 8*n*floor((h + 3)/12)*floor((w + 3)/12) % (32*n) == 0" in words
    assert "h: spatial, 1 or more" in module["__doc__"]
