"""Laws of the recorded rows, by the package's own calibration.

    python -m benchmarks.keras_runs.calibrate_rows          fit them again and write the law files of the package
    python -m benchmarks.keras_runs.calibrate_rows --list   only say what came out

What is fitted is stated in `QUESTIONS`; rows of the split `heldout` are predicted and never fitted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from benchmarks.keras_runs.data import BANDS, FRAME, HOP, RATE
from benchmarks.keras_runs.grid import HERE
from benchmarks.keras_runs.recorded import ERROR, Row, reading, rows
from scalecalc.calibrate.bands import fitted_of, held_of
from scalecalc.calibrate.calibration import Calibration, calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.calibrate.intervals import short
from scalecalc.calibrate.lawfile import fitted_law, thinned
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.reading import Reading
from scalecalc.errors import FitError, ScalecalcError
from scalecalc.laws import Law
from scalecalc.laws.conventions import Interval, Metric, Scope, Source, Variable
from scalecalc.laws.writing import text_of

LAWS = HERE.parents[1] / "simulator" / "scalecalc" / "laws" / "data"
DRAWS, KEPT, DIGITS = 1000, 60, 7
"""Resamples; how many of them a file has, as every command reads all files; digits of constants."""
CHANCE = {"P_0": 0.1}
"""What a network that has learned nothing gets right of ten classes: where the saturating exponential begins."""
BOTH = ("separable", "kaplan-2020-joint", "joint", "droppo-2021", "power")
"""Forms of N and D, and one of their product's growth alone."""
RISING = ("exponential", "saturating-exponential", "exponential-ceiling", "power-ceiling")
FALLING = ("exponential", "exponential-floor", "power", "power-floor")
"""Forms of C: the seed's exponential first, then its saturating form, then others."""
OWN = "trainings of this project's own: benchmarks/keras_runs/rows/{}.csv"
STOPPED = "the weights with the least validation loss of 20 validations"
DIGITS_SCOPE = {"family": ("cnn",), "corpus": ("mnist",), "classes": 10, "input_elements": 784}
IMAGES = Scope("image", "image-classification", **DIGITS_SCOPE)  # type: ignore[arg-type]
LOSS = Metric("loss", "nat/example", "lower", (0.0, None))


@dataclass(frozen=True)
class Question:
    """One law: of which rows, of which performance, and in which words.

    Attributes:
        name, title: of the law.
        domain: of the rows.
        where: columns of the rows that are fitted, beside the split.
        performance: column.
        over: see `recorded.reading`.
        forms: that are tried.
        metric, scope, regime, notes: the law's.
        common: what the runs had in common, or as it varied, beside the law's variables: the range of each.
        horizon: see `Method`.
        held: coefficients with a value.
        least: runs it takes to answer it.
    """

    name: str
    title: str
    domain: str
    where: Mapping[str, str]
    performance: str
    over: str
    forms: Sequence[str]
    metric: Metric
    scope: Scope
    regime: Mapping[str, str]
    notes: Sequence[str] = ()
    common: Sequence[str] = ()
    horizon: float | None = None
    held: Mapping[str, float] = field(default_factory=dict)
    least: int = 12

    def asks_for(self, row: Row) -> bool:
        """Whether the row is one of its runs, fitted or held out."""
        return row["split"] == "heldout" or (row["split"] == "fit" and self.fits(row))

    def fits(self, row: Row) -> bool:
        """Whether the row is in the part that is fitted."""
        return all(row[name] == value for name, value in self.where.items())


