"""The run a law is asked about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a planned training; None where it is not.

    Attributes:
        task: `image-classification`, `language-modeling`, ...
        modality: `image`, `text`, ...
        family: `cnn`, `transformer`, ...
        sample: what one sample is: `image`, `token`, `example`, ...
        sizes: symbol name to size, for the profile's formulas.
        corpus, tokenizer: of the training data.
        compute: training matrix FLOPs of the run.
        data: samples seen in the run.
        unique: distinct samples.
        flops_per_sample: training matrix FLOPs (forward and backward) for one sample.
        attention: how `compute` counts attention: `full` or `causal`.
        classes: of a classifier.
        input_shape: one sample's shape, without batch.
        sparse: a sample meets a part of the weights only: the model is a mixture of experts.
        extra: values for variables of laws beyond N, D, U and C, by symbol: B samples in a step, S steps, ...
    """

    task: str | None = None
    modality: str | None = None
    family: str | None = None
    sample: str = "example"
    sizes: Mapping[str, int] = field(default_factory=dict)
    corpus: str | None = None
    tokenizer: str | None = None
    compute: float | None = None
    data: float | None = None
    unique: float | None = None
    flops_per_sample: float | Fraction | None = None
    attention: str = "full"
    classes: int | None = None
    input_shape: tuple[int, ...] | None = None
    sparse: bool = False
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def seen(self) -> float | None:
        """Samples seen: as given, else what `compute` buys."""
        if self.data is not None or not self.compute or not self.flops_per_sample:
            return self.data
        return float(self.compute / self.flops_per_sample)

    @property
    def spent(self) -> float | None:
        """Training FLOPs: as given, else what seeing `data` samples costs."""
        if self.compute is not None or not self.data or not self.flops_per_sample:
            return self.compute
        return float(self.data * self.flops_per_sample)

    @property
    def input_elements(self) -> int | None:
        """Numbers in one sample."""
        return math.prod(self.input_shape) if self.input_shape is not None else None
