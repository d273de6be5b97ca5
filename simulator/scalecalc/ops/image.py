"""Images resampled: sizes changed, boxes cut out, patches laid back."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from scalecalc.dims import INFINITE, Dim, System, bound, fixed, prod, regroup, same, windows
from scalecalc.errors import ShapeError, UndeterminedError
from scalecalc.ops.conv import Ints
from scalecalc.ops.dtypes import itemsize
from scalecalc.ops.registry import Cost, Inner, Keep, Out, Shape, Tensor, axis_of, give, op
from scalecalc.ops.shape import moved, shape_values
from scalecalc.ops.values import fraction
from scalecalc.ops.vector import GRID_POINT, TAPS


@op("Resize", fixed_inputs=(1, 2, 3))
def resize(
    x: Tensor, roi: Tensor | None = None, scales: Tensor | None = None, sizes: Tensor | None = None,
    *, mode: str = "nearest", antialias: int = 0, axes: Ints = None, keep_aspect_ratio_policy: str = "stretch",
) -> Cost:  # fmt: skip
    """Pixels by interpolation of the nearest 1, 2 or 4 along each resized axis (antialiased: more where it shrinks).

    The region of interest says what is seen, not how large it is shown: that is the size times the scale for ONNX's
    reference and ONNX Runtime alike.
    """
    over = [axis_of(axis, x.rank) for axis in axes] if axes is not None else list(range(x.rank))
    out = list(x.shape)
    taps = TAPS[mode]
    if sizes is None:
        if scales is None:
            raise ShapeError("neither scales nor sizes")
        factors = [fraction(scale) for scale in shape_values(scales)]
        widths = [taps * ceil(1 / f) if antialias and f < 1 else taps for f in factors if f != 1]
        for axis, factor in zip(over, factors, strict=True):
            out[axis] = _scaled(out[axis], factor)
    else:
        wanted = shape_values(sizes)
        if keep_aspect_ratio_policy != "stretch":
            wanted = _in_proportion([x.shape[axis] for axis in over], wanted, keep_aspect_ratio_policy)
        widths = [taps] * (len(over) if axes is not None else max(x.rank - 2, 1))
        for axis, dim in zip(over, wanted, strict=True):
            out[axis] = dim
    each = prod(widths)
    count = prod(out)
    if not isinstance(each, int) or each == 1:
        return give(tuple(out), backward={0: count})
    return give(tuple(out), vector=(2 * each - 1) * count, backward={0: 2 * each * count})


def _scaled(dim: Dim, factor: Fraction) -> Dim:
    """floor(dim * factor)."""
    if factor <= 0:
        raise ShapeError(f"a scale of {float(factor):g}")
    return dim * factor.numerator // factor.denominator


def _in_proportion(dims: Sequence[Dim], wanted: Sequence[Dim], policy: str) -> tuple[Dim, ...]:
    """Sizes by one common scale: the least of the wanted ones, or the largest."""
    pairs = list(zip(dims, wanted, strict=True))
    numbers = [(dim, size) for dim, size in pairs if isinstance(dim, int) and isinstance(size, int)]
    if len(numbers) < len(pairs):
        raise UndeterminedError("sizes in proportion to dimensions the file does not fix")
    ratios = [Fraction(size, dim) for dim, size in numbers]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return tuple(floor(scale * dim + Fraction(1, 2)) for dim, _ in numbers)


@op("GridSample")
def grid_sample(x: Tensor, grid: Tensor, *, mode: str = "linear") -> Cost:
    """Pixels interpolated at the points of a grid."""
    axes = x.rank - 2
    same(grid.shape[-1], axes)
    out = (same(x.shape[0], grid.shape[0]), x.shape[1], *grid.shape[1:-1])
    taps = TAPS[mode] ** axes
    points = prod(grid.shape[:-1]) * axes * (GRID_POINT + taps)
    blend = (2 * taps - 1 if taps > 1 else 0) * prod(out)
    backward = {0: 2 * taps * prod(out), 1: 2 * taps * prod(out) + points}
    return give(out, vector=points + blend, backward=backward, keeps=(Keep(0), Keep(1)))


@op("AffineGrid", fixed_inputs=(1,))
def affine_grid(theta: Tensor, size: Tensor) -> Cost:
    """Every point of the output, with a 1 behind it, times an affine matrix."""
    batch, axes = theta.shape[0], fixed(theta.shape[1])
    same(theta.shape[2], axes + 1)
    shape = shape_values(size)
    same(batch, shape[0])
    points = prod((batch, *shape[2:]))
    base = Inner((), Keep(bytes=points * ((axes + 1) * itemsize(theta.dtype))))
    return give((batch, *shape[2:], axes), contraction=(points * (axes * (axes + 1)), base, theta))


@op("RoiAlign", fixed_inputs=(1, 2))
def roi_align(
    x: Tensor, rois: Tensor, batch_indices: Tensor, *, output_height: int = 1, output_width: int = 1,
    sampling_ratio: int = 0,
) -> Cost:  # fmt: skip
    """Means of bilinear samples in every bin of every box; where their number depends on the boxes one for each bin."""
    boxes = same(rois.shape[0], batch_indices.shape[0])
    out = (boxes, x.shape[1], output_height, output_width)
    samples = prod(out) * max(sampling_ratio, 1) ** 2
    taps = TAPS["linear"] ** 2  # a sample: a blend of taps, and its addition to the mean
    return give(out, vector=2 * taps * samples, backward={0: 2 * taps * samples}, keeps=(Keep(1), Keep(2)))


@op("MaxRoiPool", fixed_inputs=(1,))
def max_roi_pool(x: Tensor, rois: Tensor, *, pooled_shape: Sequence[int]) -> Cost:
    """The largest entry in every bin of every box: one comparison each, as how many there are depends on the boxes."""
    out = (rois.shape[0], x.shape[1], *pooled_shape)
    return give(out, vector=prod(out), backward={0: prod(out)}, keeps=(Keep(bytes=8 * prod(out)),))


@op("NonMaxSuppression", fixed_inputs=(0, 1, 2, 3, 4))
def non_max_suppression(
    boxes: Tensor, scores: Tensor, most: Tensor | None = None, overlap: Tensor | None = None,
    threshold: Tensor | None = None, *, system: System,
) -> Cost:  # fmt: skip
    """Boxes no better one covers: how many is data; one comparison per score (a lower bound)."""
    batch, count, _ = boxes.shape
    same(scores.shape[0], batch)
    same(scores.shape[2], count)
    found = system.fresh("boxes", kind="data")
    limit = most.known() if most is not None else None
    each = limit[0] if limit is not None and isinstance(limit[0], int) and limit[0] < INFINITE else count
    bound(found, batch * scores.shape[1] * each)
    return give(Out((found, 3), "int64", limit=None), vector=scores.size)


@op("MaxUnpool", fixed_inputs=(1, 2))
def max_unpool(
    x: Tensor, indices: Tensor, output_shape: Tensor | None = None,
    *, kernel_shape: Sequence[int], strides: Ints = None, pads: Ints = None,
) -> Cost:  # fmt: skip
    """Entries put back to where a pooling found them, the rest 0."""
    rank = len(kernel_shape)
    strides, pads = strides or (1,) * rank, pads or (0,) * (2 * rank)
    out: Shape = (
        *x.shape[:2],
        *((dim - 1) * strides[i] + (kernel_shape[i] - pads[i] - pads[i + rank]) for i, dim in enumerate(x.shape[2:])),
    )
    if output_shape is not None:
        out = shape_values(output_shape)
    return give(out, backward={0: x.size}, keeps=(Keep(1),))


@op("Col2Im", fixed_inputs=(1, 2))
def col2im(
    x: Tensor, image_shape: Tensor, block_shape: Tensor,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None,
) -> Cost:  # fmt: skip
    """Patches added up to the image they were cut from: one addition per entry."""
    image, block = shape_values(image_shape), [fixed(dim) for dim in shape_values(block_shape)]
    same(x.shape[2], prod(windows(image, block, strides, pads, dilations)))
    channels = regroup((x.shape[1],), (-1, prod(block)))[0]
    return give((x.shape[0], channels, *image), vector=x.size)


@op("CenterCropPad", fixed_inputs=(1,))
def center_crop_pad(x: Tensor, shape: Tensor, *, axes: Ints = None) -> Cost:
    """The middle of the input, with zeros around it where it is too small."""
    out = list(x.shape)
    for axis, dim in zip(axes if axes is not None else range(x.rank), shape_values(shape), strict=True):
        out[axis_of(axis, x.rank)] = dim
    return moved(x, tuple(out), view=False)
