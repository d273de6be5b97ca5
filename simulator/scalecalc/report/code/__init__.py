"""Formulas in the languages of readers and programs.

A language is a module here with `write(listing) -> str`, and a line in LANGUAGES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scalecalc.report.code import c, document, javascript, latex, python, text
from scalecalc.report.code.listing import Formula, Listing, Requirement, at, listing
from scalecalc.report.code.quantities import USUAL, quantities

LANGUAGES: Mapping[str, Callable[[Listing], str]] = {
    "text": text.write,
    "latex": latex.write,
    "python": python.write,
    "c": c.write,
    "js": javascript.write,
    "json": document.write,
}

__all__ = ["LANGUAGES", "USUAL", "Formula", "Listing", "Requirement", "at", "listing", "quantities"]
