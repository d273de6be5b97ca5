"""`scalecalc diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import KINDS, Form, Output, Set, Shape, Strict
from scalecalc.errors import ThresholdError


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"{KINDS}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What became of it.", show_default=False)],
    set_: Set = None,
    shape: Shape = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", metavar="CONDITION", help="Exit 1 if met: macs>+5%, macs>+1e6, params>25e6."),
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="WHAT", help="Attribute the change to each node, or op.")] = "node",
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """What changed between two models, and which nodes account for it, to the last unit."""
    from scalecalc.cli.options import form_of, judge, one_of, profile_of, sizes_of, target
    from scalecalc.estimate.difference import difference
    from scalecalc.estimate.thresholds import thresholds
    from scalecalc.report.difference import BY, render

    limits, form, by = thresholds(fail_if), form_of(form), one_of("--by", by, BY)
    sizes = sizes_of(set_)
    before, after = (profile_of([path], shape=shape, sizes=sizes) for path in (old, new))
    result = difference(before, after, sizes=sizes)
    passed = result.passed(limits)
    with target(output) as file:
        render(result, form, file, by=by)
    judge((before, after), result.assumptions, strict=strict)
    if passed:
        raise ThresholdError("; ".join(passed), where="--fail-if")
