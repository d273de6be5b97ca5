"""The commands, one module each: one library call and one render. Nothing heavy is imported before one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli import calibrate, catalogues, diff, estimate, formula, inspect, optimal, predict


def root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """What a neural-network file costs to train, what a budget buys, and which size would be better."""
    if version:
        from scalecalc import __version__

        typer.echo(f"scalecalc {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


COMMANDS = (
    inspect.inspect, formula.formula, estimate.estimate, optimal.optimal, diff.diff, calibrate.calibrate,
    predict.predict,
)  # fmt: skip
LISTINGS = (catalogues.models, catalogues.layers, catalogues.datasets, catalogues.devices, catalogues.ops)


def application(name: str = "") -> typer.Typer:
    """All commands, or that of one name alone if there is such: typer reads the signature of each it is given."""
    app = typer.Typer(
        name="scalecalc",
        help="What a neural-network file costs to train, what a budget buys, and which size would be better.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(root)
    chosen = [command for command in COMMANDS if command.__name__ == name]
    for command in chosen or COMMANDS:
        app.command()(command)
    if not chosen:
        app.add_typer(catalogues.laws_app, name="laws")
        for listing in LISTINGS:
            app.command()(listing)
    return app
