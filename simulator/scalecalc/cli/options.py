"""Option texts as values, and what every command does with its result."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeVar

from scalecalc.errors import StrictError, UsageError, one_line
from scalecalc.estimate import Estimate, Inspection
from scalecalc.walk import Profile

if TYPE_CHECKING:
    from scalecalc.report.views import View

BIGGEST_SIZE = 2**53
T = TypeVar("T")


def sizes_of(texts: Sequence[str] | None) -> dict[str, int]:
    """`seq=512` options as sizes by name."""
    sizes: dict[str, int] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"'{text}' is not NAME=SIZE", where="--set", todo="write for example --set seq=512")
        _once(sizes, name.strip(), whole("--set", value), "--set")
    return sizes


def formulas(texts: Sequence[str]) -> dict[str, str]:
    """NAME=FORMULA options by name.

    Raises:
        UsageError: one that is none, or a name twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, formula = text.partition("=")
        if not (equals and name.strip() and formula.strip()):
            raise UsageError(
                f"'{text}' is not NAME=FORMULA", where="--set", todo="write for example n_layer=d_model/64"
            )
        _once(found, name.strip(), formula.strip(), "--set")
    return found


def shapes_of(texts: Sequence[str] | None) -> dict[str, tuple[int | str, ...]]:
    """`x=1,3,224,224` options as shapes by input; a word is a symbol."""
    shapes: dict[str, tuple[int | str, ...]] = {}
    for text in texts or ():
        name, equals, value = text.rpartition("=")
        if not equals or not name.strip():
            raise UsageError(f"'{text}' is not INPUT=D,D,..", where="--shape", todo="write --shape x=1,3,224,224")
        entries = [entry.strip() for entry in value.split(",")] if value.strip() else []
        shape = tuple(e if e.isidentifier() else whole("--shape", e) for e in entries)
        _once(shapes, name.strip(), shape, "--shape")
    return shapes


def joins_of(texts: Sequence[str] | None) -> list[tuple[str, str]]:
    """`hidden=encoder_hidden_states` options as pairs."""
    pairs = [(output.strip(), name.strip()) for output, _, name in (text.partition("=") for text in texts or ())]
    for text, pair in zip(texts or (), pairs, strict=True):
        if not all(pair):
            raise UsageError(f"'{text:.80}' is not OUTPUT=INPUT", where="--join", todo="name an output and an input")
    return list(dict.fromkeys(pairs))


