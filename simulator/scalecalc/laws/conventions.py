"""The conventions of a law: what it counts, of which models, on what evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scalecalc.expressions import Expr

UNKNOWN = "unknown"
ANY = "any"
Interval = tuple[float, float]
Limits = tuple[float | None, float | None]
LEVEL = 0.9
"""Of every interval that is worked out here."""
SCALES = ("log", "raw")
"""Of residuals: logarithms, or the law's unit."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A constant of a law.

    Attributes:
        value: None in a form, until runs give it one.
        se, ci, level: standard error, interval and its level as published; None where they are not.
        bounds: values a fit may give it.
        fixed: a fit keeps the value.
        near: where a fit looks for it: an expression of the law's variables and of `y`, what was observed.
        unit: of the value (`nat/token`, `FLOP`); "" if it has none.
    """

    name: str
    value: float | None
    se: float | None = None
    ci: Interval | None = None
    level: float | None = None
    bounds: Limits = (None, None)
    unit: str = ""
    fixed: bool = False
    near: Expr | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """What a law means by N, D, C or another input; `unknown` where its publication does not say.

    Attributes:
        count: N: total, non_embedding, linear, active, flops_per_token, flops_per_token_without_head. C: exact,
            exact_without_head, 6N_total*D, 6N_nonemb*D, 6N_linear*D.
        sample, meaning, tokenizer: D: token, image, ...; seen or unique.
        attention: C: full, causal or none.
        unit: C: FLOP, PF-day or core-day.
    """

    symbol: str
    count: str = UNKNOWN
    sample: str = UNKNOWN
    meaning: str = UNKNOWN
    tokenizer: str = UNKNOWN
    attention: str = UNKNOWN
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a law predicts: `bounds` it cannot leave, `chance` level, `better` = lower or higher."""

    name: str
    unit: str
    better: str
    bounds: Limits = (None, None)
    chance: float | None = None
    eval_set: str = UNKNOWN
    tokenizer: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Scope:
    """Models and data a law speaks of; an empty field does not restrict, nor does the modality or task `any`.

    Attributes:
        classes: number of classes of a classifier.
        input_elements: numbers in one sample (28x28x1 = 784).
    """

    modality: str
    task: str
    family: tuple[str, ...] = ()
    corpus: tuple[str, ...] = ()
    classes: int | None = None
    input_elements: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind a law.

    Attributes:
        runs: how many trainings it was fitted to.
        extrapolation_error: relative error on runs larger than those fitted.
        coverage: share of such runs inside the stated interval.
        text: in words.
        data: `sha256:` and the digest of the runs.
    """

    runs: int | None = None
    extrapolation_error: float | None = None
    coverage: float | None = None
    text: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a law was published."""

    citation: str
    url: str = ""
    year: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Covariance:
    """How coefficients vary together.

    Attributes:
        of: coefficient names, or `log(name)` where the logarithm is what varies evenly.
        matrix: row by row.
        basis: what it covers and how it was found.
    """

    of: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    basis: str

    def coordinates(self) -> Iterable[tuple[str, bool]]:
        """Coefficient name, and whether its logarithm is meant."""
        return ((text.removeprefix("log(").removesuffix(")"), text.startswith("log(")) for text in self.of)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What a law's prediction of one run may miss besides its coefficients' errors; standard deviations.

    Attributes:
        scale: one of SCALES: of the noise, and of what is added up.
        noise: of one run about the law.
        freedom: degrees of freedom of Student's t, by which deviations become an interval.
        drift: what fits to the smaller runs missed of the larger ones beyond noise, of logarithms; None if unknown.
        rivals: laws the runs do not tell from this one, by name: expressions of its variables, their constants numbers.
        missed, misses: LEVEL of so many predictions of larger runs from smaller ones missed no more, of logarithms.
    """

    scale: str
    noise: float
    freedom: float
    drift: float | None = None
    rivals: Mapping[str, Expr] = field(default_factory=dict)
    missed: float | None = None
    misses: int | None = None
