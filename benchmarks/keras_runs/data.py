"""Plain files as arrays: what is trained on, validated on and tested on. The splits are always the same."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.keras_runs.sources import LANGUAGES
from scalecalc.errors import FileError

Array = np.ndarray
SPLIT_SEED = 20240229
CONTEXT = 64
TEST_WINDOWS, VALIDATION_WINDOWS = 2048, 1024
"""Windows of text: 131,072 and 65,536 predicted characters."""
VALIDATION_IMAGES = 5000
TEST_PROMPTS, VALIDATION_PROMPTS = 0.2, 0.1
RATE, FRAME, HOP, BANDS = 8000, 256, 160, 32
"""Of a spectrogram: samples a second, samples of a frame (32 ms) and between frames (20 ms), mel bands to 4 kHz."""


@dataclass(frozen=True)
class Part:
    """Examples with what is to be predicted of them.

    Attributes:
        x: examples, (n, ...).
        y: classes, (n,) or of every place (n, context).
    """

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Data:
    """A domain's three parts."""

    train: Part
    validation: Part
    test: Part


def load(domain: str, folder: Path) -> Data:
    """The arrays of a domain's plain files.

    Raises:
        FileError: the files are not what they are called.
    """
    return LOADERS[domain](folder)


def cut(x: Array, y: Array, sizes: tuple[int, int], seed: int = SPLIT_SEED) -> Data:
    """Shuffle examples and take so many for test and validation; the rest is for training.

    >>> parts = cut(np.arange(10), np.arange(10), (2, 3))
    >>> len(parts.test), len(parts.validation), len(parts.train)
    (2, 3, 5)
    """
    order = np.random.default_rng(seed).permutation(len(x))
    test, validation, train = np.split(order, np.cumsum(sizes))
    return Data(*(Part(x[places], y[places]) for places in (train, validation, test)))


def together(*parts: Part) -> Part:
    """The examples of several parts, one after the other."""
    return Part(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))


# --- text


def text(folder: Path) -> Data:
    """Windows of the dictionary, in an order without its alphabet: each character is predicted once."""
    letters = np.frombuffer((folder / "gcide.txt").read_bytes(), np.uint8)
    return windows(letters, (TEST_WINDOWS, VALIDATION_WINDOWS))


def windows(letters: Array, sizes: tuple[int, int]) -> Data:
    """Blocks of CONTEXT characters and the one after, shuffled; characters are numbered by their rank."""
    occurs = np.bincount(letters, minlength=256) > 0
    codes = (occurs.cumsum() - occurs).astype(np.uint8)[letters]
    count = len(codes) // (CONTEXT + 1)
    blocks = codes[: count * (CONTEXT + 1)].reshape(count, CONTEXT + 1)
    return cut(blocks[:, :-1], blocks[:, 1:], sizes)


# --- images


def images(folder: Path) -> Data:
    """Pixels from 0 to 255; 5,000 of the training images are for validation."""
    x, y = idx(folder / "train-images-idx3-ubyte"), idx(folder / "train-labels-idx1-ubyte")
    split = cut(x[..., None], y, (0, VALIDATION_IMAGES))
    test = Part(idx(folder / "t10k-images-idx3-ubyte")[..., None], idx(folder / "t10k-labels-idx1-ubyte"))
    return Data(split.train, split.validation, test)


def idx(path: Path) -> Array:
    """The bytes of an IDX file in their shape: two zeros, type 8, the number of axes, their sizes, the contents."""
    raw = path.read_bytes()
    axes = raw[3] if raw[:3] == b"\0\0\x08" else 0
    shape = tuple(np.frombuffer(raw, ">u4", axes, 4)) if 4 + 4 * axes <= len(raw) else ()
    if not axes or len(raw) != 4 + 4 * axes + np.prod(shape, dtype=np.int64):
        raise FileError("it is no IDX file of bytes", where=str(path), todo="remove it to have it fetched again")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


# --- speech


def speech(folder: Path) -> Data:
    """Spectrograms of single seconds with their language; a prompt is in one part only, in all languages.

    Every language has one speaker: what is told apart are five voices as much as five languages.
    """
    names = sorted({path.name for language in LANGUAGES for path in (folder / language).glob("*.wav")})
    split = cut(
        np.array(names), np.array(names), (int(TEST_PROMPTS * len(names)), int(VALIDATION_PROMPTS * len(names)))
    )
    return Data(*(_prompts(folder, set(part.x)) for part in (split.train, split.validation, split.test)))


def _prompts(folder: Path, names: set[str]) -> Part:
    x, y = [], []
    for label, language in enumerate(LANGUAGES):
        for path in sorted((folder / language).glob("*.wav")):
            if path.name in names:
                pictures = spectrograms(samples(path))
                x.append(pictures)
                y.append(np.full(len(pictures), label, np.uint8))
    return Part(np.concatenate(x), np.concatenate(y))


def samples(path: Path) -> Array:
    """The samples of a recording, from -1 to 1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise FileError("it is no 16-bit recording of 8 kHz", where=str(path), todo="remove it")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def spectrograms(sound: Array) -> Array:
    """Log-mel pictures of each second that is at least half full and not silent, (seconds, 49, 32, 1).

    Each has mean 0 and deviation 1, so that loudness tells nothing.
    """
    full = np.pad(sound, (0, -len(sound) % RATE)).reshape(-1, RATE)
    loud = [
        second for place, second in enumerate(full) if len(sound) - place * RATE >= RATE // 2 and second.std() > 1e-3
    ]
    if not loud:
        return np.empty((0, (RATE - FRAME) // HOP + 1, BANDS, 1), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.stack(loud), FRAME, axis=1)[:, ::HOP] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames)) ** 2
    mel = np.log(power @ mel_bands() + 1e-6)
    mel = (mel - mel.mean((1, 2), keepdims=True)) / mel.std((1, 2), keepdims=True)
    return mel[..., None].astype(np.float32)


def mel_bands() -> Array:
    """Triangles whose corners are even on the mel scale 2595 log10(1 + f/700), (FRAME/2 + 1, BANDS)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    f = np.fft.rfftfreq(FRAME, 1 / RATE)[:, None]
    rising = (f - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - f) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


LOADERS: dict[str, Callable[[Path], Data]] = {"text": text, "images": images, "speech": speech}
