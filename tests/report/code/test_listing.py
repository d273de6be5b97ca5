"""What is listed: quantities, sizes put in, requirements, lower bounds, names, and the text and JSON of them."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from scalecalc.errors import UsageError
from scalecalc.expressions import parse
from scalecalc.report.code import LANGUAGES, USUAL, Listing, at, listing, quantities
from scalecalc.report.code.names import LONGEST, identifiers
from scalecalc.walk import Profile, walk
from tests.report.code.models import case, each_model, profile
from tests.report.code.test_python import answers
from tests.walk.graphs import graph

UNKNOWN = """(float[n,8] x) => (float[n,4] y) <float[8,8] w, float[8,4] v> {
    a = MatMul(x, w)
    b = com.acme.Magic(a)
    y = MatMul(x, v)
  }"""
IMAGE = "(float[n,3,h,w] x) => (float[n,3,h,w] y) { y = Exp(x) }"


def made(found: Profile, *asked: str, nested: bool = True, **sizes: int) -> Listing:
    return listing(at(found, sizes), asked, nested=nested)


def text(found: Profile, *asked: str, **sizes: int) -> str:
    return LANGUAGES["text"](made(found, *asked, **sizes))


@each_model
def test_json_says_the_same_twice(name: str) -> None:
    """`formula` and `factored` read by the whitelist parser: equal to each other, and to `value` at the sizes."""
    made_ = case(name, "json")
    document = json.loads(made_.source)
    generator = random.Random(3)
    settled = {symbol: entry["value"] for symbol, entry in document["model"]["symbols"].items()}
    for path, entry in document["quantities"].items():
        for sizes in (settled, {symbol: generator.randint(1, 3_000) for symbol in settled}):
            if None in sizes.values():
                needed = parse(entry["formula"]).names
                assert (entry["value"] is None) == (None in [settled[symbol] for symbol in needed]), path
                continue
            values = dict(sizes)
            for variable, meaning in entry["variables"].items():
                values[variable] = parse(meaning).evaluate(values)
            value = parse(entry["factored"]).evaluate(values)
            assert value == parse(entry["formula"]).evaluate(sizes)
            assert sizes is not settled or value == entry["value"]
        assert parse(entry["formula"]).names <= set(entry["symbols"])
    assert document["command"] == "formula"


def test_text_of_a_model_with_everything() -> None:
    assert text(profile("floors"), "trainable", "macs", "forward.flops") == (
        "g.onnx\n"
        "\n"
        "params.trainable  elements      544\n"
        "forward.macs      MAC per run   n*(216*h1*w1 + 320*n1)\n"
        "forward.flops     FLOP per run  "
        "n*(72*(floor((h + 3)/4) - 1)*(floor((w + 3)/4) - 1) + 440*h1*w1 + 32*h2*w2 + 640*n1)\n"
        "\n"
        "where       h1 = floor((h + 1)/2)\n"
        "            w1 = floor((w + 1)/2)\n"
        "            h2 = floor((h + 3)/12)\n"
        "            w2 = floor((w + 3)/12)\n"
        "            n1 = floor(8*n*h2*w2/(32*n))\n"
        "\n"
        "symbols     n: batch\n"
        "            h: spatial\n"
        "            w: spatial\n"
        "\n"
        "holds for   h >= 9\n"
        "            w >= 9\n"
        "            8*n*floor((h + 3)/12)*floor((w + 3)/12) % (32*n) == 0\n"
    )


def test_expanded() -> None:
    found = profile("floors")
    formula, factored = (made(found, "training.matrix_flops", nested=nested).formulas[0] for nested in (False, True))
    once, rows = "864*((h + 1)//2)*((w + 1)//2)", "1920*(8*n*((h + 3)//12)*((w + 3)//12)//(32*n))"
    assert str(factored.tree) == f"n*({once} + {rows})"
    assert str(formula.tree) == f"{once} + {rows}".replace("864", "864*n").replace("1920", "1920*n")


def test_sizes_are_put_in_and_conditions_follow() -> None:
    """At h = w = 21 the pooled maps are 2x2, whose 8*4 entries are a row of 32: 216*11*11 + 320 per example."""
    found = profile("floors")
    some = made(found, "macs", h=21)
    assert [symbol.name for symbol in some.symbols] == ["n", "w"]
    assert [str(r) for r in some.requirements] == ["w >= 9", "16*n*((w + 3)//12) % (32*n) == 0"]
    every = made(found, "macs", h=21, w=21, n=3)
    assert str(every.formulas[0].tree) == "79368" == str(3 * (216 * 11 * 11 + 320))
    assert not every.requirements
    assert "set         h = 21\n" in text(found, "macs", h=21)


def test_a_size_that_breaks_a_condition() -> None:
    with pytest.raises(UsageError, match=r"the model needs h >= 9, which fails at these sizes \(9 and 8\)"):
        made(profile("floors"), "macs", h=8)


def test_formulas_need_no_sizes() -> None:
    """The table's 10 rows bound s, its assumed size; that a multiple of 4 is needed concerns whoever sets sizes."""
    found = walk(
        graph("""(int64[n,s] ids) => (float[n,k,32] y) <float[50,8] w, float[10,8] p> {
            e = Gather(w, ids)
            one = Constant<value = int64 {1}>()
            zero = Constant<value = int64 {0}>()
            sh = Shape(ids)
            len = Gather<axis=0>(sh, one)
            place = Range(zero, len, one)
            q = Gather(p, place)
            x = Add(e, q)
            t = Constant<value = int64[3] {0, -1, 32}>()
            y = Reshape(x, t)
          }""")
    )
    assert found.symbols["s"].bound == 10
    listed = made(found, "activations")
    assert {"s <= 10", "8*n*s % (32*n) == 0"} == {str(r) for r in listed.requirements}
    assert listed.formulas[0].value is None
    assert made(found, "activations", n=2, s=8).formulas[0].value is not None
    with pytest.raises(UsageError, match="s <= 10"):
        made(found, "activations", s=12)


