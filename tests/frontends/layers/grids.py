"""Small specifications of layers on images and grids of vectors, and what they count."""

from __future__ import annotations

from scalecalc.dims import evaluate
from scalecalc.frontends.spec import parse
from scalecalc.walk import walk
from scalecalc.walk.profile import Profile


def made(layers: str, inputs: str, symbols: str = "batch: ") -> Profile:
    """The profile of a list of layers; `inputs` and `symbols` are the entries of those mappings."""
    text = f"symbols: {{{symbols}}}\ninputs: {{{inputs}}}\nlayers:\n{layers}"
    return walk(parse(text, "test.yaml").graph())


def counts(profile: Profile, **sizes: int) -> tuple[int | None, ...]:
    """(trainable parameters, multiply-accumulates forward, matrix FLOPs backward)."""
    quantities = (
        profile.params["trainable"], profile.forward["macs"], profile.training["backward_matrix_flops"],
    )  # fmt: skip
    return tuple(quantity.value(sizes) for quantity in quantities)


def shape(profile: Profile, **sizes: int) -> tuple[int | None, ...]:
    """That of the output at sizes."""
    (dims,) = profile.outputs.values()
    return tuple(evaluate(dim, sizes) for dim in dims or ())
