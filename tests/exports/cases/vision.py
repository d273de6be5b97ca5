"""torchvision's classifiers of images and videos, each at the size its published weights were measured at."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from torch_case import TORCHSCRIPT, Case, Inputs, Sizes, import_torchvision

BATCHES = ({"batch": 1}, {"batch": 2}, {"batch": 3})
SQUARES = (224, 256, 320, 333)

# Auxiliary heads start from an expensive distribution unless told otherwise.
ARGUMENTS: dict[str, dict[str, Any]] = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def vision(name: str) -> nn.Module:
    """A torchvision model with random weights."""
    model: nn.Module = import_torchvision().models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
    return model


def published(name: str) -> dict[str, Any]:
    """What torchvision's documentation gives for the default weights: GMACs at `crop`, parameters."""
    weights = import_torchvision().models.get_model_weights(name).DEFAULT
    crop = weights.transforms.keywords["crop_size"]
    return {
        "gmacs": weights.meta["_ops"],
        "params": weights.meta["num_params"],
        "crop": crop if isinstance(crop, int) else crop[0],
        "weights": weights.name,
    }


def image(sizes: Sizes) -> Inputs:
    """A batch of RGB images."""
    return {"x": torch.randn(sizes["batch"], 3, sizes.get("height", 224), sizes.get("width", 224))}


def image_case(model: str, symbols: str = "batch", side: int = 224, **options: Any) -> Case:
    """A vision model with these of batch, height and width dynamic."""
    axes = {axis: name for axis, name in ((0, "batch"), (2, "height"), (3, "width")) if name in symbols.split()}
    example = {"batch": 2 if axes else 1, "height": side, "width": side}
    sizes: tuple[Sizes, ...] = BATCHES if axes else (example,)
    if "height" in axes.values():
        squares = [{"batch": 1, "height": side, "width": side} for side in SQUARES]
        sizes = (*squares, {"batch": 2, "height": 200, "width": 333})
    return Case(model, lambda: vision(model), image, example, {"x": axes} if axes else {}, sizes, options)


# What the exporter computes beforehand from weights alone. Blocks x heads of each stage, windows of 7 x 7 positions:
# a table of (2*7 - 1)**2 relative positions becomes one of 7**2 x 7**2 pairs, per head.
PAIRS_OF_WINDOW = 7**4 - 13**2
SWIN_HEADS = 2 * 3 + 2 * 6 + 6 * 12 + 2 * 24
MAXVIT_HEADS = 2 * (2 * 2 + 2 * 4 + 5 * 8 + 2 * 16)  # attention within windows, and over a grid
# Swin V2 has 12 blocks; each computes its biases from 15 x 15 offsets by a layer 2 -> 512 (and one more, which stays).
OFFSETS = 12 * 15 * 15 * 512
ALTERED: dict[str, tuple[dict[str, int], str]] = {
    "swin_t": ({"params": SWIN_HEADS * PAIRS_OF_WINDOW}, "position tables stand in the file one value per pair"),
    "maxvit_t": ({"params": MAXVIT_HEADS * PAIRS_OF_WINDOW}, "position tables stand in the file one value per pair"),
    "swin_v2_t": (
        {"params": OFFSETS - 12 * 512 * 2, "forward_macs": -2 * OFFSETS, "backward_macs": -2 * OFFSETS},
        "the first layer of the position biases stands in the file as its result",
    ),
}


def classifier(model: str, side: int = 224, frames: int = 0, **options: Any) -> Case:
    """A classifier with a dynamic batch, for images of this side or videos of this many frames."""
    altered, note = ALTERED.get(model, ({}, ""))
    shape = (3, frames, side, side) if frames else (3, side, side)
    return Case(
        model,
        lambda: vision(model),
        lambda sizes: {"x": torch.randn(sizes["batch"], *shape)},
        {"batch": 2},
        {"x": {0: "batch"}},
        BATCHES[:2],
        options,
        published=lambda: published(model),
        altered=altered,
        note=note,
    )


CASES: dict[str, Case] = {
    "mobilenet_v2": image_case("mobilenet_v2"),
    "resnet50": image_case("resnet50"),
    "resnet50_hw": image_case("resnet50", "batch height width"),
    "vit_b_16": image_case("vit_b_16"),
    "resnet50_224": image_case("resnet50", ""),
    "resnet50_256": image_case("resnet50", "", 256),
    "resnet50_320": image_case("resnet50", "", 320),
    "resnet50_333": image_case("resnet50", "", 333),
    "vgg16": image_case("vgg16"),
    "vgg19": image_case("vgg19"),
    "resnet50_torchscript": image_case("resnet50", **TORCHSCRIPT),
    "resnet50_torchscript_training": image_case("resnet50", **TORCHSCRIPT, training=True),
    "mobilenet_v2_torchscript": image_case("mobilenet_v2", **TORCHSCRIPT),
    "vit_b_16_torchscript": image_case("vit_b_16", **TORCHSCRIPT),
    "resnet18": classifier("resnet18"),
    "alexnet": classifier("alexnet"),
    "squeezenet1_1": classifier("squeezenet1_1"),
    "mobilenet_v3_small": classifier("mobilenet_v3_small"),
    "mobilenet_v3_large": classifier("mobilenet_v3_large"),
    "shufflenet_v2_x1_0": classifier("shufflenet_v2_x1_0"),
    "mnasnet1_0": classifier("mnasnet1_0"),
    "efficientnet_b0": classifier("efficientnet_b0"),
    "regnet_x_400mf": classifier("regnet_x_400mf"),
    "regnet_y_400mf": classifier("regnet_y_400mf"),
    "densenet121": classifier("densenet121"),
    "googlenet": classifier("googlenet"),
    "inception_v3": classifier("inception_v3", 299),
    "convnext_tiny": classifier("convnext_tiny"),
    "swin_t": classifier("swin_t"),
    "swin_v2_t": classifier("swin_v2_t", 256),
    "maxvit_t": classifier("maxvit_t"),
    "resnext50_32x4d": classifier("resnext50_32x4d"),
    "wide_resnet50_2": classifier("wide_resnet50_2"),
    "vgg11_bn": classifier("vgg11_bn"),
    "efficientnet_v2_s": classifier("efficientnet_v2_s", 384),
    "resnet34": classifier("resnet34"),
    "r3d_18": classifier("r3d_18", 112, frames=16),
    "mvit_v1_b": classifier("mvit_v1_b", 224, frames=16),
}