@pytest.mark.parametrize(
    ("language", "mark"),
    [
        ("text", "forward.macs      MAC per run  at least n*96"),
        ("latex", r"\text{forward.macs} &\ge 96 \, n \quad"),
        ("python", '"""forward.macs: at least so many MAC per run."""'),
        ("c", "/* forward.macs: at least so many MAC per run.\n"),
        ("js", "/** forward.macs: at least so many MAC per run. */"),
        ("json", '"lower_bound": true'),
    ],
)
def test_lower_bounds_show(language: str, mark: str) -> None:
    """8*8 + 8*4 products per row, and whatever Magic does."""
    found = walk(graph(UNKNOWN))
    source = LANGUAGES[language](made(found, "params.trainable", "macs"))
    assert mark.replace("n*96", "96*n") in source
    if language != "json":
        assert "lower bounds, marked 'at least': no rule for com.acme:Magic" in source
        assert source.count("at least") + source.count(r"\ge") == (3 if language == "latex" else 2) - (
            language == "latex"
        )
    complete = LANGUAGES[language](made(found, "params.trainable"))
    assert "at least" not in complete
    assert '"lower_bound": true' not in complete


def test_names_of_files_become_identifiers(tmp_path: Any) -> None:
    names = ["class", "int", "höhe"]
    found = walk(graph(IMAGE), shapes={"x": (names[0], 3, *names[1:])})
    listed = made(found, "forward.vector_flops")
    source = LANGUAGES["python"](listed)
    assert "def forward_vector_flops(*, class_: int, int_: int, hohe: int) -> int:" in source
    assert "class_: batch, 1 or more; the file's 'class'\n" in source
    sizes = {"class_": 2, "int_": 5, "hohe": 7}
    assert answers(source, [("forward.vector_flops", sizes)], tmp_path) == [3 * 2 * 5 * 7]
    assert "int64_t forward_vector_flops(int64_t class_, int64_t int_, int64_t hohe)" in LANGUAGES["c"](listed)
    assert "export function forward_vector_flops({ class_, int_, hohe })" in LANGUAGES["js"](listed).replace(
        " int,", " int_,"
    )
    assert json.loads(LANGUAGES["json"](listed))["quantities"]["forward.vector_flops"]["symbols"] == names


