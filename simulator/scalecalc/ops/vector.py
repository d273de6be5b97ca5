"""Vector FLOPs per element: one count for each operator, with the expression it counts.

Every arithmetic operation, comparison and elementary function (exp, sqrt, erf, ...) is one FLOP. Integer and
logical operations are none. `backward` is per element and per gradient; sums over broadcast axes come on top.
"""

from __future__ import annotations

from typing import NamedTuple


class PerElement(NamedTuple):
    """FLOPs of one element.

    Attributes:
        forward: of the output.
        backward: of each gradient.
        keeps: what the gradients need: x, y (the output), both (the other operand), or nothing.
        reason: the expressions counted, forward; backward.
    """

    forward: int
    backward: int
    keeps: str
    reason: str


UNARY = {
    "Abs": PerElement(1, 1, "x", "abs; dy*sign"),
    "Acos": PerElement(1, 4, "x", "acos; -dy/sqrt(1-x*x)"),
    "Acosh": PerElement(1, 4, "x", "acosh; dy/sqrt(x*x-1)"),
    "Asin": PerElement(1, 4, "x", "asin; dy/sqrt(1-x*x)"),
    "Asinh": PerElement(1, 4, "x", "asinh; dy/sqrt(x*x+1)"),
    "Atan": PerElement(1, 3, "x", "atan; dy/(x*x+1)"),
    "Atanh": PerElement(1, 3, "x", "atanh; dy/(1-x*x)"),
    "Celu": PerElement(4, 3, "x", "max, exp of x/alpha, sub, mul; dy*exp(x/alpha)"),
    "Cos": PerElement(1, 2, "x", "cos; -dy*sin(x)"),
    "Cosh": PerElement(1, 2, "x", "cosh; dy*sinh(x)"),
    "Elu": PerElement(3, 2, "y", "exp, sub, mul; dy*(y+alpha)"),
    "Erf": PerElement(1, 4, "x", "erf; dy*c*exp(-x*x)"),
    "Exp": PerElement(1, 1, "y", "exp; dy*y"),
    "Gelu": PerElement(5, 9, "x", "x*0.5*(1+erf(x/c)); dy*(cdf + x*c*exp(-x*x/2))"),
    "HardSigmoid": PerElement(4, 1, "x", "mul, add, max, min; select"),
    "HardSwish": PerElement(5, 3, "x", "x*min(max(a*x+b,0),1); dy*(2*a*x+b)"),
    "LeakyRelu": PerElement(2, 1, "x", "compare, mul; dy*slope"),
    "Log": PerElement(1, 1, "x", "log; dy/x"),
    "Mish": PerElement(5, 8, "x", "x*tanh(log(1+exp(x))); its derivative"),
    "Neg": PerElement(1, 1, "", "neg; neg"),
    "Reciprocal": PerElement(1, 3, "y", "1/x; -dy*y*y"),
    "Relu": PerElement(1, 1, "y", "max; select"),
    "Shrink": PerElement(3, 1, "x", "two compares, add; select"),
    "Selu": PerElement(4, 2, "y", "exp, sub, mul, mul; dy*(y+c)"),
    "Sigmoid": PerElement(4, 3, "y", "1/(1+exp(-x)); dy*y*(1-y)"),
    "Sin": PerElement(1, 2, "x", "sin; dy*cos(x)"),
    "Sinh": PerElement(1, 2, "x", "sinh; dy*cosh(x)"),
    "Softplus": PerElement(3, 4, "x", "log(1+exp(x)); dy*sigmoid(x)"),
    "Softsign": PerElement(3, 4, "x", "x/(1+abs(x)); dy/(1+abs(x))^2"),
    "Sqrt": PerElement(1, 2, "y", "sqrt; dy*0.5/y"),
    "Swish": PerElement(5, 6, "x", "x/(1+exp(-x)); dy*s*(1+x*(1-s))"),
    "Tan": PerElement(1, 3, "y", "tan; dy*(1+y*y)"),
    "Tanh": PerElement(1, 3, "y", "tanh; dy*(1-y*y)"),
    "ThresholdedRelu": PerElement(1, 1, "x", "compare; select"),
}
FLAT_UNARY = {"Ceil": 1, "Floor": 1, "Round": 1, "Sign": 1, "IsInf": 1, "IsNaN": 1}
"""Unary operators whose gradient is 0 everywhere: FLOPs per element."""

