"""Rows of resampling, of selections whose size is data, and of Fourier transforms."""

from __future__ import annotations

from tests.ops.rows import Number, each, row

IMAGE = "b c h w"

RESIZED = [
    # a blend of n pixels: n multiplications, n - 1 additions
    row("Resize", (IMAGE, None, (1.0, 1.0, 2.0, 3.0)), "b c 2*h 3*w", vector="0"),
    row("Resize", (IMAGE, None, (1.0, 1.0, 1.5, 0.5)), "b c 3*h//2 w//2", mode="linear", least={"w": 2},
        vector="7*b*c*(3*h//2)*(w//2)"),
    row("Resize", (IMAGE, None, (1.0, 1.0, 0.3333333432674408, 1.0)), "b c h//3 w", least={"h": 3}),
    row("Resize", (IMAGE, None, (0.699999988079071, 2.0)), "b c 7*h//10 2*w", axes=(2, 3), least={"h": 2},
        shown_by=""),  # float32's 0.7, whose product with 10 is 7: onnx's reference has 6, other programs 7
    row("Resize", (IMAGE, None, None, ("b", "c", 6, "n")), "b c 6 n", mode="cubic", vector="31*b*c*6*n"),
    row("Resize", (IMAGE, None, None, ("n", 6)), "b c n 6", mode="linear", axes=(2, 3),
        vector="7*b*c*n*6"),
    row("Resize", (IMAGE, None, (1.0, 1.0, 0.5, 2.0)), "b c h//2 2*w", mode="linear", antialias=1, least={"h": 2},
        vector="15*b*c*(h//2)*2*w"),  # 4 pixels along h, 2 along w
    row("Resize", ("1 3 8 12", None, None, (16, 16)), "1 3 11 16", axes=(2, 3), keep_aspect_ratio_policy="not_larger"),
    row("Resize", ("1 3 8 12", None, None, (16, 16)), "1 3 16 24", axes=(2, 3), keep_aspect_ratio_policy="not_smaller"),
    row("Resize", (IMAGE, (0.0, 0.0, 0.0, 0.25, 1.0, 1.0, 0.5, 0.75), (1.0, 1.0, 3.0, 2.0)), "b c 3*h 2*w",
        coordinate_transformation_mode="tf_crop_and_resize"),
    row("GridSample", (IMAGE, "b s k 2"), "b c s k", vector="7*b*c*s*k + b*s*k*2*(4+4)"),
    row("GridSample", ("b c 3 4 5", "b s k 2 3"), "b c s k 2", mode="nearest", vector="b*s*k*2*3*(4+1)"),
    row("AffineGrid", ("b 2 3", ("b", 3, "h", "w")), "b h w 2", "b*h*w*3*2"),
    row("AffineGrid", ("b 3 4", ("b", 3, "s", "h", "w")), "b s h w 3", "b*s*h*w*4*3"),
    row("RoiAlign", (IMAGE, "k 4", "int64: k"), "k c 3 2", output_height=3, output_width=2, sampling_ratio=2,
        vector="k*c*3*2*4*8"),
    row("MaxRoiPool", (IMAGE, "k 5"), "k c 3 2", pooled_shape=(3, 2), shown_by="inference"),
    row("NonMaxSuppression", ("b n 4", "b c n", (3,), (0.5,)), "int64: ? 3", vector="b*c*n"),
    row("MaxUnpool", (IMAGE, "int64: b c h w"), "b c 2*h 2*w", kernel_shape=(2, 2), strides=(2, 2)),
    row("MaxUnpool", ("b c 2 2", "int64: b c 2 2", ("b", "c", 5, 5)), "b c 5 5", kernel_shape=(2, 2), strides=(2, 2)),
    row("Col2Im", ("b 4*c 35", (6, 8), (2, 2)), "b c 6 8", vector="b*4*c*35"),
    row("Col2Im", ("b 9*c h*w", ("h", "w"), (3, 3)), "b c h w", pads=(1, 1, 1, 1)),
    row("CenterCropPad", (IMAGE, ("k", "n")), "b c k n", axes=(2, -1)),
    row("CenterCropPad", ("s d", ("k", "n")), "k n"),
    row("DeformConv", ("2 4 5 4", "2*k 2 3 3", "2 36 3 2", "2*k", "2 18 3 2"), "2 2*k 3 2", "2*2*k*3*2*2*9",
        group=2, offset_group=2, vector="3*2*(2*2*k + 2*4*9*(7+1))"),
    row("GlobalLpPool", IMAGE, "b c 1 1", shown_by="inference"),
]  # fmt: skip
SELECTED = [
    row("NonZero", "b s", "int64: 2 ?"),
    row("NonZero", ((3, 0, 1, 0),), "int64: 1 2"),
    row("Unique", "b s", ("?", "int64: ?", "int64: b*s", "int64: ?")),
    row("Unique", "b s", ("b ?", "int64: ?", "int64: s", "int64: ?"), axis=1),
    row("Compress", ("b s", "bool: s"), "b ?", axis=1),
    row("Compress", ("b s", "bool: s"), "?"),
    row("ReverseSequence", ("s b d", "int64: b"), "s b d"),
    row("ReverseSequence", ("b s d", "int64: b"), "b s d", batch_axis=0, time_axis=1),
    row("TensorScatter", ("b c n d", "b c 1 d", "int64: b"), "b c n d"),
    row("Multinomial", "b c", "int32: b 5", sample_size=5, shown_by="inference", vector="2*b*c + b*5"),
    row("CumProd", ("b s", 1), "b s"),
    row("Det", "b 4 4", "b", vector="b*(3+18 + 2+8 + 1+2 + 3)"),  # k divisions, 2*k*k for the rest; the diagonal
    row("BitwiseNot", "uint8: b s", "uint8: b s"),
    row("BitCast", "b s", "int32: b s", to="int32"),
    *each("RandomNormal RandomUniform", (), "float16: 2 3", shape=(2, 3), dtype="float16"),
]
SPECTRA = [
    # 5 n log2(n) for n complex entries, half for real ones
    row("DFT", "b 16 1", "b 16 2", vector="b*160"),
    row("DFT", "b 16 2", "b 16 2", vector="b*320", inverse=1),
    row("DFT", "b 16 1", "b 9 2", vector="b*160", onesided=1),
    row("DFT", ("b s 16 1", 12, -2), "b s 7 2", vector="b*s*120", onesided=1),  # log2(12) is rounded up
    row("DFT", ("b 16 s 1", None, 1), "b 16 s 2", vector="b*s*160"),
    row("DFT", "b 9 2", "b 16 1", vector="b*160", onesided=1, inverse=1, shown_by=""),
    row("STFT", ("b 64 1", 16, "32"), "b 3 17 2", vector="b*3*(32 + 400)"),
    row("STFT", ("b s+16 1", 4, None, 16), "b s//4+1 9 2", vector="b*(s//4+1)*160"),
    *each("HannWindow HammingWindow BlackmanWindow", 16, "16", vector="0"),
    row("HannWindow", Number("s"), "float64: s", output_datatype="float64"),
    row("MelWeightMatrix", (8, 16, 8192, 0.0, 4096.0), "9 8", vector="0"),
]
CASES = [*RESIZED, *SELECTED, *SPECTRA]
