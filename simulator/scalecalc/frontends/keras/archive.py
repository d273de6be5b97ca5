"""The JSON in a `.keras` archive or a JSON file, of bounded size: nothing else of the archive is ever opened."""

from __future__ import annotations

import io
import json
import posixpath
import zipfile
import zlib
from typing import IO, Any

from scalecalc.errors import FileError

CONFIG = "config.json"
MOST_CONFIG = 20_000_000
"""Bytes of a configuration: that of a network of 1,000 layers has two millions."""
MOST_DIRECTORY = 1_000_000
"""Bytes of an archive's list of members, of which each takes 50 and more."""
MOST_MEMBERS = 10_000
MOST_RATIO = 500
"""Bytes of text for each compressed one: configurations reach 60."""
ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
AGAIN = "save the model again with model.save('NAME.keras')"


def open_document(file: str) -> Any:
    """The configuration in a file.

    Raises:
        FileError: it cannot be read, or holds none.
    """
    try:
        with open(file, "rb") as stream:
            head = stream.read(len(HDF5))
            stream.seek(0)
            if head.startswith(ZIP):
                return _json(_member(stream, file), file)
            return document(stream.read(MOST_CONFIG + 1), file)
    except OSError as error:
        raise FileError(f"cannot be read ({error.strerror})", where=file, todo="check the path") from None


def document(raw: bytes, file: str) -> Any:
    """The same from bytes."""
    if raw.startswith(ZIP):
        return _json(_member(io.BytesIO(raw), file), file)
    if raw.startswith(HDF5):
        raise FileError("is an HDF5 file", where=file, todo=AGAIN)
    if len(raw) > MOST_CONFIG:
        raise FileError(f"is larger than {MOST_CONFIG:,} bytes", where=file, todo="give a smaller file")
    return _json(raw, file)


class _Bounded:
    """A stream that reads no more at once than an archive's list of members may take."""

    def __init__(self, stream: IO[bytes], file: str) -> None:
        self._stream, self._file = stream, file
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY:
            raise FileError(f"lists more than {MOST_MEMBERS:,} members", where=self._file, todo=AGAIN)
        return self._stream.read(size if size >= 0 else MOST_DIRECTORY)


def _member(stream: IO[bytes], file: str) -> bytes:
    """The configuration in an archive."""
    try:
        with zipfile.ZipFile(_Bounded(stream, file)) as archive:
            found = _found(archive.infolist(), file)
            with archive.open(found) as member:
                raw = member.read(MOST_CONFIG + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FileError(f"is no readable archive ({error})"[:200], where=file, todo=AGAIN) from None
    if len(raw) > MOST_CONFIG:
        raise FileError(f"its {CONFIG} is larger than {MOST_CONFIG:,} bytes", where=file, todo="give a smaller file")
    return raw


def _found(members: list[zipfile.ZipInfo], file: str) -> zipfile.ZipInfo:
    """The one member that is opened, if all of them look as Keras writes them."""
    if len(members) > MOST_MEMBERS:
        raise FileError(f"lists more than {MOST_MEMBERS:,} members", where=file, todo=AGAIN)
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise FileError(f"has a member outside of itself, '{member.filename:.60}'", where=file, todo=AGAIN)
    found = [member for member in members if posixpath.normpath(member.filename) == CONFIG]
    if len(found) != 1:
        what = f"has {len(found)} members called {CONFIG}" if found else f"has no {CONFIG}"
        raise FileError(what, where=file, todo=AGAIN)
    (member,) = found
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(f"its {CONFIG} is packed in a way Keras does not use", where=file, todo=AGAIN)
    packed, size = max(member.compress_size, 1), member.file_size
    if size > MOST_CONFIG or size > MOST_RATIO * packed:
        what = f"its {CONFIG} unpacks to {size:,} bytes from {packed:,}"
        raise FileError(what, where=file, todo="give a smaller file")
    return member


def _json(raw: bytes, file: str) -> Any:
    try:
        return json.loads(raw)
    except RecursionError:
        raise FileError("its JSON is nested too deeply", where=file, todo=AGAIN) from None
    except ValueError as error:
        what = f"is neither a .keras archive nor JSON ({error})"
        raise FileError(what[:200], where=file, todo=AGAIN) from None
