"""`scalecalc predict`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Form, Output


def predict(
    law: Annotated[
        str,
        typer.Argument(metavar="LAW", help="A law's name, FILE.yaml or FILE.yaml#NAME.", show_default=False),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SYMBOL=VALUE",
            help="N=1e9 in the law's own count, or N.total=1e9; D=20B; C=1e21, 100T (FLOP), 1PF-day.",
        ),
    ] = None,
    form: Form = "table",
    output: Output = None,
) -> None:
    """What a law says at one point, with its interval and how far that is from the runs behind it."""
    from scalecalc.cli.options import form_of, pairs, target
    from scalecalc.estimate.asking import values_of
    from scalecalc.laws import load
    from scalecalc.laws.point import at_point
    from scalecalc.report.prediction import render

    form, texts, asked = form_of(form), pairs("--set", set_), load(law)
    values, own = values_of(texts, {symbol: variable.unit for symbol, variable in asked.variables.items()})
    found = at_point(asked, values, own).predict()
    with target(output) as file:
        render(asked, found, form, file)
