"""How attention's two products count in the matrix FLOPs.

`full`: as the graph executes them, every query with every key. `causal`: half of that in layers whose mask keeps the
past only. Of seq^2 scores seq (seq + 1) / 2 are kept; the convention is seq^2 / 2, as Megatron-LM counts and most
publications do, which leaves out 1 of seq + 1 kept ones. `none`: no products of attention at all, as in 6ND.
"""

from __future__ import annotations

from dataclasses import replace

from scalecalc.dims import Dim, Poly
from scalecalc.errors import UsageError
from scalecalc.walk import Profile, Quantity

ATTENTION = ("full", "causal", "none")


def counted(profile: Profile, attention: str) -> Profile:
    """A profile whose MACs and matrix FLOPs count attention in one of three ways; its nodes stay as they are.

    Raises:
        UsageError: an unknown way, or one that needs an attention nobody recognised in the graph.
    """
    if attention == "full":
        return profile
    if attention not in ATTENTION:
        raise UsageError(f"no attention '{attention}'", where="--attention", todo=f"use one of {', '.join(ATTENTION)}")
    found = saved(profile, attention)
    if found is None:
        what = "causal mask" if attention == "causal" else "attention"
        raise UsageError(
            f"no {what} was recognised in this model", where="--attention", todo="leave it out: every product counts"
        )
    forward_flops, training = found

    def less(quantity: Quantity, formula: Dim) -> Quantity:
        return Quantity(quantity.formula - formula, quantity.lower_bound)

    forward, costs = profile.forward, profile.training
    return replace(
        profile,
        forward={
            **forward,
            "macs": less(forward["macs"], forward_flops // 2),
            "matrix_flops": less(forward["matrix_flops"], forward_flops),
            "flops": less(forward["flops"], forward_flops),
        },
        training={
            **costs,
            "backward_matrix_flops": less(costs["backward_matrix_flops"], training - forward_flops),
            "matrix_flops": less(costs["matrix_flops"], training),
        },
        facts={**profile.facts, "attention": attention},
    )


def saved(profile: Profile, attention: str) -> tuple[Dim, Dim] | None:
    """Matrix FLOPs forward, and forward and backward, that a way leaves out; None where nothing was recognised."""
    if attention == "full":
        return 0, 0
    kind = "causal" if attention == "causal" else "attention"
    macs, training = profile.facts.get(f"{kind}_macs"), profile.facts.get(f"{kind}_training_macs")
    if not isinstance(macs, int | Poly) or not isinstance(training, int | Poly) or macs == 0:
        return None
    return (macs, training) if attention == "causal" else (2 * macs, 2 * training)


def way(profile: Profile) -> str:
    """How a profile counts attention."""
    return str(profile.facts.get("attention", "full"))


def training_flops(profile: Profile, attention: str) -> Quantity | None:
    """Training matrix FLOPs of a run with attention counted in another way; None where the model has no such."""
    own, other = saved(profile, way(profile)), saved(profile, attention)
    if own is None or other is None:
        return None
    total = profile.training["matrix_flops"]
    return Quantity(total.formula + own[1] - other[1], total.lower_bound)
