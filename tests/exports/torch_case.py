"""One PyTorch model to export: how it is built, fed and written as ONNX."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

Sizes = Mapping[str, int]
Inputs = dict[str, Tensor]

TORCHSCRIPT = {"dynamo": False}


@cache
def import_torchvision() -> ModuleType:
    """torchvision, also where its compiled operators do not load (only its detection models need them)."""
    try:
        import torchvision
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for op in ("nms", "qnms"):
            torch.library.define(f"torchvision::{op}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


def randomize(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and running statistic distinct random values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_(0, 0.02, generator=generator)
        for name, tensor in model.named_buffers():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=generator)
    return model


@dataclass(frozen=True, eq=False)
class Case:
    """One export: a model, example inputs, its dynamic axes, and the sizes at which PyTorch counts.

    Attributes:
        model: its name; cases of one model differ in how it is exported.
        build: makes it from its configuration.
        inputs: its arguments by name, at sizes.
        example: the sizes it is exported at.
        dynamic: which axes of which inputs keep their names, others become numbers.
        sizes: where PyTorch counts.
        options: of `torch.onnx.export`; `training=True` keeps training mode.
        static: sizes at which the same model is exported once more, without dynamic axes.
        published: figures its authors give.
        macs: forward and backward multiply-accumulates at sizes by hand, beside PyTorch's own.
        altered: what the exporter changed beyond folding BatchNorm: file minus model, in `params`, `forward_macs`
            and `backward_macs`.
        altered_at: the same where it depends on the sizes.
        frozen: parameters that a static export has more than the dynamic one, by its sizes: an exporter that knows
            all sizes stores tables of positions as the values it looked up.
        invalid: why the file that the exporter writes is none.
        note: what a reader of the counts should know.
    """

    model: str
    build: Callable[[], nn.Module]
    inputs: Callable[[Sizes], Inputs]
    example: Sizes
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    sizes: tuple[Sizes, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    static: tuple[Sizes, ...] = ()
    published: Callable[[], dict[str, Any]] | None = None
    macs: Callable[[Sizes], tuple[int, int]] | None = None
    altered: Mapping[str, int] = field(default_factory=dict)
    altered_at: Callable[[Sizes], Mapping[str, int]] | None = None
    frozen: Callable[[Sizes], int] | None = None
    invalid: str = ""
    note: str = ""

    def export(self, path: Path) -> None:
        """Write the model as ONNX, weights embedded."""
        model = randomize(self.build()).eval()
        inputs = self.inputs(self.example)
        arguments: dict[str, Any] = {"dynamo": True, "external_data": False, "verbose": False, **self.options}
        if arguments["dynamo"]:
            arguments["dynamic_shapes"] = {name: self.dynamic.get(name) or None for name in inputs}
        else:
            mode = torch.onnx.TrainingMode
            arguments["training"] = mode.TRAINING if arguments.pop("training", False) else mode.EVAL
            arguments.update(input_names=list(inputs), output_names=["output"])
            batched = {"output": {0: "batch"}} if self.dynamic else {}
            arguments["dynamic_axes"] = {**self.dynamic, **arguments.pop("dynamic_outputs", batched)}
        torch.onnx.export(model, tuple(inputs.values()), str(path), **arguments)

    def truth(self) -> dict[str, Any]:
        """What PyTorch says about the model."""
        from counting import truth

        return truth(self)

    def variants(self, name: str) -> Iterator[tuple[str, dict[str, Any], Case]]:
        """The static exports: their names, what PyTorch counts at their sizes, and themselves."""
        from counting import multiply_accumulates

        for sizes in self.static:
            numbers = "x".join(str(size) for size in sizes.values())
            row = multiply_accumulates(self, sizes)
            altered = {**self.altered, **row.pop("altered", {})}
            if self.frozen:
                altered["params"] = altered.get("params", 0) + self.frozen(sizes)
            if altered:
                row["altered"] = altered
            yield f"{name}__{numbers}", row, replace(self, example=sizes, dynamic={})
