"""The family reading of real exports: every weight dimension a symbol."""

from __future__ import annotations

from functools import cache

import pytest

from scalecalc.walk import Profile, walk
from tests.walk.exports import TRUTH, loaded

pytestmark = pytest.mark.exports

FAMILIES = (
    "mobilenet_v2", "resnet50", "resnet50_hw", "gpt2", "bert_base", "vit_b_16", "vgg16", "vgg19", "gpt2_1x1024",
    "resnet50_torchscript", "resnet50_torchscript_training", "mobilenet_v2_torchscript", "vit_b_16_torchscript",
    "bert_base_torchscript",
)  # fmt: skip
each = pytest.mark.parametrize("name", FAMILIES)
SYMBOLS = {"gpt2": 41, "resnet50": 39, "resnet50_torchscript_training": 39, "vit_b_16": 39}


@cache
def family(name: str) -> Profile:
    return walk(loaded(name), family=True)


@each
def test_families_leave_nothing_open(name: str) -> None:
    found = family(name)
    assert not found.pending
    assert found.complete
    assert len(found.symbols) == SYMBOLS.get(name, len(found.symbols))
    assert len(found.symbols) <= 60


@each
def test_families_at_their_hints_are_the_numbers(name: str) -> None:
    found = family(name)
    hints = {symbol.name: symbol.hint for symbol in found.symbols.values() if symbol.hint is not None}
    for row in TRUTH[name]["counts"][:2]:
        free = {symbol: size for symbol, size in row["sizes"].items() if symbol in found.symbols}
        numbers = walk(loaded(name), sizes=free)
        assert not numbers.symbols
        for group in ("params", "forward", "training", "memory"):
            for label, quantity in getattr(numbers, group).items():
                assert getattr(found, group)[label].value({**hints, **free}) == quantity.formula


def test_gpt2_s_family_is_gpt2_at_any_width() -> None:
    """Symbols: d_model, vocabulary, context, and n_head, d_head, d_ff of each block; by hand at twice the width."""
    found = family("gpt2")
    hints = [symbol.hint for symbol in found.symbols.values() if symbol.hint is not None]
    assert sorted(set(hints)) == [12, 64, 768, 1024, 3072, 50_257]
    assert [hints.count(n) for n in (768, 1024, 50_257)] == [1, 1, 1]
    assert [hints.count(n) for n in (12, 64, 3072)] == [12, 12, 12]
    doubled = {s.name: 2 * s.hint if s.hint in (768, 3072, 12) else s.hint for s in found.symbols.values() if s.hint}
    d, ff, vocabulary, context = 1536, 6144, 50_257, 1024
    block = 4 * d * d + 4 * d + 2 * d * ff + ff + d + 4 * d
    assert found.params["trainable"].value(doubled) == 12 * block + 2 * d + (vocabulary + context) * d
    macs = found.forward["macs"].value({**doubled, "batch": 2, "seq": 64})
    assert macs == 2 * 64 * (12 * (4 * d * d + 2 * d * ff) + vocabulary * d) + 2 * 12 * 2 * 64 * 64 * d
