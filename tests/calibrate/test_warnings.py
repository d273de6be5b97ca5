"""Each doubt appears where it should and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.warnings import isoflops, warnings
from tests.calibrate.making import ADDITIVE, additive, grid_runs, law, line_runs

CURVE = law("m2", "e + b*D**-c", {"e": 0.1, "b": 1.0, "c": 0.3}, "D")


def doubts(runs, form=None, **options):
    return {
        doubt.kind: doubt.text for doubt in warnings(fit_law(form or additive(), runs, loss=least_squares(), **options))
    }


def with_columns(runs, **columns):
    return replace(runs, columns={**runs.columns, **columns})


def with_beside(runs, **columns):
    return replace(runs, beside=columns)


def test_a_good_grid_leaves_none():
    assert doubts(grid_runs(additive(), 0.003)) == {}


def test_one_ratio_of_data_to_parameters_confounds():
    n = np.geomspace(1e7, 1e11, 30) * np.tile([0.6, 1.6, 1.0], 10)
    d = 20 * np.geomspace(1e7, 1e11, 30)
    runs = Runs({"N": n, "D": d}, additive().evaluate(N=n, D=d) * np.exp(0.001 * np.cos(np.arange(30))), np.arange(30))
    assert "correlate by 0.99" in doubts(runs, held={"E": 1.8, "A": 480.0, "beta": 0.37})["confounded"]


def test_one_size_of_model_determines_nothing_of_it():
    d = np.geomspace(1e8, 1e11, 20)
    n = np.full(20, 1e8)
    runs = Runs({"N": n, "D": d}, additive().evaluate(N=n, D=d), np.arange(20))
    found = doubts(runs, held={"E": 1.8, "A": 480.0, "alpha": 0.35})
    assert found["confounded"].startswith("N is the same in all runs")


def test_a_power_law_shows_no_floor():
    places = np.geomspace(1e6, 1e9, 30)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(30))
    assert "floor unidentified: e" in doubts(line_runs("D", places, 50 * places**-0.2 * noise), CURVE)["floor"]
    seen = doubts(line_runs("D", places, (0.3 + 500 * places**-0.5) * noise), CURVE)
    assert "floor" not in seen


def test_half_a_decade_is_too_little():
    places = np.geomspace(1e6, 3.16e6, 30)
    assert "D spans 0.5" in doubts(line_runs("D", places, 0.3 + 500 * places**-0.5), CURVE)["decades"]


@pytest.mark.parametrize(("epochs", "many"), [(4.0, None), (5.0, "36 of 36 runs"), (50.0, "36 of 36 runs")])
def test_data_repeated_more_than_four_times(epochs, many):
    runs = grid_runs(additive(), 0.003)
    found = doubts(with_columns(runs, U=runs.columns["D"] / epochs))
    assert found.get("repeated", "")[:13] == (many or "")


def test_short_runs_and_gaps():
    runs = grid_runs(additive(), 0.003)
    steps = np.where(np.arange(36) < 3, 400.0, 5000.0)
    found = doubts(with_beside(runs, steps=steps, train=runs.observed * np.where(np.arange(36) < 2, 0.8, 0.99)))
    assert found["steps"].startswith("3 of 36 runs of fewer than 1,000 steps (least 400)")
    assert found["overfitting"].startswith("overfitting gap: 2 of 36 runs are over 10% worse on new data (most 20%)")


def iso(width, shift=0.0, noise=0.0):
    """Three budgets of 7 sizes, spread by `width` in log N around the best one or beside it."""
    rows = []
    for compute in (1e19, 1e20, 1e21):
        # N* = G (C/6)^(beta/(alpha + beta)), G = (alpha A/(beta B))^(1/(alpha + beta))
        best = (0.35 * 480 / (0.37 * 2100)) ** (1 / 0.72) * (compute / 6) ** (0.37 / 0.72)
        rows += [(best * np.exp(shift + width * step), compute) for step in np.linspace(-1, 1, 7)]
    n, c = map(np.array, zip(*rows, strict=True))
    d = c / 6 / n
    wave = np.exp(noise * np.tile([1, -1, 1, -1, 1, -1, 1], 3))
    return Runs({"N": n, "D": d, "C": c}, additive().evaluate(N=n, D=d) * wave, np.arange(21))


def test_valleys_over_model_size():
    assert [len(group) for group in isoflops(iso(2.0))] == [7, 7, 7]
    known = {"E": 1.8, "alpha": 0.35, "beta": 0.37}
    assert "isoflop" not in doubts(iso(2.0, noise=0.0005), held=known)
    # a bend of .045 (log N/N*)^2 makes .045*.3^2 = .004 at either end, one deviation of this noise
    assert "3 of 3 groups are no deeper" in doubts(iso(0.3, noise=0.004), held=known)["isoflop"]
    assert "3 of 3 groups have their best N at an end" in doubts(iso(0.5, shift=2.0), held=known)["isoflop"]


def test_hills_are_valleys_of_what_is_better_high():
    """Scores of one over the loss: best where that is least."""
    runs = iso(2.0, noise=0.0005)
    form = law("inverse", "1/(E + A/N**alpha + B/D**beta)", ADDITIVE, better="higher")
    raw = {"held": {"E": 1.8, "alpha": 0.35, "beta": 0.37}, "residual": "raw"}
    assert "isoflop" not in doubts(replace(runs, observed=1 / runs.observed), form, **raw)
    beside = iso(0.5, shift=2.0)
    found = doubts(replace(beside, observed=1 / beside.observed), form, **raw)
    assert "3 of 3 groups have their best N at an end" in found["isoflop"]


def test_noise_is_that_of_logarithms_whatever_is_fitted():
    """A loss in thousandths has raw residuals a thousand times as small: its valleys are as flat."""
    runs = iso(0.3, noise=0.004)
    thousandths = replace(runs, observed=runs.observed / 1000)
    form = law("small", "(E + A/N**alpha + B/D**beta)/1000", ADDITIVE)
    found = doubts(thousandths, form, held={"E": 1.8, "alpha": 0.35, "beta": 0.37}, residual="raw")
    assert "3 of 3 groups are no deeper" in found["isoflop"]


def test_a_law_of_compute_alone_says_what_it_leaves_out():
    """D/N from 1 to 1e3 where both vary; one ratio where they grow alike."""
    form = law("floor", "E + A*C**-a", {"E": 1.8, "A": 400.0, "a": 0.15}, "C")
    varied = doubts(grid_runs(additive(), 0.003), form)["alone"]
    assert varied.startswith("C alone: D/N varies from 0.1 to 1e+04 in the runs")
    n = np.geomspace(1e7, 1e10, 12)
    runs = Runs({"N": n, "D": 20 * n, "C": 120 * n * n}, additive().evaluate(N=n, D=20 * n), np.arange(12))
    assert doubts(runs, form)["alone"].startswith("C alone: D/N is 20 in all runs")


def test_counts_in_millions_and_hours_are_seen():
    """Figures below a thousand parameters or a million FLOP; a curve over 100 to 10,000 examples is none."""
    scaled = grid_runs(additive(), 0.003)
    units = Runs({"N": scaled.columns["N"] / 1e6, "D": scaled.columns["D"]}, scaled.observed, scaled.groups)
    assert doubts(units)["units"].startswith("N as low as 10 is read as parameters")
    places = np.geomspace(100, 1e4, 20)
    examples = line_runs("D", places, 0.1 + places**-0.3 * np.exp(0.01 * np.cos(np.arange(20.0))))
    assert "units" not in doubts(examples, CURVE)
    tokens = replace(examples, conventions={"D": {"sample": "token"}})
    assert "D as low as 100" in doubts(tokens, CURVE)["units"]


def test_perplexity_is_no_loss():
    places = np.geomspace(1e6, 1e9, 20)
    runs = line_runs("D", places, 10 + 1e4 * places**-0.3 * np.exp(0.01 * np.cos(np.arange(20.0))))
    assert "perplexity" in doubts(replace(runs, metric="val_ppl"), CURVE)
    assert "perplexity" not in doubts(runs, CURVE)
