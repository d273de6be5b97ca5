"""Every model that comes with the package, against what its source publishes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from scalecalc import profile
from scalecalc.estimate.sizes import settle
from scalecalc.frontends import zoo
from scalecalc.frontends.spec import DOMAINS
from scalecalc.walk.task import ALIASES, TASKS

UNITS = {"": 0, "K": 3, "M": 6, "B": 9, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21}
QUANTITIES = {
    # what `expect` names: where a profile has it
    "params": ("params", "trainable"),
    "total": ("params", "total"),
    "active": ("params", "active"),
    "embedding": ("params", "embedding"),
    "non_embedding": ("params", "non_embedding"),
    "buffers": ("params", "buffers"),
    "constants": ("params", "constants"),
    "macs": ("forward", "macs"),
    "flops": ("forward", "matrix_flops"),
}
ENTRIES = [*zoo.entries()]


def _name(found: zoo.Found) -> str:
    return f"{found.path.stem}:{found.variant}" if found.variant else found.path.stem


def printed(value: int, published: str) -> bool:
    """Whether a number rounds to the digits a publication prints: 46.7B, 4.09G."""
    number, unit = published.rstrip("KMBGTPEZ"), published[len(published.rstrip("KMBGTPEZ")) :]
    step = Decimal(1).scaleb(-len(number.partition(".")[2])) * 10 ** UNITS[unit]
    return abs(Decimal(value) - Decimal(number) * 10 ** UNITS[unit]) <= step / 2


def check(name: str, expect: Mapping[str, Any]) -> None:
    """Assert what an entry states, at the sizes it states."""
    found = profile(name)
    sizes = settle(found, expect.get("at", {})).sizes
    stated = {key: value for key, value in expect.items() if key != "at"}
    assert stated
    assert found.complete
    for key, published in stated.items():
        group, role = QUANTITIES[key]
        value = getattr(found, group)[role].value(sizes)
        assert value == published if isinstance(published, int) else printed(value, published), (name, key, value)


@pytest.mark.parametrize("found", ENTRIES, ids=_name)
def test_publishes(found: zoo.Found) -> None:
    check(_name(found), zoo.load(found).expect)


@pytest.mark.parametrize("found", [entry for entry in ENTRIES if not entry.variant], ids=_name)
def test_says_what_it_is(found: zoo.Found) -> None:
    spec = zoo.load(found)
    assert spec.name == found.path.stem
    assert spec.title
    assert spec.source
    assert spec.domain in DOMAINS
    assert spec.task in TASKS or spec.task in ALIASES


def test_names_lead_to_one_model_each() -> None:
    names = zoo.known()
    assert len({name.replace("-", "").replace(":", "") for name in names}) == len(names)
    for name in names:
        assert zoo.find(name) is not None


def test_punctuation_of_names_does_not_matter() -> None:
    assert zoo.find("DeepSpeech2") == zoo.find("deepspeech-2")
    assert zoo.find("mamba-1.4b") == zoo.find("mamba:1.4b")


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gpt-3", "gpt3"), ("GPT2 XL", "gpt2:xl"), ("llama2_70b", "llama-2:70b"), ("mixtral-8x7b", "mixtral"),
        ("RoBERTa", "bert:roberta-base"), ("deepseek", "deepseek-v3"),
    ],
)  # fmt: skip
def test_names_as_people_write_them(name: str, model: str) -> None:
    found = zoo.find(name)
    assert found is not None
    assert _name(found) == model


@pytest.mark.parametrize(
    ("value", "published", "holds"),
    [(46_702_792_704, "46.7B", True), (46_702_792_704, "46.8B", False), (25_557_032, "25.6M", True)],
)
def test_printed_digits(value: int, published: str, holds: bool) -> None:
    assert printed(value, published) is holds