SCHEDULE = "Adam, 5 % warm-up, cosine to zero"
QUESTIONS = (
    Question(
        "keras-text", "characters of an English dictionary, decoder-only transformers", "text", {}, "test_loss",
        "N D C", BOTH[:-1],
        Metric("loss", "nat/token", "lower", (0.0, None), eval_set="131,072 characters of GCIDE", tokenizer="char"),
        Scope("text", "language-modeling", ("transformer",), ("gcide",)),
        {"epochs": "at most 1", "optimizer": f"{SCHEDULE}, beta2 0.98, the rate tuned for each width",
         "batch": "512 or 1,024 characters in contexts of 64"},
        ("99 distinct characters; 64 at once: more context would help less than it does in longer texts",), least=24,
    ),
    Question(
        "keras-images-loss", "handwritten digits, the seed article's CNN in widths 1/8 to 1", "images", {"grid": "a"},
        "best_test_loss", "N U", BOTH, replace(LOSS, eval_set="10,000 test images of MNIST"), IMAGES,
        {"epochs": "160 to 5", "optimizer": SCHEDULE, "batch": "2,560 steps of 64 images", "stop": STOPPED},
        ("no image is changed for training",),
        ("C",),
    ),
    Question(
        "keras-images-error", "handwritten digits, the seed article's CNN in widths 1/8 to 1", "images", {"grid": "a"},
        ERROR, "N U", BOTH, Metric("error rate", "fraction", "lower", (0.0, 1.0), 0.9, "10,000 test images of MNIST"),
        IMAGES, {"epochs": "160 to 5", "optimizer": SCHEDULE, "batch": "2,560 steps of 64 images", "stop": STOPPED},
        ("no image is changed for training", "one less the accuracy"), ("C",),
    ),
    Question(
        "keras-images-accuracy", "handwritten digits, the seed article's own CNN on all data, accuracy against compute",
        "images", {"grid": "b", "width": "1", "U": "55000"}, "test_accuracy", "C", RISING,
        Metric("accuracy", "fraction", "higher", (0.0, 1.0), 0.1, "10,000 test images of MNIST"), IMAGES,
        {"epochs": "0.05 to 15", "optimizer": SCHEDULE, "batch": "80 to 25,600 steps of 32 images"},
        ("one network on one set: what another N or U would change it does not hold",), ("N", "U"),
        horizon=10.0, held=CHANCE,
    ),
    Question(
        "keras-speech", "which of five languages a second of telephone speech is in, CNNs on spectrograms", "speech",
        {"grid": "a"}, "best_test_loss", "N U", BOTH, replace(LOSS, eval_set="seconds of prompts no run has seen"),
        Scope("audio", "audio-classification", ("cnn",), ("asterisk-prompts",), 5,
              ((RATE - FRAME) // HOP + 1) * BANDS),
        {"epochs": "102 to 10", "optimizer": SCHEDULE, "batch": "1,600 steps of 32 seconds", "stop": STOPPED},
        ("an example is one second at 8 kHz", "each language has one speaker: voices as much as languages"), ("C",),
    ),
)  # fmt: skip


def runs(question: Question, **options: str) -> Reading:
    """Its runs, those of the split `heldout` held out.

    Raises:
        ScalecalcError: there are none yet.
    """
    held = {} if question.over == "C" else {"held": lambda row: row["split"] == "heldout"}
    test = question.fits if question.over == "C" else question.asks_for
    return reading(question.domain, test, question.performance, over=question.over, **options, **held)  # type: ignore[arg-type]


def method(question: Question, draws: int = DRAWS) -> Method:
    """Least squares of logarithms: runs differ by their seeds, and none is an outlier."""
    return Method("least-squares", draws=draws, horizon=question.horizon, held=question.held)


@cache
def answers() -> dict[str, Calibration]:
    """What came of every question that the rows there are can answer."""
    found = {}
    for question in QUESTIONS:
        try:
            read = runs(question)
            if len(read.runs) < question.least:
                raise FitError(f"{len(read.runs)} runs of the {question.least} it takes")
            forms = [form_of(name, read) for name in question.forms]
            found[question.name] = _answered(read, method(question), forms)
        except ScalecalcError as error:
            print(f"{question.name}: not yet: {error}", file=sys.stderr)
    return found


def _answered(read: Reading, how: Method, forms: Sequence[Law]) -> Calibration:
    """The surviving form that foretold best, of those the runs determine: whose resamples have an optimum, too."""
    whole = calibrate(read, how, forms)
    for one in whole.survivors:
        own = whole if one is whole.ranked[0] else calibrate(read, how, [one.form])
        if not own.why_none:
            return replace(own, ranked=[one, *(other for other in whole.ranked if other is not one)])
    return whole


def law(question: Question, result: Calibration) -> Law:
    """With everything its file says."""
    found = fitted_law(result, question.name)
    coefficients = {name: replace(c, value=short(c.value or 0.0, DIGITS)) for name, c in found.coefficients.items()}
    ends = {symbol: _ends(question, symbol) for symbol in question.common}
    variables = {**found.variables, **{symbol: _variable(question, symbol) for symbol in question.common}}
    if "D" in variables:
        variables["D"] = replace(variables["D"], tokenizer=question.metric.tokenizer)
    if "C" in variables:
        variables["C"] = replace(variables["C"], attention="full" if question.domain == "text" else "none")
    return replace(
        found, title=f"{question.title}: {result.fitted.form.name}", coefficients=coefficients,
        metric=question.metric, applies_to=question.scope, regime=question.regime, notes=tuple(question.notes),
        variables={symbol: variables[symbol] for symbol in "NDUC" if symbol in variables},
        range={name: value for name, value in {**found.range, **ends}.items()
               if name in variables or name == "D/N"},
        covariance=None, evidence=replace(found.evidence, coverage=_coverage(result)),
        draws={name: tuple(map(float, column)) for name, column in thinned(found.draws, KEPT).items()},
        source=Source(OWN.format(question.domain), year=2026, note="protocol and versions: benchmarks/keras_runs"),
        method={name: text for name, text in found.method.items() if name not in ("gradient", "starts", "left out")},
    )  # fmt: skip


def _coverage(result: Calibration) -> float | None:
    """Share of the runs held out that lie in the interval of one run; None without any."""
    if result.read.held is None:
        return None
    held = held_of(fitted_of(result), result.read.held.runs)
    return short(held.inside / len(held.off), 3)


def _variable(question: Question, symbol: str) -> Variable:
    match symbol:
        case "N":
            return Variable("N", count="total")
        case "C":
            return Variable("C", count="exact", attention="none", unit="FLOP")
    return Variable(symbol, sample="example", meaning="unique" if symbol == "U" else "seen")


def _ends(question: Question, symbol: str) -> Interval:
    column = "N_total" if symbol == "N" else symbol
    values = [float(row[column]) for row in rows(question.domain, question.fits) if row["split"] == "fit"]
    return short(min(values), 6), short(max(values), 6)


def laws() -> dict[str, Law]:
    """Every law the rows give, by name."""
    return {question.name: law(question, answers()[question.name]) for question in QUESTIONS
            if question.name in answers()}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, say what came out, write the law files."""
    parser = argparse.ArgumentParser(prog="calibrate_rows", description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    for name, found in laws().items():
        result = answers()[name]
        print(f"{name}: {found.formula}, {len(result.kept.runs)} runs")
        for one in result.ranked:
            print(f"    {one.name:24} {one.extrapolation:.4f} {one.why}")
    if not options.list:
        for path in LAWS.glob("keras-*.yaml"):
            path.unlink()
        for name, found in laws().items():
            (LAWS / f"{name}.yaml").write_text(text_of(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
