"""What a run's model says of itself: parameters in the counts of laws, training FLOPs per sample."""

from __future__ import annotations

import os

from scalecalc.calibrate.stated import ModelCost
from scalecalc.errors import FileError
from scalecalc.estimate.inspection import inspect
from scalecalc.laws.binding import ROLES


def cost_of(name: str, files: bool = True) -> ModelCost:
    """The cost of a shipped model (`gpt2:xl`) or of a model file.

    Args:
        name: as a table has it.
        files: whether it may be a file's: else nothing but shipped models is opened.

    Raises:
        ScalecalcError: there is no such model, or its cost depends on a size nobody set.
    """
    from scalecalc import profile
    from scalecalc.frontends import zoo
    from scalecalc.frontends.opening import STDIN

    if name == STDIN or (not files and (os.path.exists(name) or zoo.find(name) is None)):
        todo = "see scalecalc models, or --column model=NAME to have files read"
        raise FileError("no model that comes with this package", where=name, todo=todo)
    result = inspect(profile(name))
    params = {count: result.value(result.profile.params[role]) for count, role in ROLES.items()}
    flops = result.flops_per_sample
    if flops is None or not result.profile.complete:
        raise FileError("its training FLOPs are not known", where=name, todo="give a column of C instead")
    known = {count: float(value) for count, value in params.items() if value}
    return ModelCost(known, float(flops), result.task.sample, result.task.name)
