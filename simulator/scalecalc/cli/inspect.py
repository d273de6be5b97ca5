"""`scalecalc inspect`."""

from __future__ import annotations

from scalecalc.cli.arguments import Explain, Form, Join, Models, Output, Sample, Set, Shape, Strict, Task


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
    explain: Explain = None,
) -> None:
    """Layers, shapes, parameters, MACs, FLOPs and kept activations, node by node."""
    from scalecalc.cli.options import finish, finish_explained, profile_of, sizes_of
    from scalecalc.estimate import inspect as inspect_profile

    profile = profile_of(model, join=join, shape=shape)
    result = inspect_profile(profile, sizes=sizes_of(set_), task=task, sample=sample)
    if explain is not None:
        return finish_explained(result, explain, form, output, strict=strict)
    finish(result, form, output, strict=strict)
