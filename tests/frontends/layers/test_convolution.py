"""Convolutions, pooling and resizing against PyTorch 2.13 and Keras 3.15 on TensorFlow 2.21.

Shapes and numbers of parameters were read off the modules named beside the rows, run once on inputs of these sizes;
multiply-accumulates are half of FlopCounterMode's FLOPs, and stand as the product they are: places of the output
(of the input, where it is transposed) times weights used at each.
"""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from scalecalc.frontends.spec import parse
from scalecalc.walk import walk
from tests.frontends.layers.images import IMAGE, SEQUENCE, VOLUME, counted, specification

CONVOLUTIONS = [
    # torch.nn.Conv1d(3, 4, 3, stride=2, padding=1)
    ("{conv1d: 4, kernel_size: 3, strides: 2, padding: 1}", SEQUENCE, (2, 4, 5), 40, 2 * 5 * 36),
    ("{conv1d: 4, kernel_size: 3, dilation_rate: 2, use_bias: false}", SEQUENCE, (2, 4, 5), 36, 2 * 5 * 36),
    # ConstantPad1d((2, 0), 0) before Conv1d(3, 4, 3): a causal convolution
    ("{conv1d: 4, kernel_size: 3, padding: [2, 0]}", SEQUENCE, (2, 4, 9), 40, 2 * 9 * 36),
    ("{conv2d: 4, kernel_size: 3}", IMAGE, (2, 4, 7, 6), 112, 2 * 7 * 6 * 108),
    # Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0))
    ("{conv2d: 4, kernel_size: [3, 2], strides: [2, 1], padding: [1, 0]}", IMAGE, (2, 4, 5, 7), 76, 2 * 5 * 7 * 72),
    # ZeroPad2d((0, 3, 1, 2)), which is left, right, top, bottom, before Conv2d(3, 4, 3)
    ("{conv2d: 4, kernel_size: 3, padding: [1, 2, 0, 3]}", IMAGE, (2, 4, 10, 9), 112, 2 * 10 * 9 * 108),
    ("{conv2d: 6, kernel_size: 3, groups: 3}", IMAGE, (2, 6, 7, 6), 60, 2 * 7 * 6 * 54),
    ("{conv2d: 4, kernel_size: 3, dilation_rate: [2, 3]}", IMAGE, (2, 4, 5, 2), 112, 2 * 5 * 2 * 108),
    # Conv3d(3, 4, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
    ("{conv3d: 4, kernel_size: [1, 3, 3], strides: [1, 2, 2], padding: [0, 1, 1]}", VOLUME,
     (2, 4, 5, 5, 4), 112, 2 * 5 * 5 * 4 * 108),
    ("{conv3d: 4, kernel_size: 3}", VOLUME, (2, 4, 3, 7, 6), 328, 2 * 3 * 7 * 6 * 324),
    # Conv1d(3, 3, 3, padding=1, groups=3)
    ("{depthwise_conv1d: , kernel_size: 3, padding: 1}", SEQUENCE, (2, 3, 9), 12, 2 * 9 * 9),
    # Conv2d(3, 6, 3, groups=3, bias=False)
    ("{depthwise_conv2d: , kernel_size: 3, depth_multiplier: 2, use_bias: false}", IMAGE,
     (2, 6, 7, 6), 54, 2 * 7 * 6 * 54),
    ("{depthwise_conv3d: , kernel_size: 3}", VOLUME, (2, 3, 3, 7, 6), 84, 2 * 3 * 7 * 6 * 81),
    # Conv1d(3, 3, 3, padding=1, groups=3, bias=False), Conv1d(3, 4, 1)
    ("{separable_conv1d: 4, kernel_size: 3, padding: 1}", SEQUENCE, (2, 4, 9), 25, 2 * 9 * (9 + 12)),
    # Conv2d(3, 6, 3, stride=2, groups=3, bias=False), Conv2d(6, 4, 1)
    ("{separable_conv2d: 4, kernel_size: 3, strides: 2, depth_multiplier: 2}", IMAGE,
     (2, 4, 4, 3), 82, 2 * 4 * 3 * (54 + 24)),
    ("{separable_conv3d: 4, kernel_size: 3, use_bias: false}", VOLUME, (2, 4, 3, 7, 6), 93, 2 * 3 * 7 * 6 * (81 + 12)),
    # ConvTranspose1d(3, 4, 3, stride=2, padding=1, output_padding=1)
    ("{conv1d_transpose: 4, kernel_size: 3, strides: 2, padding: 1, output_padding: 1}", SEQUENCE,
     (2, 4, 18), 40, 2 * 9 * 36),
    ("{conv2d_transpose: 4, kernel_size: 2, strides: 2}", IMAGE, (2, 4, 18, 16), 52, 2 * 9 * 8 * 48),
    ("{conv2d_transpose: 6, kernel_size: 3, strides: 2, groups: 3, use_bias: false}", IMAGE,
     (2, 6, 19, 17), 54, 2 * 9 * 8 * 54),
    # ConvTranspose2d(3, 4, (3, 4), stride=(2, 3), padding=(1, 0), dilation=(1, 2))
    ("{conv2d_transpose: 4, kernel_size: [3, 4], strides: [2, 3], padding: [1, 0], dilation_rate: [1, 2]}", IMAGE,
     (2, 4, 17, 28), 148, 2 * 9 * 8 * 144),
    ("{conv3d_transpose: 4, kernel_size: 2, strides: [1, 2, 2]}", VOLUME, (2, 4, 6, 18, 16), 100, 2 * 5 * 9 * 8 * 96),
]  # fmt: skip
POOLING = [
    ("{max_pooling1d: 2}", SEQUENCE, (2, 3, 4)),
    ("{max_pooling1d: 2, ceil_mode: true}", SEQUENCE, (2, 3, 5)),
    ("{max_pooling2d: 3, strides: 2, padding: 1}", IMAGE, (2, 3, 5, 4)),
    ("{max_pooling2d: 3, strides: 2, ceil_mode: true}", IMAGE, (2, 3, 4, 4)),
    ("{max_pooling2d: 1, strides: 2, ceil_mode: true}", IMAGE, (2, 3, 5, 4)),
    # MaxPool2d(2, 3, 1, ceil_mode=True): a fourth column would start behind the image
    ("{max_pooling2d: 2, strides: 3, padding: 1, ceil_mode: true}", IMAGE, (2, 3, 4, 3)),
    ("{max_pooling3d: [1, 2, 3]}", VOLUME, (2, 3, 5, 4, 2)),
    ("{average_pooling1d: 3, strides: 1}", SEQUENCE, (2, 3, 7)),
    ("{average_pooling2d: [3, 2]}", IMAGE, (2, 3, 3, 4)),
    ("{average_pooling3d: 2}", VOLUME, (2, 3, 2, 4, 4)),
    ("global_average_pooling1d", SEQUENCE, (2, 3)),
    ("global_max_pooling1d", SEQUENCE, (2, 3)),
    ("global_average_pooling2d", IMAGE, (2, 3)),
    ("{global_max_pooling2d: , keepdims: true}", IMAGE, (2, 3, 1, 1)),
    ("global_average_pooling3d", VOLUME, (2, 3)),
    ("{global_max_pooling3d: , keepdims: true}", VOLUME, (2, 3, 1, 1, 1)),
]
RESIZING = [
    ("{zero_padding1d: [1, 2]}", SEQUENCE, (2, 3, 12)),
    ("zero_padding1d", SEQUENCE, (2, 3, 11)),
    # keras.layers.ZeroPadding2D(((1, 2), (3, 0))): above 1, below 2, left 3
    ("{zero_padding2d: [1, 2, 3, 0]}", IMAGE, (2, 3, 12, 11)),
    ("{zero_padding2d: [1, 2]}", IMAGE, (2, 3, 11, 12)),
    ("{zero_padding3d: [1, 2, 3]}", VOLUME, (2, 3, 7, 13, 14)),
    ("{cropping1d: [1, 2]}", SEQUENCE, (2, 3, 6)),
    ("{cropping2d: [1, 2, 3, 0]}", IMAGE, (2, 3, 6, 5)),
    ("{cropping2d: [1, 2]}", IMAGE, (2, 3, 7, 4)),
    ("{cropping3d: [1, 2, 3]}", VOLUME, (2, 3, 3, 5, 2)),
    ("{up_sampling1d: 3}", SEQUENCE, (2, 3, 27)),
    ("{up_sampling2d: [2, 3], interpolation: bilinear}", IMAGE, (2, 3, 18, 24)),
    ("{up_sampling3d: [1, 2, 3]}", VOLUME, (2, 3, 5, 18, 24)),
]
SAME = [
    # kernel, stride, dilation; Keras's output for padding="same" on 9 x 8
    (3, 1, 1, (9, 8)),
    (3, 2, 1, (5, 4)),
    (4, 3, 1, (3, 3)),
    (2, 3, 1, (3, 3)),
    (5, 2, 1, (5, 4)),
    (1, 2, 1, (5, 4)),
    (3, 1, 2, (9, 8)),
]
TRANSPOSED = [
    # padding, kernel, stride, dilation, output_padding; keras.layers.Conv2DTranspose's output on 9 x 8
    ("same", 3, 2, 1, None, (18, 16)),
    ("same", 2, 3, 1, None, (27, 24)),
    ("same", 3, 2, 1, 1, (18, 16)),
    ("same", 3, 2, 1, 0, (17, 15)),
    ("same", 4, 2, 1, 1, (17, 15)),
    ("same", 4, 3, 1, 2, (26, 23)),
    ("same", 3, 1, 2, None, (9, 8)),
    ("valid", 3, 2, 1, None, (19, 17)),
    ("valid", 2, 3, 1, None, (27, 24)),  # PyTorch ends at 26 x 23, behind the last window
    ("valid", 2, 3, 1, 0, (26, 23)),
    ("valid", 3, 2, 1, 1, (20, 18)),
    ("valid", 4, 3, 1, 2, (30, 27)),
    ("valid", 3, 1, 2, None, (13, 12)),
]
REFUSED = [
    ("{conv2d: 4, kernel_size: 11}", "a window of 11 does not fit into 9"),
    ("{conv2d: 0, kernel_size: 1}", "its kernel would have 0 entries along an axis"),
    ("{conv2d: 4, kernel_size: [3, 3, 3]}", "kernel_size has 3 numbers for 2 axes"),
    ("{conv2d: 4, kernel_size: 3, padding: [1, 2, 3]}", "padding has 3 numbers for 2 axes"),
    ("{conv2d: 4, kernel_size: 3, padding: -1}", "padding is below 0"),
    ("{conv2d: 4, kernel_size: 3, padding: []}", "padding has 0 numbers for 2 axes"),
    ("{conv2d: 4, kernel_size: 3, groups: 2}", "3 is not a multiple of 2"),
    ("{conv2d: 4, kernel_size: 3, groups: 3}", "4 is not a multiple of 3"),
    ("{conv2d: 4, kernel_size: 3, strides: 0}", "a kernel, stride or dilation below 1"),
    ("{conv1d: 4, kernel_size: 3}", "it takes 3 axes (batch, channels and 1 more), not 4"),
    ("{conv2d_transpose: 4, kernel_size: 3, strides: 0}", "a kernel, stride or dilation below 1"),
    ("{conv2d_transpose: 4, kernel_size: 3, output_padding: -3}", "an output padding below 0"),
    ("{max_pooling2d: 10}", "a window of 10 does not fit into 9"),
    ("{cropping2d: 4}", "cropping leaves nothing of (2, 3, 9, 8)"),
    ("{cropping2d: -1}", "cropping is below 0"),
    ("{up_sampling2d: 0}", "a size below 1"),
]


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("layer", "size", "shape", "params", "macs"), CONVOLUTIONS)
def test_convolutions(
    layer: str, size: tuple[int, ...], shape: tuple[int, ...], params: int, macs: int, symbolic: bool
) -> None:
    assert counted(layer, size, symbolic=symbolic) == (shape, params, macs)


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("layer", "size", "shape"), [*POOLING, *RESIZING])
def test_pooling_and_resizing_have_no_weights(
    layer: str, size: tuple[int, ...], shape: tuple[int, ...], symbolic: bool
) -> None:
    assert counted(layer, size, symbolic=symbolic) == (shape, 0, 0)


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("kernel", "stride", "dilation", "sides"), SAME)
def test_same_is_that_of_tensorflow(
    kernel: int, stride: int, dilation: int, sides: tuple[int, int], symbolic: bool
) -> None:
    layer = f"{{conv2d: 4, kernel_size: {kernel}, strides: {stride}, dilation_rate: {dilation}, padding: same}}"
    assert counted(layer, IMAGE, symbolic=symbolic)[0] == (2, 4, *sides)


