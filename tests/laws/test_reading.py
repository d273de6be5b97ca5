"""A user's law is data: bounded before it is read, checked before it is used."""

from __future__ import annotations

import time

import pytest

from scalecalc.errors import LawError, ScalecalcError
from scalecalc.laws import load, shipped
from scalecalc.laws.catalogue import read
from scalecalc.laws.reading import laws_of
from scalecalc.laws.writing import text_of
from scalecalc.loading import parse_yaml

MINE = """\
name: acme-2026
kind: conditional
formula: E + A/N**alpha
coefficients: {E: 1.5, A: {value: 1e3, se: 20, bounds: [0, null]}, alpha: 0.3}
N: {count: total}
metric: {name: loss, unit: nat/token, better: lower}
applies_to: {modality: text, task: language-modeling}
source: {citation: own runs}
"""


def _write(tmp_path, text: str | bytes):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_users_file(tmp_path):
    law = load(_write(tmp_path, MINE))
    assert law.evaluate(N=1e10) == pytest.approx(1.5 + 1e3 / 1e3)
    assert law.coefficients["A"].se == 20
    assert law.metric.tokenizer == "unknown"
    assert law.evidence.runs is None


def test_several_laws_share_fields(tmp_path):
    head, tail = MINE.split("formula:")[0].replace("name: acme-2026\n", ""), MINE.split("alpha: 0.3}\n")[1]
    laws = "laws:\n" + "".join(
        f"  acme-2026-{name}: {{formula: '{name}*N', coefficients: {{{name}: {value}}}, metric: {{unit: {name}}}}}\n"
        for name, value in (("a", 2), ("b", 3))
    )
    path = _write(tmp_path, head + tail + laws)
    assert [law.evaluate(N=10) for law in read(path)] == [20, 30]
    assert load(f"{path}#acme-2026-b").metric.unit == "b"
    assert load(f"{path}#acme-2026-b").metric.name == "loss"
    with pytest.raises(LawError, match="name one of them"):
        load(path)


