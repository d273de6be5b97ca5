"""Convolutional models of the zoo beyond their published totals: backward passes, and sizes nobody published.

Figures of PyTorch 2.13 with torchvision 0.28, counted on modules without data: parameters, half of FlopCounterMode's
FLOPs of a forward pass, and its FLOPs of a backward pass from an image that needs no gradient.
"""

from __future__ import annotations

from functools import cache

import pytest

import scalecalc
from scalecalc.errors import FileError, UsageError
from scalecalc.estimate.sizes import settle
from scalecalc.frontends import zoo
from scalecalc.frontends.opening import read
from scalecalc.walk import Profile

BACKWARD = {
    "alexnet": 2_716_200_320,
    "vgg:11": 30_262_951_936,
    "vgg:13": 45_060_456_448,
    "vgg:16": 61_707_649_024,
    "vgg:19": 78_354_841_600,
    "resnet-basic:18": 7_020_265_472,
    "resnet-basic:34": 14_419_017_728,
    "resnet:50": 16_120_709_120,
    "resnet:101": 30_969_593_856,
    "resnet:152": 45_818_478_592,
    "resnet:wide-50-2": 45_356_056_576,
    "resnet:wide-101-2": 90_776_174_592,
    "densenet:121": 11_100_618_752,
    "densenet:161": 30_557_586_432,
    "densenet:169": 13_203_345_408,
    "densenet:201": 16_929_435_648,
    "googlenet": 5_757_476_864,
    "seed-cnn": 9_374_464,  # Conv2d(1, 32, 3), MaxPool2d(2), Conv2d(32, 64, 3), MaxPool2d(2), Linear(1600, 10)
    "lenet5": 1_430_880,  # Conv2d(1, 6, 5), AvgPool2d(2), Conv2d(6, 16, 5), AvgPool2d(2), Linear 400, 120, 84, 10
    # FlopCounterMode counts the backward pass of a convolution in groups as if it had none, so by hand: two products
    # as large as the forward one everywhere, but for the first layer, whose image needs no gradient
    "alexnet-2012": 4 * 724_406_816 - 2 * 55 * 55 * 96 * 363,
    "mobilenet-v2": 4 * 300_774_272 - 2 * 112 * 112 * 32 * 27,
    "mobilenet-v2:0.5": 4 * 97_131_840 - 2 * 112 * 112 * 16 * 27,
    "efficientnet": 4 * 385_814_752 - 2 * 112 * 112 * 32 * 27,
}
BUFFERS = {
    # running means and variances: torchvision's buffers without the counters of batches
    "resnet-basic": 9_600, "resnet:50": 53_120, "densenet:121": 83_648, "googlenet": 14_560,
    "mobilenet-v2": 34_112, "efficientnet": 42_016, "vgg": 0,
}  # fmt: skip
OTHERS = [
    # sizes, and the module that has them: parameters, multiply-accumulates, backward FLOPs of one image
    # ResNet(BasicBlock, [2, 3, 3, 2], num_classes=50)
    ("resnet-basic", {"n_2": 3, "n_3": 3, "classes": 50}, 12_678_258, 2_276_008_960, 8_868_007_936),
    # ResNet(BasicBlock, [1, 1, 1, 1])
    ("resnet-basic", {"n_1": 1, "n_2": 1, "n_3": 1, "n_4": 1}, 5_418_792, 889_229_312, 3_320_889_344),
    # ResNet(Bottleneck, [1, 1, 1, 1])
    ("resnet", {"n_1": 1, "n_2": 1, "n_3": 1, "n_4": 1}, 10_064_936, 1_468_792_832, 5_639_143_424),
    # DenseNet(48, (6, 12, 24, 16), 96): the width and the transitions follow
    ("densenet", {"growth": 48}, 17_113_384, 6_287_585_280, 24_796_299_264),
    # DenseNet(12, (6, 12, 24, 16), 24)
    ("densenet", {"growth": 12}, 1_384_696, 426_453_504, 1_617_303_552),
    # VGG of 1, 2, 3, 4 and 5 convolutions, num_classes=10
    ("vgg", {"n_1": 1, "n_4": 4, "n_5": 5, "classes": 10}, 141_344_010, 16_391_053_312, 65_390_804_992),
    # one tower of AlexNet alone: Conv2d of 48, 128, 192, 192 and 128 filters, Linear 4608, 4096, 4096, 1000
    ("alexnet-2012", {"towers": 1}, 40_702_632, 335_259_920, 1_235_624_480),
    # efficientnet_b0() of images of another side; backward by hand, as above
    ("efficientnet", {"resolution": 320}, 5_288_548, 785_392_000, 4 * 785_392_000 - 2 * 160 * 160 * 32 * 27),
    ("efficientnet", {"resolution": 225}, 5_288_548, 449_497_408, 4 * 449_497_408 - 2 * 113 * 113 * 32 * 27),
]


