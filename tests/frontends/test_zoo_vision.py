"""What training costs for the shipped models of images, and what they cost at other sizes, against PyTorch."""

from __future__ import annotations

import pytest

from scalecalc import profile
from scalecalc.dims import evaluate
from scalecalc.estimate.sizes import settle
from tests.walk.exports import TRUTH

BACKWARD = [
    # model           FLOPs of a backward pass at batch 2
    ("vit", 140_048_203_776),
    ("vit:l-16", 491_821_137_920),
    ("vit:h-14", 1_337_590_169_600),
    ("swin", 35_866_730_496),
    ("swin:b", 123_370_504_192),
    ("swin:l-384", 831_012_962_304),
    ("convnext", 35_586_447_360),
    ("convnext:l", 274_775_863_296),
    ("ssd", 278_243_147_776),
    ("unet", 1_202_678_825_984),
    ("mobilefacenet", 1_746_046_976),
]
"""FlopCounterMode of PyTorch 2.13 around output.sum().backward() less its forward pass, on the meta device.

The modules are torchvision's (`vit_b_16`, `swin_t`, `convnext_tiny` ...; `ssd300_vgg16` up to its heads), its
`SwinTransformer` with windows of 12 at 384x384, and modules written after U-Net's Figure 1 and MobileFaceNet's Table 1.
Attention ran as its two products (SDPBackend.MATH). The counter multiplies the weight gradient of a convolution in
groups by their number: its formula for `convolution_backward` was replaced by one where either gradient costs the
forward pass (of ConvNeXt, the counter as it is says 137,130,077,184).
"""

SAME = {
    "vit_b_16": "vit", "swin_t_hw": "swin", "swin_t_288": "swin", "convnext_tiny_hw": "convnext", "ssd300_maps": "ssd",
}  # fmt: skip
"""Modules PyTorch counted at several sizes (tests/exports/truth.json), and the specifications that describe them."""
SIZES = [(name, place) for name in SAME for place in range(len(TRUTH[name]["counts"]))]


@pytest.mark.parametrize(("name", "flops"), BACKWARD)
def test_backward(name: str, flops: int) -> None:
    found = profile(name)
    assert found.training["backward_matrix_flops"].value(settle(found, {"batch": 2}).sizes) == flops


@pytest.mark.parametrize(("name", "place"), SIZES)
def test_other_sizes(name: str, place: int) -> None:
    """Odd heights and widths too: patches and windows that are not full."""
    truth = TRUTH[name]["counts"][place]
    found = profile(SAME[name])
    sizes = settle(found, truth["sizes"]).sizes
    assert found.forward["macs"].value(sizes) == truth["forward_macs"]
    assert found.training["backward_matrix_flops"].value(sizes) == 2 * truth["backward_macs"]


@pytest.mark.parametrize(
    ("name", "output", "published"),
    [
        ("unet", "output", (1, 2, 388, 388)),  # Figure 1: 388x388 of 2 classes
        ("ssd", "boxes", (1, 8_732, 4)),  # Figure 2: 8732 per class
        ("ssd", "scores", (1, 8_732, 91)),
        ("mobilefacenet", "output", (1, 128)),  # Table 1: the last layer
    ],
)
def test_outputs(name: str, output: str, published: tuple[int, ...]) -> None:
    found = profile(name)
    sizes = settle(found, {}).sizes
    assert tuple(evaluate(dim, sizes) for dim in found.outputs[output] or ()) == published


def test_position_table_follows_the_image() -> None:
    """torchvision's vit_b_16 made for images of 384: 86,859,496 parameters, 55,484,350,464 multiply-accumulates."""
    found = profile("vit")
    sizes = settle(found, {"height": 384, "width": 384}).sizes
    assert sizes["rows"] == 24
    assert found.params["trainable"].value(sizes) == 86_859_496
    assert found.forward["macs"].value(sizes) == 55_484_350_464


def test_other_tiles() -> None:
    """The module of U-Net's Figure 1 on 700 x 604 pixels: FlopCounterMode over 2, and its output of 516 x 420."""
    found = profile("unet")
    sizes = settle(found, {"height": 700, "width": 604}).sizes
    assert found.forward["macs"].value(sizes) == 206_048_225_536
    assert tuple(evaluate(dim, sizes) for dim in found.outputs["output"] or ()) == (1, 2, 516, 420)


def test_mobilefacenet_as_deployed() -> None:
    """The paper's 0.99M: convolutions, and for each channel of a norm folded into one an offset; slopes of PReLUs."""
    found = profile("mobilefacenet")
    norms, trainable = (found.params[role].value(settle(found, {}).sizes) for role in ("norm", "trainable"))
    assert trainable - norms // 2 == 976_000 + 9_792 + 7_552
