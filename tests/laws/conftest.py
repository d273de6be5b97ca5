"""Models and runs the laws are asked about. Parameter counts are the publications'."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from scalecalc.laws import Plan
from scalecalc.walk.profile import PARAMS, Quantity


@dataclass(frozen=True)
class Profile:
    """All that laws read of a profile."""

    params: dict[str, Quantity]


def profile(**params: int) -> Profile:
    return Profile({name: Quantity(params.get(name, 0)) for name in PARAMS})


@pytest.fixture
def gpt2() -> Profile:
    """GPT-2 124M: 12 layers of 12*768^2 weights and 13*768 norms and biases, 2*768 of the last norm; tied head."""
    blocks = 12 * (12 * 768**2 + 13 * 768) + 2 * 768
    assert blocks == 85_056_000
    return profile(
        trainable=blocks + (50_257 + 1_024) * 768, non_embedding=blocks, linear=12 * 12 * 768**2 + 50_257 * 768
    )


@pytest.fixture
def gpt2_plan() -> Plan:
    """1e21 FLOP at sequence length 1024: 6*(weights + full attention's 12 layers * 2 products * 768 * 1024)."""
    per_token = 6 * (123_532_032 + 18_432 * 1_024)
    return Plan(
        task="language-modeling", modality="text", family="transformer", sample="token", compute=1e21,
        flops_per_sample=Fraction(per_token), input_shape=(1024,), classes=None,
    )  # fmt: skip


@pytest.fixture
def seed_cnn() -> Profile:
    """The seed article's network: 32*(9+1) + 64*(9*32+1) + 10*(5*5*64+1)."""
    return profile(trainable=320 + 18_496 + 16_010, non_embedding=34_826, linear=34_720)


@pytest.fixture
def seed_plan() -> Plan:
    return Plan(
        task="image-classification", modality="image", family="cnn", sample="image", corpus="mnist", compute=1e14,
        data=600_000, unique=60_000, classes=10, input_shape=(28, 28, 1),
    )  # fmt: skip


@pytest.fixture
def resnet50() -> Profile:
    return profile(trainable=25_557_032, non_embedding=25_557_032, linear=25_502_912)


@pytest.fixture
def resnet50_plan() -> Plan:
    return Plan(
        task="image-classification", modality="image", family="cnn", sample="image", corpus="imagenet1k", compute=1e15,
        flops_per_sample=24.3e9, classes=1000, input_shape=(3, 224, 224),
    )  # fmt: skip
