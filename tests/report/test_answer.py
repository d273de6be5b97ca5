"""What `estimate` prints of laws: efficiency in both costs, the best models, what is refused and why."""

from __future__ import annotations

import io
import re

import pytest

from scalecalc.estimate import estimate
from scalecalc.laws import catalogue
from scalecalc.report.numbers import percent
from scalecalc.report.render import render
from scalecalc.walk import walk
from tests.walk.graphs import graph

MODEL = """(int64[n,64] ids) => (float[n,64,50000] y) <float[50000,64] table, float[64,64] w> {
    e = Gather(table, ids)  h = MatMul(e, w)  t = Transpose<perm=[1,0]>(table)  y = MatMul(h, t)
}"""


@pytest.fixture(scope="module")
def decoder():
    return walk(graph(MODEL))


def lines(result) -> list[str]:
    file = io.StringIO()
    render(result, "table", file)
    return [" ".join(line.split()) for line in file.getvalue().splitlines()]


def test_both_efficiencies_stand_in_one_line(decoder) -> None:
    result = estimate(decoder, 1e16, task="language-modeling")
    text = " ".join(lines(result))
    assert f"compute {percent(result.efficiency.compute)} besiroglu-2024: " in text
    assert f"; {percent(result.efficiency_own)} if that model costs as much per parameter as this one" in text


def test_best_models_say_how_c_is_met(decoder) -> None:
    out = lines(estimate(decoder, 1e16, task="language-modeling"))
    (cerebras,) = [line for line in out if "cerebras-gpt-2023" in line]
    assert cerebras.endswith("of the best model for C (exact)")
    (kaplan,) = [line for line in out if "kaplan-2020-compute " in line]
    assert kaplan.endswith("C (assumed: 1e+16 training matrix FLOPs/8.64e19 PF-days; the law counts 6N_nonemb*D)")


def test_refused_laws_are_shown_with_the_reason(decoder) -> None:
    law = catalogue()["cerebras-gpt-2023"]
    text = "\n".join(lines(estimate(decoder, 1e13, task="language-modeling")))
    guessing = next(line for line in text.splitlines() if "loss would exceed ln(vocabulary) = 10.82, that of" in line)
    assert guessing.startswith("refused: besiroglu-2024, ")
    assert not re.search(f"refused: .*{law.name}", text)
    text = "\n".join(lines(estimate(decoder, 1e6, task="language-modeling")))
    assert re.search("refused: besiroglu-2024, .*: the budget does not pay for one step", text)
    assert re.search(f"refused: .*{law.name}.*: loss would exceed", text)
