"""The skeleton of an ONNX file: everything but the contents of large tensors.

An ONNX file is one protobuf message, and nearly all of it is weights. The wire format says how long each field
is, so a walk over a memory map can leave the weights on disk: it copies what is small, drops payloads and corrects the
lengths of the messages around them. Only pages with field headers are ever read.
"""

from __future__ import annotations

import mmap
import os
import stat
from typing import TypeAlias

from scalecalc.errors import FileError

Schema: TypeAlias = dict[int, "Schema | None"]
"""Fields of a message worth entering (a schema) or cutting when long (None); all others are copied."""

_TENSOR: Schema = dict.fromkeys((4, 5, 6, 7, 9, 10, 11, 12))  # *_data, raw_data, doc_string
_SPARSE: Schema = {1: _TENSOR, 2: _TENSOR}
_GRAPH: Schema = {}
_ATTRIBUTE: Schema = {5: _TENSOR, 10: _TENSOR, 6: _GRAPH, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE, 13: None}
_NODE: Schema = {5: _ATTRIBUTE, 6: None}
_GRAPH.update({1: _NODE, 5: _TENSOR, 15: _SPARSE, 10: None})
_FUNCTION: Schema = {7: _NODE, 11: _ATTRIBUTE, 8: None}
_MODEL: Schema = {7: _GRAPH, 25: _FUNCTION, 6: None, 20: None}  # 20: training_info, a second graph nobody asks for

_DIRECT = 1 << 25  # a file this small is parsed faster than walked
_LONG = 1 << 12  # payloads are cut, and messages entered, from this length on
_MOST = 1 << 30  # a skeleton longer than this is not a model
_DEEPEST = 100  # messages inside one another: protobuf's own limit

_MAGIC = (
    (0, b"PK\x03\x04", "a zip archive (a PyTorch checkpoint, a .keras file or .npz)"),
    (0, b"\x89HDF\r\n", "an HDF5 file (Keras weights or model)"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\x80\x02", "a Python pickle (an old PyTorch checkpoint?)"),
    (0, b"\x80\x03", "a Python pickle"),
    (0, b"\x80\x04", "a Python pickle"),
    (0, b"\x80\x05", "a Python pickle"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (4, b"ORTM", "an ONNX Runtime .ort model"),
    (4, b'\0\0\0\0{"', "a safetensors file: weights without a graph"),
)
EXPORT = "export the model to ONNX, e.g. with torch.onnx.export, tf2onnx or keras' model.export"


def skeleton(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the model at `path` without long tensor contents.

    Raises:
        FileError: the file is missing, not a regular file, empty, of another kind, cut short or damaged.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            what = "is a directory" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
            raise FileError(what, todo="give the path of a model file")
        if not status.st_size:
            raise FileError("the file is empty", todo="export or download the model again")
        with open(path, "rb") as file:
            _recognise(file.read(512))
            if status.st_size <= _DIRECT:
                file.seek(0)
                return file.read()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return _pruned(view)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        what = getattr(error, "strerror", None) or str(error)
        raise FileError(what[:1].lower() + what[1:], todo="give the path of a model file") from None


def damaged(why: str) -> FileError:
    """The error for a file whose bytes contradict the format."""
    return FileError(f"the file is cut short or damaged ({why})", todo="export or download the model again")


def text(content: str) -> str:
    """A string of the file; protobuf hands out bytes where it is not UTF-8."""
    if isinstance(content, bytes):
        raise not_text()
    return content


def not_text() -> FileError:
    """The error for a name that is no text."""
    return damaged("a name in it is not UTF-8")


def _recognise(start: bytes) -> None:
    for offset, magic, kind in _MAGIC:
        if start.startswith(magic, offset):
            raise FileError(f"this is {kind}, not an ONNX model", todo=EXPORT)
    letters = start.decode("utf-8", "ignore")  # a model has control characters: its fields' numbers
    if letters and all(letter.isprintable() or letter in "\t\r\n\f" for letter in letters):
        raise FileError("this is a text file, not an ONNX model", todo=EXPORT)


def _pruned(view: mmap.mmap) -> bytes:
    pieces: list[bytes] = []
    if _prune(view, 0, len(view), _MODEL, pieces, _DEEPEST) > _MOST:
        raise FileError("more than 1 GiB of this file is not weights", todo="check that it is an ONNX model")
    return b"".join(pieces)


def _prune(view: mmap.mmap, at: int, end: int, schema: Schema, pieces: list[bytes], depth: int) -> int:
    """Append what remains of the message `view[at:end]` to `pieces`; its new length."""
    if not depth:
        raise damaged(f"messages nested more than {_DEEPEST} deep")
    length, kept = 0, at  # view[kept:at] is copied as one slice once something behind it changes
    while at < end:
        start = at
        tag = view[at]
        at += 1
        if tag > 127:
            tag, at = varint(view, start, end)
        if tag & 7 == 2:
            size, at = varint(view, at, end)
            body, at = at, at + size
            if at > end:
                raise damaged(f"the field at byte {start} claims {size:,} bytes, {end - body:,} are left")
            if size >= _LONG and tag >> 3 in schema:
                inner = schema[tag >> 3]
                changed: list[bytes] = []
                left = _prune(view, body, at, inner, changed, depth - 1) if inner is not None else 0
                if left < size:
                    head = view[kept:start] + _encode(tag) + _encode(left)
                    pieces += (head, *changed)
                    length, kept = length + len(head) + left, at
        elif tag & 7 == 0:
            _, at = varint(view, at, end)
        elif tag & 7 in (1, 5):
            at += 8 if tag & 7 == 1 else 4
        else:
            raise damaged(f"no field can begin at byte {start}")
        if tag < 8 or at > end:
            raise damaged(f"no field can begin at byte {start}" if tag < 8 else f"byte {start} begins a cut field")
    if kept < end:
        pieces.append(view[kept:end])
    return length + end - kept


def varint(view: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """The number at `at` (seven bits a byte, lowest first) and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise damaged(f"a number is cut at byte {at}")
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise damaged(f"no number ends at byte {at}")


def _encode(value: int) -> bytes:
    text = bytearray()
    while value > 127:
        text.append(value & 127 | 128)
        value >>= 7
    text.append(value)
    return bytes(text)