@pytest.mark.parametrize(("kernel", "stride", "sides"), [(2, 2, (5, 4)), (3, 2, (5, 4)), (2, 3, (3, 3))])
@pytest.mark.parametrize("word", ["max", "average"])
def test_same_pooling_is_that_of_tensorflow(word: str, kernel: int, stride: int, sides: tuple[int, int]) -> None:
    layer = f"{{{word}_pooling2d: {kernel}, strides: {stride}, padding: same}}"
    assert counted(layer, IMAGE, symbolic=True)[0] == (2, 3, *sides)


def test_same_adds_what_is_odd_behind() -> None:
    """TensorFlow pads 8 by 0 before and 1 behind for a window of 3 every 2; its own word for it is SAME_UPPER."""
    graph = parse(specification("{conv2d: 4, kernel_size: 3, strides: 2, padding: same}", "2, 3, 8, 8"), "t").graph()
    assert graph.nodes[0].attributes["auto_pad"] == "SAME_UPPER"


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("padding", "kernel", "stride", "dilation", "more", "sides"), TRANSPOSED)
def test_transposed_pads_like_keras(
    padding: str, kernel: int, stride: int, dilation: int, more: int | None, sides: tuple[int, int], symbolic: bool
) -> None:
    options = f"kernel_size: {kernel}, strides: {stride}, dilation_rate: {dilation}, padding: {padding}"
    options += f", output_padding: {more}" if more is not None else ""
    found = counted(f"{{conv2d_transpose: 4, {options}}}", IMAGE, symbolic=symbolic)
    assert found == ((2, 4, *sides), 3 * 4 * kernel**2 + 4, 2 * 9 * 8 * 12 * kernel**2)


