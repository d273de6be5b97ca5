"""The declared grid: every run by name, with what it costs before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from benchmarks.keras_runs.data import CONTEXT
from benchmarks.keras_runs.models import CHARACTERS, IMAGE, SECOND, heads, label
from benchmarks.keras_runs.sources import LANGUAGES
from scalecalc.dims import evaluate
from scalecalc.walk import Profile

HERE = Path(__file__).parent
CNN = HERE.parents[1] / "models" / "vision" / "seed-cnn.yaml"
TRANSFORMER = HERE / "char_transformer.yaml"
EXECUTION = 16
"""Steps of one call into TensorFlow, where they divide a round."""

SIZES = ((16, 1), (24, 2), (32, 2), (48, 3), (64, 3), (96, 4), (128, 4))
BUDGETS = ((1e11, 3), (3e11, 3), (1e12, 3), (3e12, 1), (1e13, 1))
"""Training FLOPs and seeds."""
FEWEST, MOST, TUNING = 0.6e6, 38e6, 2e6
"""Tokens of a run."""
FACTORS, HIGHER = (0.5, 1, 2), {16: (4, 8)}
"""Learning rates that are tried, times `first_rate`; more of them for a width whose best was the highest."""
WIDTHS = (1 / 8, 1 / 4, 1 / 2, 1)
UNIQUE = (1024, 2048, 4096, 8192, 16384, 32768)
SECONDS = (500, 1250, 2500, 5000)
FULL, ALL = 55_000, 60_000
STEPS = ((80, 1), (256, 1), (800, 2), (2560, 10), (8000, 10), (25600, 10))
"""Of grid b, each with the number of rounds."""


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        domain: `text`, `images` or `speech`.
        grid: which part of the protocol it belongs to.
        split: `fit`, `heldout`, `tuning` or `smoke`: what its row is for.
        width: channels of the transformer; factor of the CNN's.
        depth: layers of the transformer; 0 for the CNN.
        steps: of the optimiser, all rounds together.
        batch: examples of a step.
        rounds: after each of them there is a validation.
        seed: of the weights, the examples taken and their order.
        unique: examples taken from the training data.
        rate: highest learning rate; None for the best of the tuning runs of that width.
        warm_up: part of the steps in which it rises.
        constant: it stays, else it falls as a cosine.
        smoke: one of those that are trained again to see whether all is as it was.
    """

    domain: str
    grid: str
    split: str
    width: float
    depth: int
    steps: int
    batch: int
    rounds: int
    seed: int
    unique: int
    rate: float | None
    warm_up: float = 0.0
    constant: bool = False
    smoke: bool = False

    @property
    def name(self) -> str:
        """Of the run, from what distinguishes it in its part of the grid."""
        size = label(self.width, self.depth)
        what = f"r{self.rate:.2g}" if self.split == "tuning" else f"T{self.steps}"
        what = what if self.domain == "text" else f"U{self.unique}-{what}"
        return f"{self.domain}-{self.grid}-{size}-{what}-s{self.seed}"

    @property
    def execution(self) -> int:
        """Steps of one call into TensorFlow."""
        return math.gcd(EXECUTION, self.steps // self.rounds)

    @property
    def params(self) -> int:
        """Trainable parameters."""
        return cost(self.domain, self.width, self.depth)[0]

    @property
    def samples(self) -> int:
        """Tokens or pictures seen."""
        return self.steps * self.batch * (CONTEXT if self.domain == "text" else 1)

    @property
    def flops(self) -> int:
        """Of training."""
        return self.steps * self.batch * cost(self.domain, self.width, self.depth)[1]

    @property
    def seconds(self) -> float:
        """One core takes about, start and tests included: of TensorFlow 2.21 on a Sapphire Rapids server."""
        text = self.domain == "text"
        start, step, rate = (4.0 + 1.5 * self.depth, 2.5e-3, 6e10) if text else (2 + 0.1 * self.rounds, 2e-3, 1e11)
        return start + self.steps * step + self.flops / rate


@cache
def cost(domain: str, width: float, depth: int) -> tuple[int, int]:
    """Parameters, and training FLOPs of an example, by the walk of the specification."""
    from scalecalc.frontends.opening import read
    from scalecalc.walk import walk

    if domain == "text":
        values = {"d_model": round(width), "n_layer": depth, "n_head": heads(round(width))}
        graph = read(TRANSFORMER, values={**values, "vocab": CHARACTERS, "context": CONTEXT})
    else:
        shape, classes = (SECOND, len(LANGUAGES)) if domain == "speech" else (IMAGE, 10)
        values = {"width": round(32 * width), "classes": classes}
        graph = read(CNN, shapes={"image": ["batch", 1, *shape[:2]]}, values=values)
    return counted(walk(graph))


def counted(profile: Profile) -> tuple[int, int]:
    """Parameters and training FLOPs of a profile's formulas, for one example."""
    sizes = {
        name: symbol.hint or 1 for name, symbol in profile.symbols.items() if symbol.hint or symbol.kind == "batch"
    }
    params = evaluate(profile.params["trainable"].formula, sizes)
    flops = evaluate(profile.training["matrix_flops"].formula, sizes)
    assert isinstance(params, int)
    assert isinstance(flops, int)
    return params, flops


# --- text: one pass, no character twice


def first_rate(width: float) -> float:
    """Where the search for a learning rate starts."""
    return min(1e-2, 0.4 / width)


def _text(grid: str, split: str, size: tuple[int, int], tokens: float, rate: float | None, seed: int = 0) -> Run:
    """At least 1,000 steps of 512 or 1,024 characters."""
    batch = 16 if tokens >= 1000 * 16 * CONTEXT else 8
    steps = max(1, round(tokens / (batch * CONTEXT * EXECUTION))) * EXECUTION
    return Run("text", grid, split, *size, steps, batch, 1, seed, steps * batch, rate, warm_up=0.05)


def text() -> Iterator[Run]:
    """Smoke runs, tuning, budgets, and larger budgets that no fit sees."""
    for size in SIZES[:3]:
        run = _text("smoke", "smoke", size, 1.05e6, first_rate(size[0]))
        yield replace(run, smoke=True)
    for size in SIZES:
        for factor in (*FACTORS, *HIGHER.get(size[0], ())):
            yield _text("tune", "tuning", size, TUNING, factor * first_rate(size[0]))
    for (budget, seeds), size in product(BUDGETS, SIZES):
        yield from _budget("fit", size, budget, seeds)
    for budget, size in product((3e13, 1e14), SIZES[-2:]):
        yield from _budget("heldout", size, budget, 1)


def _budget(split: str, size: tuple[int, int], budget: float, seeds: int) -> Iterator[Run]:
    tokens = budget * CONTEXT / cost("text", *size)[1]
    if FEWEST <= tokens <= MOST:
        for seed in range(seeds):
            yield _text(f"C{budget:.0e}".replace("+", ""), split, size, tokens, None, seed)


# --- images


def cnn_rate(width: float) -> float:
    """Learning rate of the CNN: of 1, 2, 4 and 8 thousandths, the best at widths 1/8 and 1/4 was the highest."""
    return min(8e-3, 4e-3 / math.sqrt(width))


def _cnn(domain: str, grid: str, split: str, width: float, unique: int, seed: int, **of: float) -> Run:
    at = {"steps": 2560, "batch": 64, "rounds": 20, "rate": cnn_rate(width), **of}
    return Run(
        domain, grid, split, width, 0, int(at["steps"]), int(at["batch"]), int(at["rounds"]), seed, unique, at["rate"],
        warm_up=0.05,
    )  # fmt: skip


def images() -> Iterator[Run]:
    """Sizes against data (a), the article's accuracy against compute (b), its recipe (c), and larger ones."""
    for width, unique, seed in product(WIDTHS, UNIQUE, range(3)):
        run = _cnn("images", "a", "fit", width, unique, seed)
        yield replace(run, smoke=width == 1 / 4 and unique in (1024, 4096) and seed == 0)
    for (width, unique), seed in product(((1, FULL), (2, FULL), (4, FULL // 2)), range(2)):
        if width < 4 or seed == 0:
            yield _cnn("images", "a", "heldout", width, unique, seed)
    for width, unique, (steps, rounds), seed in product((1 / 4, 1), (4096, FULL), STEPS, range(3)):
        yield _cnn("images", "b", "fit", width, unique, seed, steps=steps, batch=32, rounds=rounds)
    for seed in range(3):
        run = _cnn("images", "c", "fit", 1, ALL, seed, steps=10 * ALL // 32, batch=32, rounds=10, rate=1e-3)
        yield replace(run, warm_up=0, constant=True)


# --- speech


def speech() -> Iterator[Run]:
    """Sizes against data."""
    for width, unique, seed in product(WIDTHS, SECONDS, range(3)):
        yield _cnn("speech", "a", "fit", width, unique, seed, steps=1600, batch=32)


GRIDS = {"text": text, "images": images, "speech": speech}


def declared(domains: Iterable[str] = tuple(GRIDS)) -> list[Run]:
    """All runs of the domains: the smoke runs, then from cheap to dear."""
    runs = [run for domain in domains for run in GRIDS[domain]()]
    return sorted(runs, key=lambda run: (not run.smoke, run.seconds))


def tuning_of(run: Run, runs: Iterable[Run]) -> list[str]:
    """Names of those that must be over before it: the tuning runs of its size, where its rate is not given."""
    if run.rate is not None:
        return []
    return [
        other.name for other in runs if other.split == "tuning" and (other.width, other.depth) == (run.width, run.depth)
    ]


def tuned(run: Run, needs: Sequence[str], rows: Mapping[str, Mapping[str, str]]) -> float:
    """Its learning rate: given, or that of the tuning run with the least validation loss."""
    if run.rate is not None:
        return run.rate
    best = min(needs, key=lambda name: float(rows[name]["loss"]))
    return float(rows[best]["rate"])
