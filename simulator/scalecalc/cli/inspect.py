"""`scalecalc inspect`."""

from __future__ import annotations

from scalecalc.cli.arguments import Form, Model, Output, Sample, Set, Shape, Strict, Task


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
