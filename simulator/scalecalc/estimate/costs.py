"""What a run's model says of itself: parameters in the counts of laws, training FLOPs per sample."""

from __future__ import annotations

from scalecalc.calibrate.stated import ModelCost
from scalecalc.errors import FileError
from scalecalc.estimate.inspection import inspect
from scalecalc.laws.binding import ROLES


def cost_of(name: str) -> ModelCost:
    """The cost of a shipped model (`gpt2:xl`) or of a model file.

    Raises:
        ScalecalcError: there is no such model, or its cost depends on a size nobody set.
    """
    from scalecalc import profile

    result = inspect(profile(name))
    params = {count: result.value(result.profile.params[role]) for count, role in ROLES.items()}
    flops = result.flops_per_sample
    if flops is None or not result.profile.complete:
        raise FileError("its training FLOPs are not known", where=name, todo="give a column of C instead")
    known = {count: float(value) for count, value in params.items() if value}
    return ModelCost(known, float(flops), result.task.sample, result.task.name)
