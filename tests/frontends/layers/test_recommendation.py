"""Layers of recommendation models against a few lines of torch."""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.steps import counts, made, shape


def test_dot_interaction() -> None:
    """torch.bmm of 7 vectors and its lower triangle: 21 pairs, 3,136 multiply-accumulates by FlopCounterMode."""
    found = made("dot_interaction", inputs="{x: [batch, 7, 32]}")
    assert counts(found) == (0, 3136, 0)
    assert shape(found) == "batch 21"
    assert found.params["total"].value({}) == 0


def test_takes_vectors() -> None:
    with pytest.raises(FileError, match="not 2 axes"):
        made("dot_interaction", inputs="{x: [batch, 7]}")
