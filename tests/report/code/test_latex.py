"""LaTeX lines: read by sympy where its parser is there, typeset by pdflatex where that is."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scalecalc.report.code import LANGUAGES, at, listing
from scalecalc.walk import walk
from tests.report.code.models import case, each_model, profile
from tests.walk.graphs import graph

LINE = re.compile(
    r"(?P<name>.+?) &(?P<sign>=|\\ge|\\le) (?P<formula>.+?)(?: \\quad \\text\{(?P<unit>.*)\})?(?: \\\\)?$"
)


def lines(source: str) -> list[re.Match[str]]:
    body = source.split("\\begin{align*}\n")[1].split("\n\\end{align*}")[0]
    found = [LINE.fullmatch(line) for line in body.splitlines()]
    assert all(found)
    return [match for match in found if match]


@pytest.mark.skipif(importlib.util.find_spec("lark") is None, reason="sympy reads LaTeX with lark")
@each_model
@pytest.mark.filterwarnings("ignore")
def test_values(name: str) -> None:
    import sympy
    from sympy.parsing.latex import parse_latex

    made = case(name, "latex")
    read = {}
    for match in lines(made.source):
        # its grammar has long names in one font only, and no thin space between factors
        text = match["formula"].replace(r"\mathrm", r"\mathit").replace(r"\,", r"\cdot")
        read[match["name"]] = parse_latex(text, backend="lark")
    checked = 0
    for path, sizes, expected in made.calls[:: len(made.calls) // 200 + 1]:
        if expected is None:
            continue
        values = {sympy.Symbol(symbol): size for symbol, size in sizes.items()}
        for variable in made.listing.variables:
            name_ = f"{variable[0]}_{{{variable[1:]}}}"
            values[sympy.Symbol(name_)] = read[name_].subs(values)
        label = rf"\text{{{path}}}".replace("_", r"\_")
        assert read[label].subs(values) == expected, (path, sizes)
        checked += 1
    assert checked > 50


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
@each_model
def test_it_is_typeset(name: str, tmp_path: Path) -> None:
    source = case(name, "latex").source
    page = f"\\documentclass{{article}}\\usepackage{{amsmath}}\\begin{{document}}\n{source}\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout[-2000:]


def test_lines_of_a_model() -> None:
    """Every piece of notation once: names, floors, an index, a bound, a division without rest."""
    found = lines(
        LANGUAGES["latex"](listing(at(profile("floors"), {}), ["macs", "forward.vector_flops", "forward.flops"]))
    )
    assert [match["name"] for match in found[:2]] == [r"\text{forward.macs}", r"\text{forward.vector\_flops}"]
    assert [match["unit"] for match in found[:2]] == ["MAC per run", "FLOP per run"]
    assert [match["formula"] for match in found[:2]] == [
        r"n \, \left(216 \, h_{1} \, w_{1} + 320 \, n_{1}\right)",
        r"n \, \left(72 \, \left(h_{2} - 1\right) \, \left(w_{2} - 1\right)"
        r" + 8 \, h_{1} \, w_{1} + 32 \, h_{3} \, w_{3}\right)",
    ]
    rest = {match["name"]: match["sign"] + match["formula"] for match in found[3:]}
    assert rest["h_{2}"] == r"=\left\lfloor \frac{h + 3}{4} \right\rfloor"
    assert rest["n_{1}"] == r"=\left\lfloor \frac{8 \, n \, h_{3} \, w_{3}}{32 \, n} \right\rfloor"
    assert rest[r"\text{for } w"] == r"\ge9"
    assert [text for name, text in rest.items() if r"\bmod" in name] == ["=0"]


def test_names_are_typeset() -> None:
    shapes = {"x": ("batch_size", 3, "d_model", "höhe")}
    found = walk(graph("(float[n,3,h,w] x) => (float[n,3,h,w] y) { y = Exp(x) }"), shapes=shapes)
    source = LANGUAGES["latex"](listing(at(found, {}), ["forward.vector_flops"]))
    assert r"&= 3 \, \mathrm{batch}_{size} \, d_{model} \, \mathrm{hohe} \quad" in source
    assert "% hohe: spatial, 1 or more; the file's 'höhe'\n" in source
