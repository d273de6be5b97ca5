"""Laws of a third party: a file of them, and one made in Python."""

from dataclasses import replace
from pathlib import Path

from scalecalc.laws import Law
from scalecalc.laws.catalogue import read

FILE = Path(__file__).with_name("laws.yaml")


def _made() -> Law:
    (law,) = read(FILE)
    return replace(law, name="acme-2026-object", title="as an object")


law = _made()
