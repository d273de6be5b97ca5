"""Tensors and types of an ONNX file in the IR's terms: element types, dimensions, small contents."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from scalecalc.errors import FileError
from scalecalc.frontends.messages import TensorProto
from scalecalc.frontends.wire import text
from scalecalc.ir.graph import Initializer, TensorType

if TYPE_CHECKING:
    from onnx import SparseTensorProto, TypeProto

SMALL = 64
"""Tensors of at most this many elements keep their contents."""

_MOST_ELEMENTS = 1 << 50
_MOST_AXES = 64
_NAMELESS = {"", "?", "0", "-1", "None", "unknown"}

_ELEMENTS: dict[int, tuple[str, int, str, str]] = {
    # number: numpy's (or ml_dtypes') name, bits, struct code ("" unread, "4" nibbles), typed field
    1: ("float32", 32, "f", "float_data"),
    2: ("uint8", 8, "B", "int32_data"),
    3: ("int8", 8, "b", "int32_data"),
    4: ("uint16", 16, "H", "int32_data"),
    5: ("int16", 16, "h", "int32_data"),
    6: ("int32", 32, "i", "int32_data"),
    7: ("int64", 64, "q", "int64_data"),
    8: ("string", 0, "", "string_data"),
    9: ("bool", 8, "?", "int32_data"),
    10: ("float16", 16, "e", "int32_data"),
    11: ("float64", 64, "d", "double_data"),
    12: ("uint32", 32, "I", "uint64_data"),
    13: ("uint64", 64, "Q", "uint64_data"),
    14: ("complex64", 64, "", "float_data"),
    15: ("complex128", 128, "", "double_data"),
    16: ("bfloat16", 16, "H", "int32_data"),
    17: ("float8_e4m3fn", 8, "", "int32_data"),
    18: ("float8_e4m3fnuz", 8, "", "int32_data"),
    19: ("float8_e5m2", 8, "", "int32_data"),
    20: ("float8_e5m2fnuz", 8, "", "int32_data"),
    21: ("uint4", 4, "4", "int32_data"),
    22: ("int4", 4, "4", "int32_data"),
    23: ("float4_e2m1fn", 4, "", "int32_data"),
    24: ("float8_e8m0fnu", 8, "", "int32_data"),
    25: ("uint2", 2, "", "int32_data"),
    26: ("int2", 2, "", "int32_data"),
    27: ("float6_e2m3fn", 6, "", "int32_data"),
    28: ("float6_e3m2fn", 6, "", "int32_data"),
}
_UNKNOWN = ("", 0, "", "")
_NAMES = {number: name for number, (name, *_) in _ELEMENTS.items()}


def dtype_name(number: int) -> str:
    """numpy's spelling of an element type, "" for one that is not known."""
    return _NAMES.get(number, "")


def initializer(tensor: TensorProto, name: str) -> Initializer:
    """The tensor under `name`, with its contents when they are few and in the file."""
    shape = tuple(tensor.dims)
    count = elements(shape, name)
    kind = tensor.data_type
    dtype, bits, code, _ = _ELEMENTS.get(kind, _UNKNOWN)
    stored = -(-count * bits // 8) if bits else sum(map(len, tensor.string_data))
    value = _contents(tensor, kind, count) if code and count <= SMALL else None
    return Initializer(text(name), dtype, shape, value, stored)


def sparse_initializer(tensor: SparseTensorProto, name: str) -> Initializer:
    """A sparse tensor as the dense one it stands for; it stores values and indices only."""
    values, indices = initializer(tensor.values, name), initializer(tensor.indices, name)
    shape = tuple(tensor.dims)
    elements(shape, name)
    return Initializer(name, values.dtype, shape, None, values.stored_bytes + indices.stored_bytes)


def elements(shape: Iterable[int], name: str) -> int:
    """How many elements `shape` holds.

    Raises:
        FileError: no tensor has such dimensions.
    """
    count, empty = 1, False
    for axis, size in enumerate(shape):
        empty |= size == 0
        count *= size or 1
        if size < 0 or count > _MOST_ELEMENTS or axis >= _MOST_AXES:
            what = "a negative dimension" if size < 0 else "more than 2^50 elements or 64 axes"
            raise FileError(f"tensor {name!r:.80} has {what}", todo="export the model again")
    return 0 if empty else count


def tensor_type(proto: TypeProto) -> TensorType:
    """Element type and dimensions of a declared type; nothing is known of sequences and maps."""
    tensor = proto.tensor_type
    if not tensor.elem_type:
        match proto.WhichOneof("value"):
            case "optional_type":
                return tensor_type(proto.optional_type.elem_type)
            case "sparse_tensor_type":
                tensor = proto.sparse_tensor_type
            case "tensor_type":
                pass
            case _:
                return TensorType("", None)
    dtype = _NAMES.get(tensor.elem_type, "")
    if not tensor.HasField("shape"):
        return TensorType(dtype, None)
    shape: list[int | str | None] = []
    for axis in tensor.shape.dim:
        if (size := axis.dim_value) > 0:
            shape.append(size)
        else:
            name = text(axis.dim_param)
            shape.append(None if name in _NAMELESS else name)
    return TensorType(dtype, tuple(shape))


def _contents(tensor: TensorProto, kind: int, count: int) -> tuple[int | float, ...] | None:
    """The elements, None when the file does not hold exactly `count` of them."""
    dtype, bits, code, field = _ELEMENTS[kind]
    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    values: tuple[int | float, ...]
    if raw := tensor.raw_data:
        if len(raw) != -(-count * bits // 8):
            return None
        values = tuple(raw) if code == "4" else _unpacked(f"<{count}{code}", raw)
    else:
        values = tuple(getattr(tensor, field))
        if code == "e":
            values = tuple(struct.unpack("<e", struct.pack("<H", int(bits) & 0xFFFF))[0] for bits in values)
        elif code == "?":
            values = tuple(map(bool, values))
    if code == "4":
        values = tuple(_nibble(int(byte) >> shift, dtype == "int4") for byte in values for shift in (0, 4))[:count]
    elif dtype == "bfloat16":  # the upper half of a float32
        values = tuple(struct.unpack("<f", struct.pack("<I", (int(bits) & 0xFFFF) << 16))[0] for bits in values)
    return values if len(values) == count else None


@lru_cache(maxsize=4096)
def _unpacked(form: str, raw: bytes) -> tuple[int | float, ...]:
    """The numbers in some bytes: axes, zeros and ones of which a file holds many equal ones."""
    return struct.unpack(form, raw)


def _nibble(byte: int, signed: bool) -> int:
    value = byte & 15
    return value - 16 if signed and value > 7 else value
