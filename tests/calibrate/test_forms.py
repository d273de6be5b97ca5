"""Forms of every kind find the coefficients their runs were made with: implicit ones, piecewise ones, tied ones."""

from __future__ import annotations

import numpy as np
import pytest

from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.runs import Runs
from scalecalc.laws import shipped

LAWS = shipped()
D = np.logspace(5, 9, 40)


def runs_of(name: str, columns: dict[str, np.ndarray], **coefficients: float) -> Runs:
    """What a law with these coefficients gives exactly."""
    observed = LAWS[name].evaluate(**columns, **coefficients)
    return Runs(columns, observed, np.arange(len(observed)))


FITTED = {
    "alabdulmohsin-2022-m1": {"b": 20.0, "c": 0.3},
    "alabdulmohsin-2022-m2": {"e": 0.2, "b": 30.0, "c": 0.4},
    "alabdulmohsin-2022-m3": {"b": 90.0, "g": 3e-8, "c": 0.4},
    "alabdulmohsin-2022-m4": {"e": 0.2, "e0": 0.97, "a": 0.3, "D_0": 2e6, "c": 0.6},
}


@pytest.mark.parametrize("name", FITTED)
def test_a_form_finds_what_made_its_runs(name):
    found = fit_law(LAWS[name], runs_of(name, {"D": D}, **FITTED[name]), loss=least_squares())
    for key, value in FITTED[name].items():
        assert found.law.coefficients[key].value == pytest.approx(value, rel=1e-5), key
    assert not found.law.is_form
    assert found.law.evaluate(D=1e12) == pytest.approx(LAWS[name].evaluate(D=1e12, **FITTED[name]), rel=1e-5)


def test_repeated_data_with_tied_exponents():
    """Muennighoff et al.'s law, once more from runs it made: alpha and beta stay one."""
    form = LAWS["muennighoff-2023"]
    n, u, epochs = (axis.ravel() for axis in np.meshgrid([1e7, 1e8, 1e9, 8e9], [1e8, 2e9, 3e10], [1, 3, 10, 60]))
    columns = {"N": n.astype(float), "D": u * epochs, "U": u.astype(float)}
    runs = runs_of("muennighoff-2023", columns)
    ranges = {name: (0.8 * c.value, 1.2 * c.value) for name, c in form.coefficients.items()}
    found = fit_law(form, runs, loss=least_squares(), ranges=ranges, starts=30)
    fitted = found.law.coefficients
    assert fitted["alpha"].value == fitted["beta"].value == pytest.approx(0.3526596, rel=1e-5)
    for name in ("a", "b", "e", "R_D", "R_N"):
        assert fitted[name].value == pytest.approx(form.coefficients[name].value, rel=1e-3), name


def test_fixed_coefficients_are_kept():
    """Porian et al.'s published exponent stays; N_0 alone is found."""
    c = np.logspace(16, 20, 9)
    runs = Runs({"C": c}, 0.7 * c**0.497, np.arange(9))
    found = fit_law(LAWS["porian-2024"], runs, loss=least_squares(), ranges={"N_0": (1e-3, 1e3)})
    assert found.held == {"a": 0.497}
    assert found.law.coefficients["N_0"].value == pytest.approx(0.7, rel=1e-9)


def test_bounds_are_kept():
    """Errors that tend to 1.2 would need eps = 1.2, which no error rate is: 1 is the most, and the rest follows."""
    form = LAWS["gadre-2024-error"]
    assert form.coefficients["eps"].bounds == (0, 1)
    loss = np.linspace(1.0, 6.0, 30)
    runs = runs_of("gadre-2024-error", {"L": loss}, eps=1.2, k=2.0, gamma=0.7)
    found = fit_law(form, runs, loss=least_squares(), residual="raw")
    assert found.held == {"eps": 1.0}
    assert found.law.coefficients["eps"].value == 1.0
    inside = runs_of("gadre-2024-error", {"L": loss}, eps=0.9, k=1.2, gamma=0.7)
    found = fit_law(form, inside, loss=least_squares(), residual="raw")
    assert found.held == {}
    assert found.law.coefficients["eps"].value == pytest.approx(0.9, rel=1e-6)
