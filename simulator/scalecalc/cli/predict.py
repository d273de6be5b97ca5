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
            "--set", metavar="SYMBOL=VALUE", help="N=1e9 in the law's own count, or N.total=1e9; D=20B; C=1e21."
        ),
    ] = None,
    form: Form = "table",
    output: Output = None,
) -> None:
    """What a law says at one point, with its interval and how far that is from the runs behind it."""
    from scalecalc.cli.options import form_of, pairs, target
    from scalecalc.errors import UsageError
    from scalecalc.estimate import amount
    from scalecalc.laws import load
    from scalecalc.laws.point import at_point
    from scalecalc.report.prediction import render

    form = form_of(form)
    values = {}
    for name, text in pairs("--set", set_).items():
        value = amount(text)
        if value is None:
            what = f"{name} = '{text:.60}' is no positive number"
            raise UsageError(what, where="--set", todo="write for example --set N=1e9 or D=20B")
        values[name] = value
    asked = load(law)
    found = at_point(asked, values).predict()
    with target(output) as file:
        render(asked, found, form, file)