@cache
def profile(name: str) -> Profile:
    """Of a model, made once for all tests."""
    return scalecalc.profile(name)


def counted(found: Profile, sizes: dict[str, int]) -> tuple[int | None, ...]:
    """(trainable parameters, multiply-accumulates, matrix FLOPs backward) of one image."""
    at = settle(found, sizes).sizes
    figures = found.params["trainable"], found.forward["macs"], found.training["backward_matrix_flops"]
    return tuple(figure.value(at) for figure in figures)


@pytest.mark.parametrize("name", BACKWARD)
def test_backward(name: str) -> None:
    assert counted(profile(name), {})[2] == BACKWARD[name]


@pytest.mark.parametrize("name", BUFFERS)
def test_running_statistics_are_buffers(name: str) -> None:
    found = profile(name)
    assert found.params["buffers"].value(settle(found).sizes) == BUFFERS[name]


@pytest.mark.parametrize(("name", "sizes", "params", "macs", "backward"), OTHERS)
def test_other_sizes(name: str, sizes: dict[str, int], params: int, macs: int, backward: int) -> None:
    assert counted(profile(name), sizes) == (params, macs, backward)


def test_the_batch_is_a_factor_of_the_cost_alone() -> None:
    for found in (profile("googlenet"), profile("mobilenet-v2")):
        (params, *costs), many = counted(found, {"batch": 1}), counted(found, {"batch": 32})
        assert many == (params, *(32 * cost for cost in costs if cost is not None))


def test_what_is_declared_was_not_exported() -> None:
    """Biases of convolutions without a norm are the model's own: no note guesses at a BatchNorm folded into them."""
    assert profile("vgg").notes == ()
    assert profile("alexnet").notes == ("The network of 2012, with its two towers, is alexnet-2012.",)


def test_sizes_of_an_unrolled_repeat_are_numbers() -> None:
    """How often DenseNet's layers are written out is fixed once it is built; what follows from it still does."""
    found = profile("densenet")
    assert settle(found, {"growth": 24}).sizes["half_1"] == (48 + 6 * 24) // 2
    with pytest.raises(UsageError, match="n_1 is 6 in this model"):
        settle(found, {"n_1": 7})
    built = scalecalc.profile("densenet", values={"n_1": 7})
    assert settle(built, {"growth": 24}).sizes["half_1"] == (48 + 7 * 24) // 2


def test_a_variant_changes_the_value_of_a_symbol_alone() -> None:
    """The side of an image is data in all of them, and free to be set."""
    for name, side in (("efficientnet:b0", 224), ("efficientnet:b3", 300)):
        resolution = profile(name).symbols["resolution"]
        assert (resolution.kind, resolution.hint) == ("spatial", side)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("resnet18", "resnet-basic"), ("ResNet_34", "resnet-basic:34"), ("vgg16", "vgg"), ("vgg19", "vgg:19"),
        ("densenet121", "densenet"), ("efficientnet-b0", "efficientnet"), ("efficientnet_b7", "efficientnet:b7"),
        ("mobilenet-v2:1.4", "mobilenet-v2:1.4"), ("wide-resnet50-2", "resnet:wide-50-2"),
    ],
)  # fmt: skip
def test_names(name: str, model: str) -> None:
    base, _, variant = model.partition(":")
    found = zoo.find(name)
    assert found is not None
    assert (found.path.stem, found.variant) == (base, variant)
    assert read(name).name == read(model).name


def test_a_variant_may_have_a_point_in_its_name() -> None:
    """It is no file's ending; a wrong one names those there are."""
    with pytest.raises((FileError, UsageError), match=r"no variant '1\.5'"):
        profile("mobilenet-v2:1.5")
