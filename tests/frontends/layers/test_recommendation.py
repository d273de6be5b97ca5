"""Layers of recommendation models against a few lines of torch."""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.sequences import costs, shape, stacked


def test_dot_interaction() -> None:
    """torch.bmm of 7 vectors and its lower triangle: 21 pairs, 3,136 multiply-accumulates by FlopCounterMode."""
    found = stacked("dot_interaction", inputs="{x: [batch, 7, 32]}")
    assert costs(found) == (0, 3136, 0)
    assert shape(found) == "batch 21"
    assert found.params["total"].value({}) == 0


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("[batch, 7]", "it takes (batch, vectors, features), not 2 axes"),
        ("[batch, seq, 7]", "it needs a number, and seq has none in the file"),
        ("[batch, 100000, 7]", "100,000 vectors: at most 1,000 are paired"),
    ],
)
def test_refused(shape: str, says: str) -> None:
    with pytest.raises(FileError) as caught:
        stacked("dot_interaction", inputs=f"{{x: {shape}}}")
    assert says in str(caught.value)
