"""How a layer is described: one function from the builder, a value and options to a value; its signature is its syntax.

The annotation of an option says how a file writes it (`KINDS`); errors, documentation and the JSON schema follow.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from scalecalc.dims import Dim
from scalecalc.frontends.builder import Value

Dims: TypeAlias = tuple[Dim, ...]
"""Dimensions, as a list."""
Ints: TypeAlias = tuple[int, ...]
"""Whole numbers: one, or a list."""
Padding: TypeAlias = str | Ints
"""`same`, `valid`, or how much on each side: one number, one for each axis, or (before, after) for each."""
Section: TypeAlias = Callable[[Value], Value]
"""A list of layers, applied one after the other."""
Branches: TypeAlias = tuple[Section, ...]
"""Several lists of layers, each applied to the same value."""
Values: TypeAlias = tuple[Value, ...]
"""Names of values made before."""
Arguments: TypeAlias = Section
"""The layers of a block, its parameters given by all other keys."""
Merge: TypeAlias = Literal["add", "concat", "multiply", "average", "maximum"]

KINDS = {
    "Dim": "a size or an expression of sizes",
    "Dims": "a list of sizes",
    "int": "a whole number",
    "Ints": "a whole number or a list of them",
    "Padding": "same, valid, a whole number or a list of them",
    "float": "a number",
    "bool": "true or false",
    "str": "a name",
    "Section": "a list of layers",
    "Branches": "a list of lists of layers",
    "Value": "the name of a layer or input before it",
    "Values": "names of layers or inputs before it",
    "Arguments": "the name of a block",
}
"""What an annotation asks for; `Activation` and other choices are looked up in CHOICES."""

CHOICES: dict[str, tuple[str, ...]] = {"Merge": ("add", "concat", "multiply", "average", "maximum")}
"""Words an annotation allows."""

COMMON = {
    "name": "what other layers call its output, and inspect the layer",
    "from": "names of the values it takes, instead of the one before it",
    "weights": "name of a layer before it whose weights it shares",
    "trainable": "false for weights that training leaves alone",
}
"""Options every layer has."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a layer.

    Attributes:
        name: as a file writes it.
        kind: one of KINDS or CHOICES.
        required: it has no default.
        default: what stands for it where it is left out.
        optional: null stands for none.
    """

    name: str
    kind: str
    required: bool
    default: Any
    optional: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the specification language.

    Attributes:
        name: in a file.
        make: what builds it.
        main: the option whose value may stand behind the name itself (`dense: 10`), "" for none.
        options: by name.
        takes: how many values it takes: 0, 1, or None for one or more.
        summary: what it is, in one line.
    """

    name: str
    make: Callable[..., Value]
    main: str
    options: Mapping[str, Option]
    takes: int | None
    summary: str


LAYERS: dict[str, Layer] = {}
F = TypeVar("F", bound=Callable[..., Value])


def layer(*names: str, summary: str = "") -> Callable[[F], F]:
    """Register a layer under its names.

    The function takes the builder, then a value (`x: Value`, `*xs: Value` for several, neither for a source), then its
    main option if it has one, then its other options as keyword-only parameters.

    Raises:
        ValueError: a name is taken.
    """

    def register(make: F) -> F:
        parameters = [*inspect.signature(make).parameters.values()][1:]
        several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        single = bool(parameters) and parameters[0].name == "x"
        rest = [p for p in parameters[single:] if p.kind is not p.VAR_POSITIONAL]
        main = next((p.name for p in rest if p.kind is p.POSITIONAL_OR_KEYWORD), "")
        options = {p.name.rstrip("_"): _option(p) for p in rest}
        explained = summary or inspect.cleandoc(make.__doc__ or "").partition("\n")[0]
        for name in names:
            if name in LAYERS:
                raise ValueError(f"layer {name} is defined already")
            LAYERS[name] = Layer(name, make, main, options, None if several else int(single), explained)
        return make

    return register


def _option(parameter: inspect.Parameter) -> Option:
    kind = str(parameter.annotation)
    optional = kind.endswith(" | None")
    kind = kind.removesuffix(" | None")
    if kind not in KINDS and kind not in CHOICES:
        raise ValueError(f"option {parameter.name} has the unknown kind {kind}")
    required = parameter.default is parameter.empty and kind != "Arguments"
    return Option(parameter.name, kind, required, None if required else parameter.default, optional)