@pytest.mark.parametrize(("layer", "said"), REFUSED)
def test_says_what_does_not_fit(layer: str, said: str) -> None:
    with pytest.raises(FileError) as caught:
        counted(layer, IMAGE, symbolic=False)
    assert said in str(caught.value)
    assert str(caught.value).startswith("test.yaml:4: layers[0].")


def test_an_activation_is_a_layer_of_its_own() -> None:
    text = specification("{conv2d: 4, kernel_size: 3, activation: relu6}", "2, 3, 9, 8")
    assert [node.op_type for node in parse(text, "test.yaml").graph().nodes] == ["Conv", "Clip"]


@pytest.mark.parametrize(
    ("interpolation", "flops"),
    # a pixel blends 1, 2 x 2 or 4 x 4 others: a product each, and the sums between them
    [("nearest", 0), ("bilinear", 2 * 3 * 18 * 16 * (4 + 3)), ("bicubic", 2 * 3 * 18 * 16 * (16 + 15))],
)
def test_up_sampling_blends(interpolation: str, flops: int) -> None:
    text = specification(f"{{up_sampling2d: 2, interpolation: {interpolation}}}", "2, 3, 9, 8")
    assert walk(parse(text, "test.yaml").graph()).forward["vector_flops"].value({}) == flops
