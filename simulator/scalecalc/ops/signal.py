"""Fourier transforms of audio, and the tables made for them.

A transform is executed as a fast one: 5 n log2(n) vector FLOPs for n complex entries, the logarithm rounded up, half
of it for real ones (the measure FFTW reports speeds in). That is no polynomial: n must be a number of the file, and
where it is not, nobody counts the node and figures are lower bounds.
"""

from __future__ import annotations

from scalecalc.dims import Dim, Poly, divide, fixed, is_family, prod
from scalecalc.errors import UndeterminedError
from scalecalc.ops.registry import Cost, Out, Shape, Tensor, axis_of, give, op
from scalecalc.ops.shape import shape_values

TABLE_TYPE = "float32"


def transform(n: Dim, *, is_real: bool) -> int:
    """FLOPs of one fast Fourier transform of n entries.

    >>> transform(8, is_real=False), transform(400, is_real=True)
    (120, 9000)

    Raises:
        UndeterminedError: n is not a number of the file.
    """
    if isinstance(n, Poly) and not is_family(n):
        raise UndeterminedError(f"a Fourier transform of {n} entries", costs=True)
    length = fixed(n)
    return 5 * length * (length - 1).bit_length() // (2 if is_real else 1)


@op("DFT", fixed_inputs=(1, 2))
def dft(
    x: Tensor, length: Tensor | None = None, axis: Tensor | None = None, *, inverse: int = 0, onesided: int = 0
) -> Cost:
    """A fast Fourier transform along one axis: 5 n log2(n) for each, half of it between real and onesided."""
    place = axis_of(fixed(shape_values(axis)[0]) if axis is not None else -2, x.rank)
    n: Dim = shape_values(length)[0] if length is not None else x.shape[place]
    if inverse and onesided and length is None:
        n = 2 * (n - 1)
    is_real = bool(onesided) or divide(x.shape[-1], 2) is None
    out = list(x.shape)
    out[place] = n // 2 + 1 if onesided and not inverse else n
    out[-1] = 1 if onesided and inverse else 2
    rows = prod(dim for i, dim in enumerate(x.shape[:-1]) if i != place)
    flops = rows * transform(n, is_real=is_real)
    return give(tuple(out), vector=flops, backward={0: flops})


@op("STFT", fixed_inputs=(1, 2, 3))
def stft(
    x: Tensor, step: Tensor, window: Tensor | None = None, length: Tensor | None = None, *, onesided: int = 1
) -> Cost:
    """A window's product with every frame, and its fast Fourier transform."""
    n: Dim = shape_values(length)[0] if length is not None else window.shape[0] if window is not None else 0
    frames = (x.shape[1] - n) // fixed(shape_values(step)[0]) + 1
    is_real = x.rank < 3 or divide(x.shape[2], 2) is None
    out: Shape = (x.shape[0], frames, n // 2 + 1 if onesided else n, 2)
    each = transform(n, is_real=is_real) + (fixed(n) if window is not None else 0)
    flops = x.shape[0] * frames * each
    return give(out, vector=flops, backward={0: flops})


@op("HannWindow", "HammingWindow", "BlackmanWindow", fixed_inputs=(0,))
def window_table(size: Tensor, *, output_datatype: str = TABLE_TYPE) -> Cost:
    """A table made from one number: not counted."""
    return give(Out(shape_values(size)[:1], output_datatype))


@op("MelWeightMatrix", fixed_inputs=(0, 1, 2, 3, 4))
def mel_weight_matrix(
    bins: Tensor, length: Tensor, rate: Tensor, low: Tensor, high: Tensor, *, output_datatype: str = TABLE_TYPE
) -> Cost:
    """A table made from five numbers: not counted."""
    return give(Out((shape_values(length)[0] // 2 + 1, shape_values(bins)[0]), output_datatype))
