"""Where an ONNX file keeps the contents of its stored tensors, and whether two files keep the same.

Nothing is loaded: the headers of the file's fields say where contents lie, and two of them are compared piece by
piece through memory maps, up to the first difference.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from types import TracebackType
from typing import TypeAlias

from scalecalc.errors import FileError
from scalecalc.frontends.wire import damaged, varint

Span: TypeAlias = tuple[int, int]

_GRAPH, _INITIALIZER, _NAME = 7, 5, 8
_CONTENTS = (4, 5, 7, 9, 10, 11)  # float_data, int32_data, int64_data, raw_data, double_data, uint64_data
_PIECE = 1 << 20
_EDGE = 256


class Stored:
    """The stored tensors of a file, closed at the end of a `with`.

    Attributes:
        spans: first and last byte of the contents by the tensor's name; None where the file does not hold them
            in one piece (they are in a sidecar, which is not opened).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            with open(path, "rb") as file:
                self._view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # it has been read before: gone, or emptied since
            raise FileError("the file has changed while it was read", where=os.fspath(path)) from error
        try:
            self.spans = dict(_spans(self._view))
        except FileError:  # a form of the format that only protobuf itself understands
            self.spans = {}

    def __enter__(self) -> Stored:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.close()

    def holds(self, name: str) -> bool:
        """Whether the contents of a stored tensor are in the file."""
        return self.spans.get(name) is not None

    def edges(self, name: str) -> bytes:
        """The first and last bytes of a tensor's contents; none where they are not in the file."""
        start, end = self.spans.get(name) or (0, 0)
        return self._view[start : min(start + _EDGE, end)] + self._view[max(start, end - _EDGE) : end]

    def same(self, name: str, other: Stored, other_name: str) -> bool:
        """Whether two tensors have the same bytes; False where either's are not in its file."""
        here, there = self.spans.get(name), other.spans.get(other_name)
        if here is None or there is None or here[1] - here[0] != there[1] - there[0]:
            return False
        pieces = zip(_pieces(self._view, here), _pieces(other._view, there), strict=True)
        return all(mine == its for mine, its in pieces)


def _pieces(view: mmap.mmap, span: Span) -> Iterator[bytes]:
    for at in range(span[0], span[1], _PIECE):
        yield view[at : min(at + _PIECE, span[1])]


def _spans(view: mmap.mmap) -> Iterator[tuple[str, Span | None]]:
    """Name and place of every stored tensor of the model's graph."""
    for number, start, end in _fields(view, 0, len(view)):
        if number == _GRAPH:
            for inner, first, last in _fields(view, start, end):
                if inner == _INITIALIZER:
                    yield _tensor(view, first, last)


def _tensor(view: mmap.mmap, start: int, end: int) -> tuple[str, Span | None]:
    name, contents = "", []
    for number, first, last in _fields(view, start, end):
        if number == _NAME:
            name = view[first:last].decode("utf-8", "replace")
        elif number in _CONTENTS:
            contents.append((first, last))
    return name, contents[0] if len(contents) == 1 else None


def _fields(view: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, first byte, last byte) of every field of a message that has a length.

    Raises:
        FileError: the bytes do not follow the format.
    """
    while at < end:
        tag, at = varint(view, at, end)
        kind = tag & 7
        if kind == 2:
            size, at = varint(view, at, end)
            if at + size > end:
                raise damaged(f"a field claims {size:,} bytes")
            yield tag >> 3, at, at + size
            at += size
        elif kind == 0:
            _, at = varint(view, at, end)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise damaged(f"no field can begin at byte {at}")
