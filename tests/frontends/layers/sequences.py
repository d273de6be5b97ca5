"""Small specifications of layers on sequences, and what they count."""

from __future__ import annotations

from scalecalc.estimate.sizes import settle
from scalecalc.frontends.spec import parse
from scalecalc.walk import Profile, walk

TOKENS = "{tokens: {shape: [batch, seq], dtype: int64}}"
SIZES = {"batch": 2, "seq": 7}


def made(layers: str, *, inputs: str = "{x: [batch, seq, 32]}", symbols: str = "batch: , seq: ") -> Profile:
    """The profile of layers written one a line."""
    listed = "".join(f"  {line}\n" for line in layers.strip("\n").splitlines())
    return walk(parse(f"symbols: {{{symbols}}}\ninputs: {inputs}\nlayers:\n{listed}", "test.yaml").graph())


def stacked(*layers: str, inputs: str = "{x: [batch, seq, 32]}") -> Profile:
    """The profile of layers, each in YAML's flow style."""
    return made("\n".join(f"- {layer}" for layer in layers), inputs=inputs)


def counts(profile: Profile, **sizes: int) -> tuple[int | None, int | None]:
    """(trainable parameters, multiply-accumulates forward)."""
    at = settle(profile, {**SIZES, **sizes}).sizes
    return profile.params["trainable"].value(at), profile.forward["macs"].value(at)


def costs(profile: Profile) -> tuple[int | None, int | None, int | None]:
    """(trainable parameters, multiply-accumulates forward, and backward)."""
    backward = profile.training["backward_matrix_flops"].value(settle(profile, SIZES).sizes)
    assert backward is not None
    return *counts(profile), backward // 2


def shape(profile: Profile) -> str:
    """Of the only output."""
    (dims,) = profile.outputs.values()
    return " ".join(map(str, dims or ()))
