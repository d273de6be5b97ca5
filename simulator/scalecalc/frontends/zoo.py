"""The models that come with this package: specifications with their sources and published totals."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scalecalc.errors import UsageError, nearest
from scalecalc.frontends.declared import Values
from scalecalc.frontends.spec import Spec, parse


class Found(NamedTuple):
    """A shipped model.

    Attributes:
        path: of its specification.
        variant: of that, "" for the file as it stands.
    """

    path: Path
    variant: str


@cache
def folder() -> Path:
    """Where the specifications are: in the package, or beside its sources in a checkout."""
    inside = Path(__file__).parents[1] / "models"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "models"


def paths() -> list[Path]:
    """All specifications, by domain and name."""
    return sorted(folder().glob("*/*.yaml"))


def load(found: Found, values: Values | None = None) -> Spec:
    """A shipped specification, read but not built, with other values of its symbols where some are given."""
    return parse(found.path.read_bytes(), found.path.name, variant=found.variant, values=values, shipped=True)


def entries() -> Iterator[Found]:
    """Every model: each file, and its variants."""
    for path in paths():
        spec = load(Found(path, ""))
        yield Found(path, "")
        yield from (Found(path, variant) for variant in spec.variants if variant != spec.default)


def find(name: str) -> Found | None:
    """A model by its name (`gpt2`, `gpt2:xl`, `resnet50`), None for one nobody knows.

    Raises:
        UsageError: the model has no such variant.
    """
    base, _, variant = name.strip().lower().replace("_", "-").partition(":")
    files = {path.stem: path for path in paths()}
    if base in files:
        spec = load(Found(files[base], ""))
        if variant and variant not in spec.variants:
            todo = nearest(variant, spec.variants, f"its variants are {', '.join(spec.variants) or 'none'}")
            raise UsageError(f"{base} has no variant '{variant:.60}'", where=name, todo=todo)
        return Found(files[base], "" if variant == spec.default else variant)
    wanted = _squeezed(name)
    for stem, path in files.items():
        for alias, own in ({stem: ""} | _names(load(Found(path, "")))).items():
            if _squeezed(alias) == wanted:
                return Found(path, own)
    return None


def known() -> list[str]:
    """Every name a model can be called by."""
    return [name for path in paths() for name in (path.stem, *_names(load(Found(path, ""))))]


def _names(spec: Spec) -> dict[str, str]:
    """Names of a file's variants, and the variant each stands for."""
    own = {f"{spec.name}:{variant}": "" if variant == spec.default else variant for variant in spec.variants}
    return {**own, **spec.aliases}


def _squeezed(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
