"""`scalecalc formula`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Model, Output, Sample, Set, Shape, Strict, Task


def formula(
    model: Model,
    quantity: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUANTITY]...", help="Such as forward.macs, or macs alone.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every quantity there is.")] = False,
    set_: Set = None,
    shape: Shape = None,
    expanded: Annotated[
        bool, typer.Option("--expanded/--factored", help="Sums of products, or common factors in front.")
    ] = False,
    task: Task = None,
    sample: Sample = None,
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="text, latex, python, c, js or json.")] = "text",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """Closed formulas, for people, papers and programs; a size that is set is put in as a number."""
    from scalecalc.cli.options import form_of, judge, profile_of, sizes_of, target
    from scalecalc.report.code import LANGUAGES, USUAL, at, listing, quantities

    write = LANGUAGES[form_of(form, tuple(LANGUAGES))]
    sizes = sizes_of(set_)
    result = at(profile_of([model], shape=shape, sizes=sizes), sizes, task=task, sample=sample)
    asked = [*quantities(result)] if every else quantity or USUAL
    # JSON has both forms side by side
    source = write(listing(result, asked, nested=not expanded or form == "json"))
    with target(output) as file:
        file.write(source)
    judge([result.profile], (), strict=strict)
