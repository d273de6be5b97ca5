"""`scalecalc laws`, `datasets`, `devices` and `ops`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Form, Output

laws_app = typer.Typer(help="The scaling laws there are: what they predict, of which models, from which source.")


@laws_app.callback(invoke_without_command=True)
def laws(context: typer.Context, form: Form = "table", output: Output = None) -> None:
    """The scaling laws there are: what they predict, of which models, in which counts, from which source."""
    if context.invoked_subcommand is not None:
        return
    from scalecalc.cli.options import form_of, target
    from scalecalc.laws import catalogue
    from scalecalc.report.catalogues import show_laws

    with target(output) as file:
        show_laws(catalogue().values(), form_of(form), file)


@laws_app.command("show")
def laws_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A law's name, or a YAML file.", show_default=False)],
    output: Output = None,
) -> None:
    """One law: formula, constants, conventions, range, source."""
    from scalecalc.cli.options import target
    from scalecalc.laws import load
    from scalecalc.report.catalogues import show_law

    law = load(name)
    with target(output) as file:
        show_law(law, file)


@laws_app.command("convert")
def laws_convert(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A law's name, or a YAML file.", show_default=False)],
    along: Annotated[
        str, typer.Option("--along", metavar="MODEL", help="A model of the family, such as gpt2, with sizes by name.")
    ],
    params: Annotated[
        str | None, typer.Option("--N", metavar="COUNT", help="total, non_embedding, linear, active, flops_per_token.")
    ] = None,
    compute: Annotated[
        str | None, typer.Option("--C", metavar="COUNT", help="exact, 6N_total*D, 6N_nonemb*D or 6N_linear*D.")
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=FORMULA", help="How sizes grow together: n_layer=d_model/64."),
    ] = None,
    ratio: Annotated[
        float | None, typer.Option("--ratio", help="Tokens per parameter at which a law of C alone was found.")
    ] = None,
    output: Output = None,
) -> None:
    """A law for another count of N or C, exact along a family of models, as a YAML file."""
    from scalecalc import profile
    from scalecalc.cli.options import formulas, target
    from scalecalc.laws import load
    from scalecalc.laws.converting import Family, convert
    from scalecalc.laws.writing import text_of

    law, given = load(name), formulas(sizes or [])
    family = Family.along(
        profile(along), given, ", ".join([along, *(f"{key} = {text}" for key, text in given.items())])
    )
    text = text_of(convert(law, family, params=params, compute=compute, ratio=ratio))
    with target(output) as file:
        file.write(text)


def ops(form: Form = "table", output: Output = None) -> None:
    """The operators there are rules for, and what each rule counts."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.ops import OPERATORS
    from scalecalc.report.catalogues import show_operators

    with target(output) as file:
        show_operators(sorted(OPERATORS.values(), key=lambda o: (o.domain, o.name)), form_of(form), file)


def layers(form: Form = "table", output: Output = None) -> None:
    """The layers a specification may list, their options (? for those it may leave out) and what they are."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.frontends.layers import LAYERS
    from scalecalc.report.catalogues import show_layers

    with target(output) as file:
        show_layers(LAYERS.values(), form_of(form), file)


def models(
    wanted: Annotated[
        str, typer.Argument(metavar="[FILTER]", help="Words of a name, domain or task.", show_default=False)
    ] = "",
    spec: Annotated[
        bool, typer.Option("--spec", help="Print the specification of one, to start your own from.")
    ] = False,
    form: Form = "table",
    output: Output = None,
) -> None:
    """The models known by name: parameters, forward FLOPs of one sample, and who published them."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.estimate.models import models as known
    from scalecalc.estimate.models import text_of
    from scalecalc.report.catalogues import show_models

    listed = text_of(wanted) if spec else [*known(wanted)]
    with target(output) as file:
        if isinstance(listed, str):
            file.write(listed)
        else:
            show_models(listed, form_of(form), file)


def datasets(form: Form = "table", output: Output = None) -> None:
    """The data sets known by name: how many samples they hold, from which publication."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.estimate import datasets as known
    from scalecalc.report.catalogues import show_datasets

    with target(output) as file:
        show_datasets(known().values(), form_of(form), file)


def devices(form: Form = "table", output: Output = None) -> None:
    """The devices known by name: peak matrix rate by precision, memory, from which data sheet."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.hardware import devices as known
    from scalecalc.report.catalogues import show_devices

    with target(output) as file:
        show_devices(known().values(), form_of(form), file)
