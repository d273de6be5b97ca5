"""ONNX's protobuf messages without the rest of its package, whose import takes longer than most models do.

The generated module needs protobuf alone; the package around it brings numpy, checkers and converters nobody asks for.
"""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, TensorProto

__all__ = ["AttributeProto", "ModelProto", "TensorProto"]


def _generated() -> Any:
    """The module protobuf's compiler wrote for onnx; where it is not to be found, onnx itself."""
    package = find_spec("onnx")
    spec = PathFinder.find_spec("onnx_ml_pb2", package.submodule_search_locations) if package is not None else None
    if spec is None or spec.loader is None:
        import onnx

        return onnx
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    _messages = _generated()
    AttributeProto, ModelProto, TensorProto = _messages.AttributeProto, _messages.ModelProto, _messages.TensorProto
