"""`scalecalc estimate`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Form, Join, Models, Output, Sample, Set, Shape, Strict, Task


def estimate(
    model: Models,
    budget: Annotated[str, typer.Option("--budget", metavar="FLOP", help="Training FLOPs of the run, such as 1e21.")],
    set_: Set = None,
    shape: Shape = None,
    join: Join = None,
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
    from scalecalc.cli.options import finish, number, profile_of, sizes_of
    from scalecalc.estimate import estimate as estimate_profile

    flops = number("--budget", budget)
    distinct = None if unique is None else number("--unique", unique)
    result = estimate_profile(
        profile_of(model, join=join, shape=shape), flops, sizes=sizes_of(set_), task=task, sample=sample,
        unique=distinct, tokenizer=tokenizer, force=force,
    )  # fmt: skip
    finish(result, form, output, strict=strict)
