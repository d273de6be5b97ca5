"""Small specifications of layers over steps, and what they count at two examples of seven steps."""

from __future__ import annotations

from scalecalc.estimate.sizes import settle
from scalecalc.frontends.spec import parse
from scalecalc.walk import Profile, walk

SIZES = {"batch": 2, "seq": 7}


def made(*layers: str, inputs: str = "{x: [batch, seq, 32]}") -> Profile:
    """The profile of layers, each in YAML's flow style."""
    text = f"symbols: {{batch: , seq: }}\ninputs: {inputs}\nlayers: [{', '.join(layers)}]\n"
    return walk(parse(text, "test.yaml").graph())


def counts(profile: Profile) -> tuple[int | None, int | None, int | None]:
    """(trainable parameters, multiply-accumulates forward, and backward where nothing in front is trained)."""
    at = settle(profile, SIZES).sizes
    backward = profile.training["backward_matrix_flops"].value(at)
    assert backward is not None
    return profile.params["trainable"].value(at), profile.forward["macs"].value(at), backward // 2


def shape(profile: Profile) -> str:
    """Of the only output."""
    (dims,) = profile.outputs.values()
    return " ".join(map(str, dims or ()))
