"""Rules: one function per operator. Importing this package registers all of ONNX's that are known."""

from scalecalc.ops import attention, conv, elementwise, index, matmul, norm, reduce, shape  # noqa: F401
from scalecalc.ops.registry import OPERATORS, Cost, Keep, Operator, Out, Tensor, give, is_float, itemsize, op

__all__ = ["OPERATORS", "Cost", "Keep", "Operator", "Out", "Tensor", "give", "is_float", "itemsize", "op"]
