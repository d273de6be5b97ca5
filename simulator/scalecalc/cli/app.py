"""Commands: each one library call and one render. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    name="scalecalc",
    help="What a neural-network file costs to train, what a budget buys, and which size would be better.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="An ONNX file.", show_default=False)]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=SIZE", help="Size of a symbol, such as seq=512.")]
Shape = Annotated[
    list[str] | None, typer.Option("--shape", metavar="INPUT=D,D,..", help="Shape of an input, instead of the file's.")
]
Task = Annotated[str | None, typer.Option("--task", help="What the model is for, where the guess is wrong.")]
Sample = Annotated[str | None, typer.Option("--sample", help="What one sample is: token or example.")]
Form = Annotated[str, typer.Option("--format", metavar="FORM", help="table, json, csv or markdown.")]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if anything is missing or assumed.")]


@app.callback(invoke_without_command=True)
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


@app.command()
def inspect(
    model: Model,
    set_: Set = None,
    shape: Shape = None,
    task: Task = None,
    sample: Sample = None,
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """Layers, shapes, parameters, MACs, FLOPs and kept activations, node by node."""
    from scalecalc import profile
    from scalecalc.cli.options import finish, shapes_of, sizes_of
    from scalecalc.estimate import inspect as inspect_profile

    result = inspect_profile(profile(model, shapes=shapes_of(shape)), sizes=sizes_of(set_), task=task, sample=sample)
    finish(result, form, output, strict=strict)


@app.command()
def estimate(
    model: Model,
    budget: Annotated[str, typer.Option("--budget", metavar="FLOP", help="Training FLOPs of the run, such as 1e21.")],
    set_: Set = None,
    shape: Shape = None,
    task: Task = None,
    sample: Sample = None,
    unique: Annotated[
        str | None, typer.Option("--unique", metavar="N", help="Distinct samples of the data set.")
    ] = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="Of the training data, such as gpt2.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Apply laws of other tasks too: NOT COMPARABLE.")] = False,
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """What a budget buys, what the model will reach with it, and which size would be better."""
    from scalecalc import profile
    from scalecalc.cli.options import finish, number, shapes_of, sizes_of
    from scalecalc.estimate import estimate as estimate_profile

    flops = number("--budget", budget)
    distinct = None if unique is None else number("--unique", unique)
    result = estimate_profile(
        profile(model, shapes=shapes_of(shape)), flops, sizes=sizes_of(set_), task=task, sample=sample,
        unique=distinct, tokenizer=tokenizer, force=force,
    )  # fmt: skip
    finish(result, form, output, strict=strict)


laws_app = typer.Typer(help="The scaling laws there are: what they predict, of which models, from which source.")
app.add_typer(laws_app, name="laws")


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


@app.command()
def ops(form: Form = "table", output: Output = None) -> None:
    """The operators there are rules for, and what each rule counts."""
    from scalecalc.cli.options import form_of, target
    from scalecalc.ops import OPERATORS
    from scalecalc.report.catalogues import show_operators

    with target(output) as file:
        show_operators(sorted(OPERATORS.values(), key=lambda o: (o.domain, o.name)), form_of(form), file)
