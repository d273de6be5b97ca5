"""Epoch AI's reconstruction of Chinchilla's runs: the optimum, and what resampling says of it.

Expected values: the true optima of the published objective, found by independent optimisers to all printed digits;
Besiroglu et al. 2024 print A 482.01 (SE 124.58), B 2085.43 (1293.23), E 1.8172 (.03), alpha .3478 (.02), beta .3658.
"""

from __future__ import annotations

import numpy as np
import pytest

from scalecalc.calibrate.calibration import Calibration, calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.ranking import fit_form
from scalecalc.calibrate.reading import Reading
from scalecalc.calibrate.sets import RunSet, open_runs

NAMES = ("A", "B", "E", "alpha", "beta")


@pytest.fixture(scope="module")
def runs() -> tuple[Reading, RunSet]:
    reading, found = open_runs("@chinchilla")
    assert found is not None
    return reading, found


@pytest.fixture(scope="module")
def fitted(runs: tuple[Reading, RunSet]) -> Calibration:
    reading, found = runs
    return calibrate(reading, Method(), [form_of("separable", reading)], run_set=found)


def test_the_optimum(fitted: Calibration) -> None:
    expected = dict(zip(NAMES, (477.82587, 2143.41736, 1.8172181, 0.3473105, 0.3671724), strict=True))
    fit = fitted.fitted.fit
    assert len(fitted.kept.runs) == 240
    assert fit.coefficients == pytest.approx(expected, rel=1e-6)
    assert fit.objective == pytest.approx(0.0010182740178006, rel=1e-12)
    assert fit.gradient < 1e-11
    assert (fit.agreed, fit.starts) == (75, 75)


@pytest.mark.parametrize(
    ("method", "expected", "digits"),
    [
        (Method("lad", drop_highest=5), (482.0060, 2085.436, 1.81686, 0.34781, 0.36585), 1.5e-5),
        (Method(drop_highest=0), (None, 12_846, None, None, None), 1e-4),
        (Method("least-squares", drop_highest=5), (None, None, None, None, 0.406), 1e-3),
        (Method("least-squares", drop_highest=0), (None, None, None, None, 0.612), 1e-3),
    ],
    ids=("lad", "all runs", "squares", "squares of all runs"),
)
def test_other_losses_and_all_runs(
    runs: tuple[Reading, RunSet], method: Method, expected: tuple[float | None, ...], digits: float
) -> None:
    reading = method.kept(runs[0])
    found = fit_form(form_of("separable", reading), reading, method).fit.coefficients
    for name, value in zip(NAMES, expected, strict=True):
        if value is not None:
            assert found[name] == pytest.approx(value, rel=digits), name


def test_a_law_that_exists_has_the_same_form(runs: tuple[Reading, RunSet], fitted: Calibration) -> None:
    reading = Method(drop_highest=5).kept(runs[0])
    found = fit_form(form_of("besiroglu-2024", reading), reading, Method())
    assert found.fit.coefficients == pytest.approx(dict(fitted.fitted.fit.coefficients), rel=1e-9)


def test_held_and_tied_coefficients(runs: tuple[Reading, RunSet]) -> None:
    reading = Method(drop_highest=5).kept(runs[0])
    form = form_of("separable", reading)
    free = fit_form(form, reading, Method()).fit.objective
    held = fit_form(form, reading, Method(held={"E": 1.69}))
    assert held.law.coefficients["E"].value == 1.69
    assert "E" not in held.fit.coefficients
    assert held.fit.objective > free
    tied = fit_form(form, reading, Method(tied=(("alpha", "beta"),)))
    assert tied.law.coefficients["alpha"].value == tied.law.coefficients["beta"].value
    assert tied.fit.objective > free


def test_standard_errors(fitted: Calibration) -> None:
    """Of 4,000 resamples, within their own noise of the published analysis' 4,000.

    A standard deviation s of n draws with kurtosis k has the standard error s sqrt((k - 1)/(4 n)); both series have
    it, so that their difference has sqrt(2) of it.
    """
    expected = dict(zip(NAMES, (124.49, 1293.17, 0.02566, 0.01540, 0.02059), strict=True))
    assert len(fitted.gradients) == 4000
    assert fitted.gradients.max() < 1e-8
    assert fitted.lost == 0
    for name, published in expected.items():
        drawn = fitted.draws[name]
        errors = fitted.errors(name)
        assert errors is not None
        kurtosis = float(np.mean(((drawn - drawn.mean()) / drawn.std()) ** 4))
        noise = published * np.sqrt((kurtosis - 1) / (4 * len(drawn)))
        assert abs(errors[0] - published) < 4 * np.sqrt(2) * noise, (name, errors[0], published, noise)


def test_what_is_dropped_changes_the_law(runs: tuple[Reading, RunSet]) -> None:
    """245 runs: N* ~ C^(beta/(alpha + beta)) with .565 instead of .514."""
    reading = runs[0]
    found = fit_form(form_of("separable", reading), reading, Method()).fit.coefficients
    assert found["beta"] / (found["alpha"] + found["beta"]) == pytest.approx(0.565, abs=5e-4)
