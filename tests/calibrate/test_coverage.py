"""Intervals against known truth; the recorded table is benchmarks/judgement/coverage.md."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from benchmarks.judgement.coverage import LAWS, LEVEL, NOISE, cell


def not_rejected(share: float, count: int) -> bool:
    """Whether a share of `count` sets is what chance makes of LEVEL, or within 3 points of it; at 1 in 1,000."""
    return abs(share - LEVEL) <= 0.03 or binomtest(round(share * count), count, LEVEL).pvalue > 0.001


def test_an_interval_holds_what_it_should():
    found = cell("additive", 0.005, 60, count=100)
    assert found.failed == 0
    assert not_rejected(found.prediction, 60)
    assert not_rejected(found.best, 60)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("name", LAWS)
def test_intervals_hold_for_each_law_and_noise(name, noise):
    found = cell(name, noise, 200)
    assert found.failed <= 2
    assert not_rejected(found.prediction, 200 - found.failed)
    assert not_rejected(found.best, 200 - found.failed)