def test_hostile_names_stay_in_their_comments(tmp_path: Any) -> None:
    """A model's name may hold whatever ends a comment or a string."""
    shapes = {"x": ("a", 3, "b", "c")}
    found = walk(graph(IMAGE), shapes=shapes)
    object.__setattr__(found, "name", 'x"""*/\n\\N{}\u2028`${1}\udcff\n% \\end{align*}')
    listed = made(found, "forward.vector_flops")
    assert answers(LANGUAGES["python"](listed), [("forward.vector_flops", {"a": 1, "b": 1, "c": 1})], tmp_path) == [3]
    for language, write in LANGUAGES.items():
        source = write(listed)
        source.encode("utf-8")
        if language in ("c", "js", "latex"):
            first = [line for line in source.splitlines() if "exact integer" in line]
            assert len(first) == 1
            assert first[0].startswith({"c": " * x", "js": "// x", "latex": "% x"}[language])
            assert language != "c" or "*/" not in first[0]


def test_identifiers_are_distinct() -> None:
    names = ["a b", "a_b", "a-b", "a_b_2", "_a_b_", "9", "", "é", "e", "if", "if_", "x" * 100, "x" * 99]
    found = identifiers(names, {"if", "e"})
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert all(name.isidentifier() and name.isascii() and len(name) <= LONGEST + 4 for name in found.values())
    assert not {"if", "e"} & set(found.values())
    assert (found["a_b"], found["a_b_2"], found["if"]) == ("a_b", "a_b_2", "if_")


def test_formulas_no_compiler_takes_are_refused() -> None:
    """1,100 inputs of their own size: the sum has 1,100 terms."""
    inputs = ", ".join(f"float[s{i}x] x{i}" for i in range(1_100))
    nodes = "\n".join(f"y{i} = Exp(x{i})" for i in range(1_100))
    found = walk(graph(f"({inputs}) => (float[s0x] y0) {{ {nodes} }}"))
    listed = made(found, "forward.bytes")
    assert len(listed.symbols) == 1_100
    assert LANGUAGES["text"](listed).count(" + ") == 1_099
    assert LANGUAGES["latex"](listed)
    for language in ("python", "c", "js"):
        with pytest.raises(UsageError, match=r"forward.bytes is too long for a program"):
            LANGUAGES[language](listed)
    few = made(found, "forward.bytes", **{f"s{i}x": 5 for i in range(300, 1_100)})
    assert "8*s299x + 32000\n" in LANGUAGES["python"](few)
    with pytest.raises(UsageError, match=r"forward.bytes is nested too deeply for C compilers"):
        LANGUAGES["c"](few)


def test_conditions_come_along_through_others() -> None:
    """Caches written into each other, each at least as long as the one before; none of them as the lone input."""
    count = 2_000
    inputs = ", ".join(f"float[b, s{i * 7 % count}x] x{i}" for i in range(count))
    nodes = " ".join(f"y{i} = TensorScatter<axis = 1>(x{i + 1}, x{i})" for i in range(count - 1))
    start = time.process_time()
    outputs = "float[lone] e, float[b, s0x] f"
    found = walk(graph(f"({inputs}, float[lone] z) => ({outputs}) {{ {nodes} e = Exp(z) f = Exp(x0) }}", 24))
    (formula,) = made(found, "forward.vector_flops").formulas
    assert set(formula.symbols) == {"b", "lone"} | {f"s{i}x" for i in range(count)}
    assert len(formula.requirements) == count - 1
    alone = made(found, "forward.vector_flops", b=1, s0x=1).formulas[0]  # a size put in links nothing
    assert (alone.expanded, alone.symbols, alone.requirements) == ("lone + 1", ("lone",), ())
    assert time.process_time() - start < 10


def test_every_usual_quantity_is_there() -> None:
    result = at(profile("seed_cnn"), {})
    there = quantities(result)
    assert set(USUAL) <= set(there)
    assert [formula.path for formula in listing(result, USUAL).formulas] == list(USUAL)
    # the seed article's network: 34,826 parameters, 2,440,960 MACs per image
    assert (str(there["params.trainable"].formula), str(there["forward.macs"].formula)) == ("34826", "2440960*batch")
