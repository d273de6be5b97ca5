"""`scalecalc estimate`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Form, Join, Models, Output, Sample, Set, Shape, Strict, Task

Budget = Annotated[
    str,
    typer.Option(
        "--budget",
        metavar="BUDGET",
        help="Training FLOPs of the run: 1e21, 100T, 1PF-day, 2.5PFLOP/s-day; or devices and time: 8xh100:3d, "
        "8xh100-fp8:36h@50% (scalecalc devices).",
    ),
]
Unique = Annotated[
    str | None, typer.Option("--unique", metavar="N", help="Distinct samples of the data set: 60000, 60k, 1.28M.")
]
Dataset = Annotated[
    str | None, typer.Option("--dataset", metavar="NAME", help="Where the data come from (scalecalc datasets).")
]
BatchSize = Annotated[
    str | None,
    typer.Option("--batch-size", metavar="B", help="Examples (sequences, images) in a step; else the graph's."),
]
Attention = Annotated[
    str,
    typer.Option(
        "--attention",
        metavar="WAY",
        help="Products of attention: full as the graph executes them, causal (half where a mask keeps the past only), "
        "or none.",
    ),
]
Count = Annotated[
    str,
    typer.Option("--count", metavar="WHAT", help="What the budget counts: matrix FLOPs, or all with the optimizer's."),
]
OneLaw = Annotated[
    str | None, typer.Option("--law", metavar="LAW", help="A law to ask first: a name, FILE.yaml or FILE.yaml#NAME.")
]


def estimate(
    model: Models,
    budget: Budget,
    set_: Set = None,
    shape: Shape = None,
    join: Join = None,
    task: Task = None,
    sample: Sample = None,
    unique: Unique = None,
    dataset: Dataset = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="Of the training data, such as gpt2.")] = None,
    batch_size: BatchSize = None,
    attention: Attention = "full",
    count: Count = "matrix",
    law: OneLaw = None,
    force: Annotated[bool, typer.Option("--force", help="Apply laws of other tasks too: NOT COMPARABLE.")] = False,
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
) -> None:
    """What a budget buys, what the model will reach with it, and which size would be better."""
    from scalecalc import estimate as library
    from scalecalc.cli.options import finish, profile_of, sizes_of, whole
    from scalecalc.laws import load

    flops, sizes = library.budget(budget), sizes_of(set_)
    result = library.estimate(
        profile_of(model, join=join, shape=shape, sizes=sizes),
        flops,
        sizes=sizes,
        task=task,
        sample=sample,
        unique=None if unique is None else whole("--unique", unique),
        dataset=None if dataset is None else library.dataset(dataset),
        tokenizer=tokenizer,
        batch_size=None if batch_size is None else whole("--batch-size", batch_size),
        attention=attention,
        count=count,
        law=None if law is None else load(law),
        force=force,
    )
    finish(result, form, output, strict=strict)