BROKEN = {
    # replaced in MINE, by, what the message must say
    "undeclared": ("A/N**alpha", "A/N**alpha + B", "B used but not declared"),
    "unused": ("E + A/N**alpha", "E + A/N**0.3", "alpha declared but not used"),
    "unused N": ("A/N**alpha", "A*alpha", "N declared but not used"),
    "twice": ("N: {count: total}", "N: {}\nderived: {E: '1'}", "declared twice"),
    "kind": ("conditional", "magic", "unknown kind 'magic'"),
    "no kind": ("kind: conditional\n", "", "kind is missing"),
    "name": ("acme-2026", "Acme 2026", "not author-year"),
    "path as name": ("acme-2026", "../../etc/passwd", "not author-year"),
    "typo": ("N: {count", "N: {cuont", "unknown field cuont"),
    "extra": ("kind:", "color: red\nkind:", "unknown field color"),
    "better": ("better: lower", "better: faster", "better must be lower or higher"),
    "number": ("A: {value: 1e3", "A: {value: many", "value must be a number"),
    "bool": ("A: {value: 1e3", "A: {value: yes", "value must be a number"),
    "nan": ("A: {value: 1e3", "A: {value: .nan", "finite"),
    "huge": ("A: {value: 1e3", "A: {value: " + "9" * 4_000, "a number of more than 400 digits"),
    "pair": ("[0, null]", "[1, 0]", "bounds must be"),
    "triple": ("[0, null]", "[1, 2, 3]", "bounds must be"),
    "code": ("E + A/N**alpha", "__import__('os')", "unknown function '__import__'"),
    "list": ("E + A/N**alpha", "[1, 2]", "formula must be a text"),
    "derived": ("N: {count: total}", "N: {count: total}\nderived: {F: 'log(0)'}", "F declared but not used"),
    "bad derived": ("1e3, se: 20, bounds: [0, null]}", "1e3}, F: {value: 0}", "F declared but not used"),
    "no value": ("{value: 1e3, se", "{se", "value is missing"),
    "tie": ("source:", "ties: [[A, Z]]\nsource:", "ties Z, no coefficient"),
    "unequal tie": ("source:", "ties: [[A, E]]\nsource:", "A, E are tied but differ"),
    "tie of one": ("source:", "ties: [[A]]\nsource:", "ties must be a list of lists of names"),
    "fixed": ("se: 20", "fixed: 3", "fixed must be true or false"),
    "near": ("se: 20", "near: x*N", "A is near x"),
    "root": ("E + A/N**alpha", "E + A + alpha + root(1, N, 0, 1)", "root's unknown is no name"),
    "roots": (
        "E + A/N**alpha",
        "E*A*alpha + root(a, a - root(b, b - root(c, c - root(d, d - N, 0, 9), 0, 9), 0, 9), 0, 9)",
        "more than 3 roots inside each other",
    ),
    "range": ("source:", "range: {N: [0, 5]}\nsource:", "N must be"),
    "range name": ("source:", "range: {'x.y': [1, 5]}\nsource:", "'.' is not allowed"),
    "scalar": (MINE, "3", "expected `key: value` lines"),
    "nothing": (MINE, "", "expected `key: value` lines"),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_law_says_what_is_wrong(tmp_path, old, new, message):
    assert old in MINE
    with pytest.raises(ScalecalcError) as caught:
        load(_write(tmp_path, MINE.replace(old, new)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


HOSTILE = {
    "alias": ("a: &x [1]\nb: *x", "anchors and aliases"),
    "merge": ("a: {<<: {b: 1}}", "merge keys"),
    "python tag": ("a: !!python/object/apply:os.system [id]", "tags"),
    "any tag": ("a: !x 1", "tags"),
    "str tag": ("a: !!str 1", "tags"),
    "deep list": ("[" * 50_000, "deep"),
    "deep mapping": ("{a: " * 10_000, "deep"),
    "deep block": ("".join(" " * depth + "a:\n" for depth in range(100)), "deep"),
    "large": ("a" * 70_000, "larger than"),
    "twice": ("a: 1\na: 2", "twice"),
    "huge number": ("a: " + "1" * 60_000, "digits"),
    "bad date": ("a: 2026-99-99", "month"),
    "control": ("a: \0", "special characters"),
    "bytes": (b"\xff\xfe\xff", "UTF-8"),
    "unclosed": ("a: [1", "line"),
    "two documents": ("a: 1\n---\nb: 1", "document"),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_ends_in_one_line(tmp_path, text, message):
    start = time.process_time()
    with pytest.raises(ScalecalcError) as caught:
        read(_write(tmp_path, text))
    assert time.process_time() - start < 2
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file():
    with pytest.raises(ScalecalcError, match=r"nowhere\.yaml: cannot be read"):
        load("nowhere.yaml")


def test_derived_constants_are_evaluated_in_order():
    data = parse_yaml(MINE.replace("A: {value: 1e3, se: 20, bounds: [0, null]}", "a: 2"), where="test")
    (law,) = laws_of({**data, "derived": {"b": "a + 1", "A": "b*2"}}, "test")
    assert law.constants["A"] == 6
    assert str(law.expanded) == "E + (a + 1)*2/N**alpha"
    assert law.evaluate(N=1, a=9) == 1.5 + 20
    with pytest.raises(LawError, match="no value here"):
        laws_of({**data, "derived": {"b": "1/(a - 2)", "A": "b*2"}}, "test")


def test_values_must_fit_the_formula():
    (law,) = laws_of(parse_yaml(MINE, where="test"), "test")
    with pytest.raises(LawError, match="N missing"):
        law.evaluate()
    with pytest.raises(LawError, match="takes no D"):
        law.evaluate(N=1, D=1)
    with pytest.raises(LawError, match="has no coefficient B"):
        law.with_coefficients(B=1)
    with pytest.raises(LawError, match="never reaches loss 1"):
        law.inverse("N", 1.0)
    changed = law.with_coefficients(A=2e3)
    assert (changed.constants["A"], changed.coefficients["A"].se) == (2e3, None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"E": "0x" + "f" * 5000}, "more than 400 digits"),
        ({"derived": {f"a{i + 1}": f"a{i}*a{i}" for i in range(12)}, "a0": "1.0e+300"}, "derived constant"),
        ({"derived": {f"a{i + 1}": f"a{i} + a{i}" for i in range(40)}, "a0": "1.0"}, "derived constants"),
        ({"derived": {f"a{i + 1}": "+".join([f"a{i}"] * 100) for i in range(8)}, "a0": "1e-9"}, "derived constants"),
    ],
)
def test_numbers_without_end_are_refused(tmp_path, change, says):
    derived = "".join(f"      {name}: '{text}'\n" for name, text in change.get("derived", {}).items())
    path = tmp_path / "bomb.yaml"
    path.write_text(
        "source: {citation: nobody}\nlaws:\n  bomb:\n    kind: conditional\n"
        f"    formula: 'E + a{len(change.get('derived', {}))}/N'\n"
        + (f"    derived:\n{derived}" if derived else "")
        + f"    coefficients:\n      E: {{value: {change.get('E', '1.0')}}}\n"
        + f"      a0: {{value: {change.get('a0', '1.0')}}}\n"
        "    N: {count: total}\n    metric: {name: loss, unit: nat/token, better: lower}\n"
        "    applies_to: {modality: text, task: language-modeling}\n"
    )
    with pytest.raises(ScalecalcError, match=says):
        load(str(path))


FORM = MINE.replace(
    "{E: 1.5, A: {value: 1e3, se: 20, bounds: [0, null]}, alpha: 0.3}", "{E: null, A: positive, alpha: 0.3}"
)


def test_a_form_says_nothing_before_it_is_fitted(tmp_path):
    form = load(_write(tmp_path, FORM))
    assert form.is_form
    assert form.unset == ("E", "A")
    assert (form.coefficients["E"].bounds, form.coefficients["A"].bounds) == ((None, None), (0, None))
    with pytest.raises(LawError, match="is a form: E, A without a value; fit it to runs"):
        form.evaluate(N=1e10)
    assert form.evaluate(N=1e10, E=1.5, A=1e3) == pytest.approx(2.5)
    assert form.with_coefficients(E=1.5, A=1e3).evaluate(N=1e10) == pytest.approx(2.5)
    assert form.with_coefficients(E=1.5).unset == ("A",)


def test_what_a_fit_keeps_and_ties(tmp_path):
    text = FORM.replace("A: positive", "A: {value: 2, fixed: true}, B: 'positive, near 1/N', beta: 0.3")
    text = text.replace("A/N**alpha", "A/N**alpha + B/N**beta") + "ties: [[alpha, beta]]\n"
    law = load(_write(tmp_path, text))
    assert law.coefficients["A"].fixed
    assert str(law.coefficients["B"].near) == "1/N"
    assert law.ties == (("alpha", "beta"),)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_law_is_written_as_it_is_read(name):
    law = shipped()[name]
    (read_again,) = laws_of(parse_yaml(text_of(law), where="text"), "text")
    assert read_again == law
