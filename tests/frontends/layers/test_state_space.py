"""State-space layers against transformers' MambaMixer of the same sizes."""

from __future__ import annotations

from tests.frontends.layers.sequences import costs, shape, stacked


def test_a_mixer_of_mamba() -> None:
    """MambaMixer of 32 features, 6 states, rank 5: FlopCounterMode over 2 finds 116,224 and 175,104 backward.

    Its convolution goes on for 3 places beyond the sequence and drops them: 2 * 64 * 4 * 3 products forward, and as
    many for each of its two gradients.
    """
    found = stacked(
        "{parallel: , merge: multiply, branches: ["
        "[{dense: 64, use_bias: false}, {causal_conv1d: 4}, silu, {selective_scan: 6, dt_rank: 5}], "
        "[{dense: 64, use_bias: false, activation: silu}]]}",
        "{dense: 32, use_bias: false}",
    )
    beyond = 2 * 64 * 4 * 3
    assert costs(found) == (8384, 116224 - beyond, 175104 - 2 * beyond)
    assert shape(found) == "batch seq 32"
    assert found.params["positional"].value({}) == 0  # A_log is a table, but not of positions


def test_parts() -> None:
    """A kernel of 4 and a bias for 32 features; x_proj, dt_proj with its bias, A_log and D of the mixer's scan."""
    assert costs(stacked("{causal_conv1d: 4}"))[:2] == (32 * 4 + 32, 14 * 32 * 4)
    assert costs(stacked("{causal_conv1d: 4, use_bias: false}"))[0] == 32 * 4
    scan = stacked("{selective_scan: 6, dt_rank: 5}")
    assert costs(scan)[0] == 32 * (5 + 2 * 6) + (5 * 32 + 32) + 32 * 6 + 32
    assert costs(scan)[1] == 14 * (32 * (5 + 2 * 6) + 5 * 32 + 32 * 6)


def test_states_are_not_kept() -> None:
    """Backward keeps what the scan is given, as the fused kernel does, 4 bytes each: x, dt, B and C of every step.

    Beside them what dt's projection and softplus are given. A is made of weights alone: it is no activation.
    """
    kept = stacked("{selective_scan: 6, dt_rank: 5}").memory["activations"].value({"batch": 2, "seq": 7})
    assert kept == 4 * 14 * (32 + 32 + 6 + 6 + 5 + 32)
