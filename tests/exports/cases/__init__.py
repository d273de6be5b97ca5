"""The models to export, by subject. Each module holds `CASES`; one whose library is missing is passed over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

SUBJECTS = ("vision", "text", "dense", "speech", "recurrent", "keras", "jax")


class Exportable(Protocol):
    """What the script needs of a case."""

    invalid: str

    def export(self, path: Path) -> None:
        """Write the ONNX file."""

    def truth(self) -> dict[str, Any]:
        """The library's own counts."""

    def variants(self, name: str) -> Iterator[tuple[str, dict[str, Any], Exportable]]:
        """Further exports of the same model at fixed sizes: name, sizes and counts, case."""


def load() -> dict[str, Exportable]:
    """All cases by name, in the order of `SUBJECTS`."""
    cases: dict[str, Exportable] = {}
    for subject in SUBJECTS:
        try:
            module = import_module(f"{__name__}.{subject}")
        except ModuleNotFoundError as error:
            print(f"{subject}: passed over, {error.name} is not installed", file=sys.stderr)
            continue
        clash = cases.keys() & module.CASES.keys()
        if clash:
            raise ValueError(f"two cases are called {sorted(clash)[0]!r}")
        cases |= module.CASES
    return cases
