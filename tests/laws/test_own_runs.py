"""Laws of distinct data whose runs repeat them, of one network only, and of characters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import yaml

from scalecalc import profile
from scalecalc.errors import LawError
from scalecalc.estimate.allocation import allocate
from scalecalc.estimate.answer import Estimate, estimate
from scalecalc.estimate.asking import Question
from scalecalc.estimate.budgets import budget
from scalecalc.estimate.datasets import dataset
from scalecalc.laws import Law, shipped
from scalecalc.laws.choosing import rank
from scalecalc.laws.plan import Plan
from scalecalc.laws.reading import laws_of
from scalecalc.laws.writing import text_of

LAWS = shipped()
SEED = "models/vision/seed_cnn.onnx"


def mnist(model: str, own: Law, **values: int) -> Estimate:
    """What a law says of a model of handwritten digits and 1e14 FLOP."""
    return estimate(
        profile(model, values=values), 1e14, laws={own.name: own}, dataset=dataset("mnist"), task="image-classification"
    )


def law(**fields: Any) -> Law:
    """A law of handwritten digits, or what the fields make of it."""
    (found,) = laws_of({
        "name": "own", "kind": "conditional", "formula": "E - A*C**-a", "coefficients": {"E": 0.99, "A": 4e7, "a": 0.8},
        "C": {"count": "exact", "attention": "none"}, "N": {"count": "total"},
        "U": {"sample": "example", "meaning": "unique"},
        "metric": {"name": "accuracy", "unit": "fraction", "better": "higher", "bounds": [0, 1]},
        "applies_to": {"modality": "image", "task": "image-classification", "classes": 10, "input_elements": 784},
        "range": {"C": [1e10, 1e12], "N": [34826, 34826], "U": [55000, 55000]}, "source": {"citation": "x"}, **fields,
    }, "own.yaml")  # fmt: skip
    return found


def test_what_runs_have_in_common_is_in_the_range_and_not_in_the_formula() -> None:
    own = law()
    assert own.inputs == ("C",)
    assert set(own.variables) == {"N", "U", "C"}
    (again,) = laws_of(yaml.safe_load(text_of(own)), "again.yaml")
    assert again == own
    with pytest.raises(LawError, match="U declared but not used"):
        law(range={"C": [1e10, 1e12], "N": [34826, 34826]})


@pytest.mark.parametrize(("width", "params"), [(32, 34_826), (64, 106_506)])
def test_another_network_is_outside_by_its_size(width: int, params: int) -> None:
    """64*9 + 64 = 640, 128*64*9 + 128 = 73,856 and 3,200*10 + 10 = 32,010 parameters make 106,506."""
    answer = mnist("models/vision/seed-cnn.yaml", law(), width=width)
    (found,) = [p for p in answer.predictions if p.law == "own"]
    assert found.decades_outside["N"] == pytest.approx(abs(math.log10(params / 34_826)), abs=1e-9)
    assert found.decades_outside["C"] == pytest.approx(2.0)
    assert found.decades_outside["U"] == pytest.approx(math.log10(60 / 55))
    assert not found.inside_range
    assert [bound.symbol for bound in found.binding.variables] == ["C"]
    assert {bound.symbol: bound.status for bound in found.binding.beside} == {"N": "exact", "U": "exact"}


DISTINCT = {
    "formula": "A/N**a + B/D**b", "coefficients": {"A": 90, "a": 1, "B": 12, "b": 0.6},
    "D": {"sample": "example", "meaning": "unique"},
    "range": {"N": [2000, 35000], "D": [1000, 33000], "C": [5e10, 2e12]},
    "metric": {"name": "loss", "unit": "nat/example", "better": "lower"}, "U": None,
}  # fmt: skip


def test_runs_that_repeat_their_data_divide_no_budget() -> None:
    """C = 6*N*D holds for samples seen: of those there were 163,840 whatever D was."""
    own = law(**DISTINCT)
    assert not own.divides
    assert LAWS["besiroglu-2024"].divides
    assert LAWS["kaplan-2020-joint"].divides  # one pass: its C is 6*N*D
    answer = mnist(SEED, own)
    assert not answer.best
    (found,) = [p for p in answer.predictions if p.law == "own"]
    assert found.value == pytest.approx(90 / 34_826 + 12 / 60_000**0.6)
    assert {b.symbol: (b.value, b.status) for b in found.binding.variables} == {
        "N": (34_826, "exact"), "D": (60_000, "exact"),
    }  # fmt: skip
    assert found.decades_outside["C"] == pytest.approx(math.log10(50))
    with pytest.raises(LawError, match="its D are distinct samples, of which C does not follow"):
        allocate(Question(budget=budget("1e14")), laws=[own])


def test_larger_pictures_are_other_data() -> None:
    answer = estimate(profile("models/vision/resnet.yaml"), 1e14)
    why = {found.name: said for found, said in answer.refused}
    mine = [name for name in LAWS if name.startswith("keras-images")]
    assert mine
    for name in mine:
        assert "the law's has 10 classes, the model's 1,000" in why[name]


# --- characters

WORDS = LAWS["besiroglu-2024"]
LETTERS = replace(
    WORDS.with_coefficients(E=0.5, A=20, B=20), name="letters", metric=replace(WORDS.metric, tokenizer="char"),
    variables={**WORDS.variables, "D": replace(WORDS.variables["D"], tokenizer="char")},
)  # fmt: skip
CHARACTERS = {"vocab": 99, "context": 64, "d_model": 64, "n_layer": 3, "n_head": 4}


def asked(sizes: dict[str, int], **known: Any) -> tuple[list[str], dict[str, str]]:
    """Which of a law of characters, and of one of pieces of words, speak of a GPT-2 of these sizes."""
    laws = {found.name: found for found in (LETTERS, WORDS)}
    answer = estimate(profile("gpt2"), 1e19, laws=laws, sizes=sizes, **known)
    return [p.law for p in answer.predictions], {found.name: said for found, said in answer.refused}


def test_a_law_of_characters_is_for_models_of_characters() -> None:
    says, why = asked(CHARACTERS)
    assert says == ["letters"]
    assert why == {"besiroglu-2024": "other tokens: the law's are pieces of words, the model's of char"}


def test_a_law_of_characters_is_not_for_pieces_of_words() -> None:
    says, why = asked({})
    assert says == ["besiroglu-2024"]
    assert why == {"letters": "other tokens: the law's are of char, the model's pieces of words (--tokenizer)"}
    assert asked({}, tokenizer="char")[0] == ["letters"]


def test_pieces_of_words_come_first_where_nobody_says() -> None:
    plan = Plan(task="language-modeling")
    exact = replace(LETTERS, evidence=replace(LETTERS.evidence, extrapolation_error=1e-6))
    assert rank(WORDS, plan) < rank(exact, plan)