BINARY = {
    "Add": PerElement(1, 0, "", "x+y; dy as it is"),
    "Sub": PerElement(1, 0, "", "x-y; dy, -dy folded into its use"),
    "Mul": PerElement(1, 1, "both", "x*y; dy*other"),
    "Div": PerElement(1, 2, "both", "x/y; dy/y, -dy*out/y"),
    "Pow": PerElement(1, 3, "x", "x**y; dy*y*x**(y-1)"),
    "Max": PerElement(1, 1, "x", "max; select"),
    "Min": PerElement(1, 1, "x", "min; select"),
    "Mod": PerElement(1, 0, "", "x%y; dy as it is"),
    "PRelu": PerElement(2, 2, "x", "compare, mul; select, mul"),
}
SOFTMAX = PerElement(5, 4, "y", "max, sub, exp, sum, div; y*(dy - sum(dy*y))")
LOG_SOFTMAX = PerElement(6, 4, "y", "max, sub, exp, sum, log, sub; dy - exp(y)*sum(dy)")
NORM = PerElement(7, 9, "x", "mean, sub, square, sum, rsqrt-scale, mul gamma, add beta; its derivative, dgamma, dbeta")
RMS_NORM = PerElement(4, 7, "x", "square, sum, rsqrt-scale, mul gamma; its derivative, dgamma")
SOFTCAP = PerElement(3, 5, "y", "mul, tanh, mul; dy*c*(1-tanh^2)*c")
ROTATION = PerElement(3, 3, "", "two muls, add; the same turned back")
SWIGLU = PerElement(6, 7, "both", "a*sigmoid(a)*b; dy*b*swish'(a), dy*swish(a)")
QUANTIZE, DEQUANTIZE = 4, 2
"""Div, round, add, clip; sub, mul."""
TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
"""Pixels along each axis an interpolation blends: a mul each, and adds between them; backward a mul and an add each."""
GRID_POINT = 4
"""Per coordinate: ((g + 1) * size - 1) / 2; on top one for its share in the weight of every tap."""
ADAMW_FLOPS = 14
"""Per parameter and step: m (mul, mul, add), v (mul, square, mul, add), two bias corrections, sqrt, add eps,
div, decay of the weight (mul), update (mul-sub as one step of size lr, counted 1 + 0 where lr is folded in)."""

PEEPHOLES = PerElement(6, 12, "", "for three gates: mul by the cell, add; dc (mul, add), dp (mul, sum)")
ACTIVATIONS = {
    **{name.lower(): UNARY[name] for name in ("Elu", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Softplus")},
    **{name.lower(): UNARY[name] for name in ("Softsign", "Tanh", "ThresholdedRelu")},
    "affine": PerElement(2, 1, "", "mul, add; mul"),
    "scaledtanh": PerElement(3, 5, "y", "mul, tanh, mul; dy*alpha*beta*(1-tanh^2)"),
}
"""What gates of recurrent layers may go through, by ONNX's names, whose case does not matter."""


class Cell(NamedTuple):
    """What one unit of a recurrent layer computes in one step.

    Attributes:
        gates: how many products of the input, and of the state, it adds.
        activations: the functions it goes through unless stated otherwise.
        uses: how often each of them is used.
        forward, backward: FLOPs beside products, activations, biases and peepholes.
        states: values handed from step to step.
        kept: values kept for backward beside the state.
        reason: the expressions counted, forward; backward.
    """

    gates: int
    activations: tuple[str, ...]
    uses: tuple[int, ...]
    forward: int
    backward: int
    states: int
    kept: int
    reason: str


CELLS = {
    "RNN": Cell(1, ("Tanh",), (1,), 1, 1, 1, 0, "xW + hR; dy + dh"),
    "GRU": Cell(
        3, ("Sigmoid", "Tanh"), (2, 1), 8, 9, 1, 4,
        "xW + hR for three gates, r*, (1-z)*n + z*h; dy + dh, dh*(h-n), dh*(1-z), + dh*z, dn*hR, dn*r",
    ),
    "LSTM": Cell(
        4, ("Sigmoid", "Tanh", "Tanh"), (3, 1, 1), 8, 8, 2, 5,
        "xW + hR for four gates, f*c + i*g, o*h(c); dy + dh, dh*h(c), dh*o, + dc, dc*c, dc*f, dc*g, dc*i",
    ),
    "LSTM, coupled": Cell(
        4, ("Sigmoid", "Tanh", "Tanh"), (2, 1, 1), 9, 9, 2, 5, "as LSTM, f = 1 - i; di - df",
    ),
}  # fmt: skip
"""Kept by a GRU: r, z, n and the recurrent part of n; by an LSTM: i, f, g, o and the cell."""
SCAN = (5, 3)
"""Of a selective scan, for each state entry and for each channel: dt*A, exp, *h, (dt*x)*B, add; dt*x, D*x, add."""
SCAN_BACKWARD = {"x": (9, 3), "dt": (4, 2), "a": (2, 0), "b": (2, 0), "d": (0, 2)}
"""The same for each gradient. x: the states made again (5), dh*a, + C*dy, dh*B, sum; *dt, D*dy, add. dt: dh*h, *a, *A,
sum; d(dt*x)*x, add. A: *dt, sum. B: dh*(dt*x), sum. D: dy*x, sum."""
