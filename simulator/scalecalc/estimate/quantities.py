"""The figures of a profile by name, as people type them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from scalecalc.dims import Dim, total
from scalecalc.errors import UsageError
from scalecalc.ops.vector import ADAMW_FLOPS
from scalecalc.walk import Profile, Quantity, Weight
from scalecalc.walk.profile import ADAMW_STATE_BYTES, ROLES

GROUPS = ("params", "forward", "training", "memory")
SHORT = {"params": "params.trainable"}
"""Words of their own for a figure: N is what training changes."""

NODE_SUMS = {
    # figure: how often each figure of a node counts in it
    "forward.macs": {"macs": 1},
    "forward.matrix_flops": {"macs": 2},
    "forward.vector_flops": {"vector_flops": 1},
    "forward.flops": {"macs": 2, "vector_flops": 1},
    "forward.bytes": {"bytes": 1},
    "training.backward_matrix_flops": {"backward_macs": 2},
    "training.backward_vector_flops": {"backward_vector_flops": 1},
    "training.matrix_flops": {"macs": 2, "backward_macs": 2},
    "training.vector_flops": {"vector_flops": 1, "backward_vector_flops": 1},
    "memory.activations": {"kept_bytes": 1},
}
"""Figures that are sums over nodes."""


def _of_role(*roles: str) -> Callable[[Weight], Dim]:
    return lambda weight: (weight.role in roles) * weight.size


WEIGHT_SUMS: dict[str, Callable[[Weight], Dim]] = {
    "params.trainable": lambda w: w.trainable * w.size,
    "params.non_embedding": lambda w: (w.trainable and w.role not in ("embedding", "positional")) * w.size,
    "params.linear": lambda w: (w.trainable and w.linear) * w.size,
    "params.active": lambda w: w.trainable * w.size,
    "params.buffers": _of_role("buffer"),
    "params.constants": _of_role("constant"),
    "params.quantized": _of_role("quantized"),
    "params.total": lambda w: w.size,
    **{f"params.{role}": _of_role(role) for role in ROLES},
    "training.optimizer_flops": lambda w: w.trainable * ADAMW_FLOPS * w.size,
    "memory.weights": lambda w: (w.role != "constant") * w.bytes,
    "memory.gradients": lambda w: w.trainable * w.bytes,
    "memory.optimizer": lambda w: w.trainable * ADAMW_STATE_BYTES * w.size,
}
"""Figures that are sums over stored tensors."""


def shares(profile: Profile, path: str) -> list[Dim]:
    """What each node adds to a figure, in the order of `profile.nodes`, and last what no node does.

    A stored tensor stands at the node that uses it first. The shares' sum is the figure.
    """
    found: list[Dim] = [0] * (len(profile.nodes) + 1)
    if path in NODE_SUMS:
        terms = NODE_SUMS[path].items()
        for place, node in enumerate(profile.nodes):
            found[place] = total((times, getattr(node, name)) for name, times in terms)
    for weight in profile.weights if path in WEIGHT_SUMS else ():
        found[weight.first] += WEIGHT_SUMS[path](weight)
    found[-1] = quantities(profile)[path].formula - total((1, share) for share in found[:-1])
    return found


def quantities(profile: Profile) -> dict[str, Quantity]:
    """Every figure by its path in the JSON contract: `params.trainable`, `forward.macs`, ..."""
    return {f"{group}.{name}": figure for group in GROUPS for name, figure in getattr(profile, group).items()}


def resolve(text: str, known: Iterable[str], where: str = "") -> str:
    """The path a figure is meant by: the path itself, its last part where only one path ends so, or `params`.

    >>> resolve("macs", ["params.total", "forward.macs"])
    'forward.macs'

    Args:
        text: as typed.
        known: paths.
        where: the option it was typed at, for errors.

    Raises:
        UsageError: no path is meant, or several are.
    """
    paths = list(known)
    word = text.strip().lower().replace("-", "_")
    if word in paths:
        return word
    if SHORT.get(word) in paths:
        return SHORT[word]
    ends = [path for path in paths if path.rpartition(".")[2] == word]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise UsageError(f"'{text.strip():.80}' may be {' or '.join(ends)}", where=where, todo="write one of these")
    names = {name: path for path in paths for name in (path, path.rpartition(".")[2])}
    near = get_close_matches(word, [*SHORT, *names], 1, 0.5)
    todo = f"did you mean {names.get(near[0], near[0])}?" if near else f"use one of {', '.join(paths)}"
    raise UsageError(f"no quantity '{text.strip():.80}'", where=where, todo=todo)
