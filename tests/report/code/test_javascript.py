"""ES modules, run by Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.report.code.models import case, each_model

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js (node)")

RUN = """
import * as formulas from "./formulas.mjs";
import { readFileSync } from "node:fs";
const results = JSON.parse(readFileSync(0, "utf8")).map(([path, sizes]) => {
  try {
    const big = Object.fromEntries(Object.entries(sizes).map(([n, s]) => [n, typeof s === "string" ? BigInt(s) : s]));
    const value = formulas[path.replace(".", "_")](big);
    return typeof value === "bigint" ? String(value) : "not a BigInt";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
});
console.log(JSON.stringify(results));
"""


def answers(source: str, calls: list[Any], tmp_path: Path) -> list[str]:
    """Results as text; sizes that are texts arrive as BigInts."""
    (tmp_path / "formulas.mjs").write_text(source, encoding="utf-8")
    (tmp_path / "run.mjs").write_text(RUN, encoding="utf-8")
    run = subprocess.run(
        [str(NODE), "run.mjs"], cwd=tmp_path, input=json.dumps(calls), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    found: list[str] = json.loads(run.stdout)
    return found


@each_model
@pytest.mark.parametrize("nested", [True, False])
def test_values(name: str, nested: bool, tmp_path: Path) -> None:
    made = case(name, "js", nested=nested)
    calls = [(path, {n: str(s) if i % 2 else s for i, (n, s) in enumerate(at.items())}) for path, at, _ in made.calls]
    for (path, sizes, expected), result in zip(made.calls, answers(made.source, calls, tmp_path), strict=True):
        if expected is None:
            assert result.startswith(f"RangeError: {path.replace('.', '_')} holds for "), (path, sizes, result)
        else:
            assert result == str(expected), (path, sizes)


def test_exact_beyond_numbers_and_refused_where_a_number_is_not(tmp_path: Path) -> None:
    sizes: list[Any] = [str(10**30), 2**53, 1.5, 0, -3, None, True]
    source = case("seed_cnn", "js").source
    found = answers(source, [("forward.macs", {"batch": size}) for size in sizes], tmp_path)
    assert found[0] == str(2_440_960 * 10**30)
    assert [text.split(":")[0] for text in found[1:]] == [*["RangeError"] * 4, *["TypeError"] * 2]
    assert found[1].endswith("is no whole number that is exact: give a BigInt")
