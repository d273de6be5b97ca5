"""Muennighoff et al. 2023 (arXiv:2305.16264, section 3): a law of N, D and the distinct U, in plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalecalc.laws import Law, load
from scalecalc.laws.conventions import Variable

A, B, E = np.exp(6.255414), np.exp(7.3049974), np.exp(0.6254804)
ALPHA, R_D, R_N = 0.3526596, 15.387756, 5.309743
G = (A / B) ** (1 / (2 * ALPHA))  # alpha = beta


class Repeated(Law):
    """E + A/N'^alpha + B/D'^alpha, N' and D' what repeated passes and surplus parameters are worth."""

    __slots__ = ()

    def evaluate(self, **values: Any) -> Any:
        n, d, u = (np.asarray(values[name], dtype=float) for name in "NDU")
        base = np.minimum(n, u * G * G)  # N_opt(U): U = (C/6)^.5/G, N = G (C/6)^.5
        data = u * (1 + R_D * (1 - np.exp(-(d / u - 1) / R_D)))
        params = base * (1 + R_N * (1 - np.exp(-(n / base - 1) / R_N)))
        return E + A / params**ALPHA + B / data**ALPHA


def repeated() -> Law:
    """The law with the conventions of its kind."""
    model = load("hoffmann-2022")
    fields = {name: getattr(model, name) for name in Law.__dataclass_fields__ if name not in ("constants", "inputs")}
    law = Repeated(**fields | {"name": "repeated", "superseded_by": "", "notes": ()})
    object.__setattr__(law, "inputs", ("N", "D", "U"))
    object.__setattr__(law, "variables", {**model.variables, "U": Variable("U", sample="token", meaning="unique")})
    return law
