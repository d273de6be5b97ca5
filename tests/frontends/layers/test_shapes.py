"""Layers that move elements; patches, tokens and learned offsets. Shapes are those of Keras 3.15 or PyTorch 2.13."""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.images import IMAGE, SEQUENCE, VOLUME, counted

MOVES = [
    ("flatten", IMAGE, (2, 3 * 9 * 8)),  # keras.layers.Flatten()
    ("flatten", (2,), (2, 1)),  # as Keras has it
    ("{flatten: 2}", IMAGE, (2, 3, 9 * 8)),  # torch.flatten(x, 2)
    ("{flatten: -2}", IMAGE, (2, 3, 9 * 8)),
    ("{flatten: 0}", IMAGE, (2 * 3 * 9 * 8,)),
    ("{reshape: [-1, 4]}", IMAGE, (2, 54, 4)),  # keras.layers.Reshape((-1, 4))
    ("{reshape: [3, 72]}", IMAGE, (2, 3, 72)),
    ("{reshape: [-1, 72], axis: 0}", IMAGE, (6, 72)),
    ("{reshape: [2, 4], axis: -1}", IMAGE, (2, 3, 9, 2, 4)),
    ("{permute: [2, 3, 1]}", IMAGE, (2, 9, 8, 3)),  # keras.layers.Permute((2, 3, 1))
    ("{permute: [0, 2, 3, 1]}", IMAGE, (2, 9, 8, 3)),  # torch.permute(x, (0, 2, 3, 1))
    ("{permute: [1, 0, 2]}", SEQUENCE, (3, 2, 9)),
    ("{slice: , axis: 1, end: 2}", IMAGE, (2, 2, 9, 8)),  # x[:, :2]
    ("{slice: , axis: -1, start: 3, end: 7}", IMAGE, (2, 3, 9, 4)),  # x[..., 3:7]
    ("{slice: , axis: 2, start: -4, end: -1}", IMAGE, (2, 3, 3, 8)),  # x[:, :, -4:-1]
    ("take", SEQUENCE, (2, 9)),  # x[:, 0]
    ("{take: -1, axis: 2}", IMAGE, (2, 3, 8)),  # x[:, :, -1]
    ("{take: [0, 1, 1, 2]}", IMAGE, (2, 4, 9, 8)),  # x[:, [0, 1, 1, 2]]
    ("{reduce: mean, axes: [2, 3]}", IMAGE, (2, 3)),  # x.mean((2, 3))
    ("{reduce: sum, axes: -1, keepdims: true}", IMAGE, (2, 3, 9, 1)),
    ("{reduce: max}", VOLUME, (2, 5, 9, 8)),
]
WEIGHTS = [
    # torch.nn.Conv2d(3, 5, (3, 4), stride=(3, 4)): 3 x 2 patches of 36 numbers
    ("{patch_embedding: 5, patch_size: [3, 4]}", IMAGE, (2, 3 * 2, 5), 5 * 36 + 5, 2 * 6 * 5 * 36),
    ("{patch_embedding: 5, patch_size: 4, use_bias: false}", IMAGE, (2, 2 * 2, 5), 5 * 48, 2 * 4 * 5 * 48),
    ("{patch_embedding: 5, patch_size: 3}", SEQUENCE, (2, 3, 5), 5 * 9 + 5, 2 * 3 * 5 * 9),  # 9 places, 3 each
    ("{patch_embedding: 5, patch_size: [2, 3, 4]}", VOLUME, (2, 2 * 3 * 2, 5), 5 * 72 + 5, 2 * 12 * 5 * 72),
    ("{parameter: [3, 1, 1]}", IMAGE, IMAGE, 3, 0),
    ("{parameter: [3, 9, 8]}", IMAGE, IMAGE, 216, 0),
    ("{scale: , axis: 1}", IMAGE, IMAGE, 3, 0),
]
REFUSED = [
    ("{flatten: 5}", IMAGE, "axis 5 of 4 axes"),
    ("{reshape: [-1], axis: 6}", IMAGE, "axis 6 of 4 axes"),
    ("{reshape: [5, -1]}", IMAGE, "432 is not a multiple of 10"),
    ("{reshape: [-1, -1]}", IMAGE, "more than one -1"),
    ("{permute: [1, 1, 2]}", IMAGE, "permutation (0, 1, 1, 2) of 4 axes"),
    ("{slice: , axis: 4, end: 1}", IMAGE, "axis 4 of 4 axes"),
    ("{slice: , axis: 1, start: 2, end: 1}", IMAGE, "nothing from 2 up to 1 of axis 1 of (2, 3, 9, 8)"),
    ("{take: 3}", IMAGE, "index (3,) in 3 rows"),
    ("{take: [0, 3]}", IMAGE, "index (0, 3) in 3 rows"),
    ("{take: []}", IMAGE, "no index"),
    ("{reduce: mean, axes: 4}", IMAGE, "axis 4 of 4 axes"),
    ("{reduce: median}", IMAGE, "no reduction 'median'"),
    ("{patch_embedding: 5, patch_size: 4}", (2, 3), "it takes an image, not 2 axes"),
    ("class_token", (2, 3), "it takes (batch, sequence, features), not 2 axes"),
    ("{parameter: [4, 1, 1]}", IMAGE, "3 does not broadcast with 4"),
    ("{parameter: [1, 2, 3, 9, 8]}", IMAGE, "5 axes are more than those of (2, 3, 9, 8)"),
    ("{scale: , axis: 4}", IMAGE, "axis 4 of 4 axes"),
]


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("layer", "size", "shape"), MOVES)
def test_moves_elements(layer: str, size: tuple[int, ...], shape: tuple[int, ...], symbolic: bool) -> None:
    assert counted(layer, size, symbolic=symbolic) == (shape, 0, 0)


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize(("layer", "size", "shape", "params", "macs"), WEIGHTS)
def test_has_weights(
    layer: str, size: tuple[int, ...], shape: tuple[int, ...], params: int, macs: int, symbolic: bool
) -> None:
    assert counted(layer, size, symbolic=symbolic) == (shape, params, macs)


def test_weights_along_the_last_axis() -> None:
    """Features must be a number of weights: 9 of them for each token, offset or factor."""
    assert counted("class_token", SEQUENCE, symbolic=False) == ((2, 4, 9), 9, 0)
    assert counted("scale", SEQUENCE, symbolic=False) == (SEQUENCE, 9, 0)
    assert counted("{parameter: [1, 9]}", SEQUENCE, symbolic=False) == (SEQUENCE, 9, 0)


@pytest.mark.parametrize(("layer", "size", "said"), REFUSED)
def test_says_what_does_not_fit(layer: str, size: tuple[int, ...], said: str) -> None:
    with pytest.raises(FileError) as caught:
        counted(layer, size, symbolic=False)
    assert said in str(caught.value)
