"""A law as the YAML text that reads as the same law again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from scalecalc.expressions import Expr
from scalecalc.laws.law import Law
from scalecalc.laws.reading import SYMBOLS

WIDTH = 116
OPEN = ("derived", "coefficients", "range", "uncertainty", "method", "draws")
"""Fields with a line per entry."""


def text_of(law: Law) -> str:
    """The law as a YAML file of its own."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def flow(value: Any, indent: str) -> str:
        text: str = yaml.dump(
            value, Dumper=Plain, sort_keys=False, default_flow_style=True, width=WIDTH - len(indent), allow_unicode=True
        )
        return text.removesuffix("...\n").strip().replace("\n", f"\n{indent}")

    lines = []
    for key, value in _document(law).items():
        if key in OPEN:
            lines.append(f"{key}:")
            lines += [f"  {flow(name, '')}: {flow(inner, '    ')}" for name, inner in value.items()]
        else:
            lines.append(f"{key}: {flow(value, '  ')}")
    return "\n".join(lines) + "\n"


def _document(law: Law) -> dict[str, Any]:
    found = _plain(law)
    variables = {symbol: _plain(variable, "symbol") for symbol, variable in law.variables.items()}
    found["variables"] = {symbol: own for symbol, own in variables.items() if symbol not in SYMBOLS}
    found["coefficients"] = {name: _plain(own, "name") for name, own in law.coefficients.items()}
    if covariance := law.covariance:
        rows = zip(covariance.of, covariance.matrix, strict=True)
        found["covariance"] = {**_plain(covariance), "matrix": {name: [*row] for name, row in rows}}
    for symbol in SYMBOLS:
        if symbol in variables:
            found[symbol] = variables[symbol]
    return {key: value for key, value in found.items() if value not in ({}, [], "") or key in SYMBOLS}


def _plain(value: Any, *hidden: str) -> Any:
    """Mappings, lists and scalars; of an object the fields that differ from their defaults."""
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    found = {}
    for field in fields(value):
        inner = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if field.init and field.name not in hidden and inner != default:
            found[field.name] = _plain(inner)
    return found
