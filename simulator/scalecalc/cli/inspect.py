"""`scalecalc inspect`."""

from __future__ import annotations

from typing import Annotated

import typer

from scalecalc.cli.arguments import Explain, Form, Join, Models, Output, Sample, Set, Shape, Strict, Task

By = Annotated[
    str | None,
    typer.Option("--by", metavar="VIEW", help="block, node or op; tables show blocks, csv and markdown nodes."),
]
Depth = Annotated[
    str | None, typer.Option("--depth", metavar="N", help="Levels of blocks: 1, 2, ... or all; else a screenful.")
]
Sort = Annotated[
    str | None, typer.Option("--sort", metavar="WHAT", help="macs, params, kept, vector or name; else graph order.")
]


def inspect(
    model: Models,
    set_: Set = None,
    shape: Shape = None,
    join: Join = None,
    task: Task = None,
    sample: Sample = None,
    form: Form = "table",
    output: Output = None,
    strict: Strict = False,
    by: By = None,
    depth: Depth = None,
    sort: Sort = None,
    explain: Explain = None,
) -> None:
    """Layers, shapes, parameters, MACs, FLOPs and kept activations: a tree of modules, hot spots, totals."""
    from scalecalc.cli.options import finish, finish_explained, profile_of, sizes_of
    from scalecalc.estimate import inspect as inspect_profile
    from scalecalc.report.views import view_of

    view = view_of(by, depth, sort)
    sizes = sizes_of(set_)
    profile = profile_of(model, join=join, shape=shape, sizes=sizes)
    result = inspect_profile(profile, sizes=sizes, task=task, sample=sample)
    if explain is not None:
        return finish_explained(result, explain, form, output, strict=strict)
    finish(result, form, output, strict=strict, view=view)
