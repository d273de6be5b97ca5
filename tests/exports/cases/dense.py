"""Fully convolutional models with a dynamic batch, height and width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from cases.networks import Detector, UNet
from cases.vision import ALTERED, image, vision
from torch_case import TORCHSCRIPT, Case, Sizes, import_torchvision

SIDES = ({"batch": 1, "height": 224, "width": 224}, {"batch": 2, "height": 256, "width": 192})
ODD = (*SIDES, {"batch": 1, "height": 333, "width": 200})
EVEN = (*SIDES, {"batch": 1, "height": 320, "width": 160})
LARGE = ({"batch": 1, "height": 300, "width": 300}, {"batch": 2, "height": 320, "width": 350})
STATIC = (
    {"batch": 1, "height": 160, "width": 160},
    {"batch": 3, "height": 96, "width": 224},
    {"batch": 1, "height": 288, "width": 192},
)
STATIC_ODD = (*STATIC[:2], {"batch": 1, "height": 181, "width": 247})


class Plain(nn.Module):
    """A model that returns a dictionary, as one that returns its values."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        outputs = list(self.model(x).values())
        return outputs[0] if len(outputs) == 1 else tuple(outputs)


class DetectionMaps(nn.Module):
    """Backbone and heads of a detector: class and box of every anchor, before any suppression."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, x: Tensor) -> Any:
        return tuple(self.head(list(self.backbone(x).values())).values())


def segmenter(name: str) -> nn.Module:
    """A torchvision segmentation model of 21 classes with random weights, also in its backbone."""
    model = import_torchvision().models.get_model(name, weights=None, weights_backbone=None, num_classes=21)
    return Plain(model)


def detection_maps(name: str) -> nn.Module:
    """Backbone and heads of a torchvision detector of 91 classes."""
    import_torchvision()
    from torchvision.models import detection

    return DetectionMaps(getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91))


def dense(
    model: str,
    build: Callable[[], nn.Module],
    sizes: tuple[Sizes, ...] = ODD,
    static: tuple[Sizes, ...] = (),
    **options: Any,
) -> Case:
    """A model of images of any height and width."""
    axes = {0: "batch", 2: "height", 3: "width"}
    if options:
        options["dynamic_outputs"] = {"output": axes}
    example = {"batch": 2, "height": 320, "width": 352}
    altered, note = ALTERED.get(model, ({}, ""))
    return Case(model, build, image, example, {"x": axes}, sizes, options, static, altered=altered, note=note)


def classifier_hw(model: str, sizes: tuple[Sizes, ...] = ODD, static: tuple[Sizes, ...] = STATIC_ODD) -> Case:
    """A torchvision classifier at any height and width."""
    return dense(model, lambda: vision(model), sizes, static)


def at_side(model: str, side: int) -> Case:
    """A torchvision classifier of this side, batch 1, nothing dynamic."""
    sizes = {"batch": 1, "height": side, "width": side}
    altered, note = ALTERED.get(model, ({}, ""))
    return Case(model, lambda: vision(model), image, sizes, {}, (sizes,), altered=altered, note=note)


CASES: dict[str, Case] = {
    "unet": dense("unet", UNet, EVEN, STATIC),
    "unet_bilinear": dense("unet_bilinear", lambda: UNet(bilinear=True), EVEN, STATIC),
    "detector": dense("detector", Detector, EVEN, STATIC),
    "resnet18_hw": classifier_hw("resnet18"),
    "mobilenet_v2_hw": classifier_hw("mobilenet_v2"),
    "mobilenet_v3_large_hw": classifier_hw("mobilenet_v3_large"),
    "shufflenet_v2_x1_0_hw": classifier_hw("shufflenet_v2_x1_0"),
    "densenet121_hw": classifier_hw("densenet121", static=STATIC_ODD[:2]),
    "convnext_tiny_hw": classifier_hw("convnext_tiny", static=()),
    "alexnet_hw": classifier_hw("alexnet", static=()),
    "lraspp_mobilenet_v3_large": dense(
        "lraspp_mobilenet_v3_large", lambda: segmenter("lraspp_mobilenet_v3_large"), ODD, STATIC_ODD
    ),
    "deeplabv3_mobilenet_v3_large": dense(
        "deeplabv3_mobilenet_v3_large", lambda: segmenter("deeplabv3_mobilenet_v3_large"), ODD, STATIC_ODD
    ),
    "fcn_resnet50": dense("fcn_resnet50", lambda: segmenter("fcn_resnet50"), ODD),
    "ssdlite320_maps": dense("ssdlite320_maps", lambda: detection_maps("ssdlite320_mobilenet_v3_large"), EVEN, STATIC),
    "ssd300_maps": dense("ssd300_maps", lambda: detection_maps("ssd300_vgg16"), LARGE),
    "swin_t_hw": dense("swin_t", lambda: vision("swin_t"), ODD),
    "swin_t_256": at_side("swin_t", 256),
    "swin_t_288": at_side("swin_t", 288),
    "unet_torchscript": dense("unet", UNet, EVEN, **TORCHSCRIPT),
    "unet_bilinear_torchscript": dense("unet_bilinear", lambda: UNet(bilinear=True), EVEN, **TORCHSCRIPT),
    "detector_torchscript": dense("detector", Detector, EVEN, **TORCHSCRIPT),
    "lraspp_mobilenet_v3_large_torchscript": dense(
        "lraspp_mobilenet_v3_large", lambda: segmenter("lraspp_mobilenet_v3_large"), ODD, **TORCHSCRIPT
    ),
}
