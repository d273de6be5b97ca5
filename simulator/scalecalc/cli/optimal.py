"""`scalecalc optimal`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import KINDS, Form, Output, Set, Strict, Task
from scalecalc.cli.estimate import Attention, Unique
from scalecalc.errors import UsageError

Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="BUDGET", help="Training FLOPs: 1e21, 100T, 1PF-day, 8xh100:3d."),
]
Laws = Annotated[
    list[str] | None,
    typer.Option(
        "--law", metavar="LAW", help="Ask this law (several times: these): a name, FILE.yaml, FILE.yaml#NAME."
    ),
]


def optimal(
    budget: Budget = None,
    law: Laws = None,
    target_loss: Annotated[
        str | None, typer.Option("--target-loss", metavar="L", help="What it takes to reach this, in the laws' metric.")
    ] = None,
    params: Annotated[
        str | None, typer.Option("--params", metavar="N", help="Where a model of N parameters stands: 124M, 7e9.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help=f"Where it stands. {KINDS}.")] = None,
    unique: Unique = None,
    inference_tokens: Annotated[
        str | None,
        typer.Option("--inference-tokens", metavar="T", help="Samples to be answered after training: 2T."),
    ] = None,
    stop_below: Annotated[
        str | None,
        typer.Option("--stop-below", metavar="GAIN", help="Where doubling the compute gains less: .01, or 1%."),
    ] = None,
    isoflop: Annotated[bool, typer.Option("--isoflop", help="Table what other N reach for the budget.")] = False,
    task: Task = None,
    set_: Set = None,
    attention: Attention = "full",
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """The best N and D for a budget or a loss, by several laws, and where a model stands beside them."""
    from scalecalc import estimate as library
    from scalecalc.cli.options import form_of, judge, number, profile_of, sizes_of, target, whole
    from scalecalc.estimate.allocation import allocate
    from scalecalc.estimate.asking import Question, stop_of
    from scalecalc.laws import load
    from scalecalc.report.allocation import render

    form, sizes = form_of(form), sizes_of(set_)
    question = Question(
        budget=None if budget is None else library.budget(budget),
        target=None if target_loss is None else number("--target-loss", target_loss),
        params=None if params is None else number("--params", params),
        unique=None if unique is None else whole("--unique", unique),
        served=None if inference_tokens is None else number("--inference-tokens", inference_tokens),
        stop=None if stop_below is None else stop_of(stop_below),
        isoflop=isoflop,
    )
    question.check(model=model is not None)
    if sizes and model is None:
        raise UsageError("sizes are a model's", where="--set", todo="give --model")
    inspection = None
    if model is not None:
        profile = profile_of([model], sizes=sizes)
        inspection = library.inspect(profile, sizes=sizes, task=task, attention=attention)
    found = allocate(question, inspection=inspection, laws=[load(name) for name in law or ()], task=task)
    with target(output) as file:
        render(found, form, file)
    judge([inspection.profile] if inspection is not None else [], found.assumptions, strict=strict, where="optimal")