def profile_of(
    models: Sequence[str],
    *,
    join: Sequence[str] | None = None,
    shape: Sequence[str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Profile:
    """The formulas of a command's model: one file, or several joined; a specification is built at the sizes."""
    from scalecalc import profile

    return profile(models, joins=joins_of(join), shapes=shapes_of(shape), values=sizes)


def _once(found: dict[str, T], name: str, value: T, option: str) -> None:
    if found.setdefault(name, value) != value:
        raise UsageError(f"'{name}' is given twice", where=option, todo="give one value")


def whole(option: str, text: str) -> int:
    """A whole number of 1 or more, with a suffix (`4k`) or not, or arithmetic of numbers."""
    from scalecalc.estimate.budgets import amount

    value, example = amount(text), "write for example 512, 60k or 1.28M"
    if value is None:
        raise UsageError(f"'{text.strip()}' is no positive number", where=option, todo=example)
    if value > BIGGEST_SIZE:
        raise UsageError(f"'{text.strip()}' is too large", where=option, todo="give a number below 2^53")
    if value != int(value):
        raise UsageError(f"'{text.strip()}' is no whole number", where=option, todo=example)
    return int(value)


def number(option: str, text: str) -> float:
    """A positive number, with a suffix (`7B`) or not, or arithmetic of numbers."""
    from scalecalc.estimate.budgets import amount

    value = amount(text)
    if value is None or not 1e-60 < value < 1e60:
        raise UsageError(
            f"'{text.strip():.40}' is no positive number", where=option, todo="write for example 2.5, 7e9 or 7B"
        )
    return value


def real(option: str, text: str) -> float:
    """A finite number, such as 1.69 or 2e10."""
    import math

    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"'{text.strip():.60}' is no number", where=option, todo="write for example 1.69 or 2e10")
    return value


def pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """`name=value` options as a mapping."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"'{text:.80}' is not NAME=VALUE", where=option, todo=f"write {option} NAME=VALUE")
        _once(found, name, value, option)
    return found


def yaml_file(path: str | None) -> str | None:
    """A path a law can be written to, and read from by its ending."""
    if path is not None and not path.endswith((".yaml", ".yml")):
        raise UsageError(f"'{path:.80}' is no YAML file", where="--output", todo="name it FILE.yaml")
    return path


def form_of(form: str, forms: Sequence[str] = ()) -> str:
    """A known output format: one of `forms`, or of those most commands share."""
    from scalecalc.report.render import FORMATS

    return one_of("--format", form, forms or FORMATS)


def one_of(option: str, text: str, known: Sequence[str]) -> str:
    """A word an option knows."""
    if text not in known:
        word = option.removeprefix("--")
        raise UsageError(f"no {word} '{text}'", where=option, todo=f"use one of {', '.join(known)}")
    return text


@contextmanager
def target(path: str | None, option: str = "--output") -> Iterator[IO[str]]:
    """Stdout, or a file that appears only when it is complete; bytes go to the `buffer` of a file.

    Args:
        path: of the file.
        option: that gave it.
    """
    if path is None:
        with _stdout() as file:
            yield file
        return
    if os.path.exists(path) and not os.path.isfile(path):  # a device or pipe stays what it is
        try:
            with open(path, "w", encoding="utf-8") as file:
                yield file
        except OSError as error:
            raise _unwritable(path, error, option) from None
        return
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    try:
        handle, partial = tempfile.mkstemp(prefix=".scalecalc-", dir=folder)
    except OSError as error:
        raise _unwritable(path, error, option) from None
    try:
        with open(handle, "w", encoding="utf-8") as file:
            yield file
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, path)
    except OSError as error:
        raise _unwritable(path, error, option) from None
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


@contextmanager
def _stdout() -> Iterator[IO[str]]:
    if sys.stdout is None:
        raise UsageError("stdout is closed", todo="use --output FILE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no Chinese shows question marks
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at exit
        if not isinstance(error, BrokenPipeError):  # there the reader has seen enough
            raise UsageError(f"cannot write to stdout: {error.strerror}", todo="use --output FILE") from None


def _unwritable(path: str, error: OSError, option: str) -> UsageError:
    return UsageError(f"cannot write: {error.strerror}", where=path, todo=f"choose another {option}")


def folder(option: str, path: str) -> str:
    """A folder to write to, made where there is none.

    Raises:
        UsageError: it cannot be.
    """
    try:
        os.makedirs(path, exist_ok=True)
        handle, probe = tempfile.mkstemp(prefix=".scalecalc-", dir=path)
    except OSError as error:
        raise _unwritable(path, error, option) from None
    os.close(handle)
    os.unlink(probe)
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def finish(
    result: Estimate | Inspection, form: str, output: str | None, *, strict: bool, view: View | None = None
) -> None:
    """Write a result, an inspection in a view; warn of unknown operators once; fail under `--strict`."""
    from scalecalc.report.render import render

    with target(output) as file:
        render(result, form_of(form), file, view)
    inspection = result.inspection if isinstance(result, Estimate) else result
    judge([inspection.profile], result.assumptions, strict=strict)


def finish_explained(result: Inspection, quantity: str, form: str, output: str | None, *, strict: bool) -> None:
    """Write where a figure comes from instead of the result; judge as `finish` does."""
    from scalecalc.estimate.explanation import explain
    from scalecalc.report.explanation import render

    explanation = explain(result, quantity)
    with target(output) as file:
        render(explanation, form_of(form), file)
    judge([result.profile], result.assumptions, strict=strict)


def judge(profiles: Sequence[Profile], assumptions: Sequence[str], *, strict: bool, where: str = "") -> None:
    """Warn of what no figure of a model holds; under `--strict` fail for that, or for an assumption.

    Args:
        profiles: the models.
        assumptions: of the answer.
        strict: whether they fail it.
        where: what an assumption is of; the first model unless given.

    Raises:
        StrictError: as asked.
    """
    incomplete = {_missing(profile): profile.name for profile in profiles if not profile.complete}
    for message, name in incomplete.items():
        if strict:
            raise StrictError(message, where=name, todo='add a rule with @op("...") or drop --strict')
        print(f"scalecalc: warning: {one_line(message)}", file=sys.stderr)
    open_questions = [line for line in assumptions if "(--" in line]
    if strict and open_questions:
        what = f"assumed: {'; '.join(open_questions)}"
        raise StrictError(what, where=where or profiles[0].name, todo="answer with these options, or drop --strict")


def _missing(profile: Profile) -> str:
    """What the figures leave out, and why."""
    rules = [f"{domain}:{name}".removeprefix(":") + f" ({n})" for (domain, name), n in profile.unsupported.items()]
    shapeless = [name for name in profile.input_dtypes if name not in profile.inputs]
    if shapeless:
        return (
            f"the file gives no shape for input {shapeless[0]} (--shape {shapeless[0]}=...): figures are lower bounds"
        )
    behind = f"{len(profile.unreached):,} nodes, {profile.unreached[0]} first" if profile.unreached else ""
    if not rules:
        return f"shapes depend on contents the file does not fix, in {behind}: figures are lower bounds"
    listed = ", ".join(rules[:8]) + (" ..." if len(rules) > 8 else "")
    return f"no rule for {listed}{f'; unreached behind: {behind}' if behind else ''}: figures are lower bounds"
