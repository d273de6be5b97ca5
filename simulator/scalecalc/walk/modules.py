"""Which module each node belongs to: by what the exporter noted, by its name, by its weights' names, by its neighbours.

A module's path is written with dots, whatever the file uses: `layer1.0.conv1`. Nothing that is counted depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from scalecalc.ir.graph import Graph, Node
from scalecalc.walk.profile import Weight

Path = tuple[str, ...]

DEEPEST = 16
"""Levels of a path; what a name holds beyond them is left out."""

_OUTSIDE = "_empty_nn_module_stack"  # PyTorch's mark on nodes it made outside of all modules
_TENSOR = re.compile(
    r"[_/](w|b|s|weights?|kernel|bias|scale|gamma|beta|mean|var|rm|riv|moving_mean|moving_variance)(_\d+)?(:\d+)?$"
)
"""What tensors are called behind the name of their module, in files that separate the two by no dot."""
_NUMBERED = re.compile(r"\d[a-z]?$")


class Home(NamedTuple):
    """The module a node belongs to.

    Attributes:
        module: its path, levels separated by dots; "" for the model itself.
        classes: of the model, then of each level, as far as the file tells; "" for one it does not.
    """

    module: str
    classes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The levels."""
        return tuple(self.module.split(".")) if self.module else ()


class _Weight(NamedTuple):
    """What a weight's name tells: its module's path, and whether dots separate its levels, as PyTorch's do."""

    path: Path
    dotted: bool


def homes_of(graph: Graph, weights: Sequence[Weight]) -> list[Home]:
    """The module of every node, in the graph's order; linear in the number of nodes."""
    of_weights = _weight_homes(graph, weights)
    known: dict[tuple[str, str | None], Home | None] = {}
    homes: list[Home | None] = []
    for place, node in enumerate(graph.nodes):
        scope = node.name.rpartition("/")[0] if "/" in node.name else None
        if (key := (node.namespace, scope)) not in known:
            known[key] = _noted(node.namespace) or _named(scope)
        home, weight = known[key], of_weights.get(place)
        homes.append(_nearer(home, weight, node) if weight else home)
    return _filled(homes)


def _home(path: Sequence[str], classes: Sequence[str] = ()) -> Home:
    return Home(".".join(path[:DEEPEST]), tuple(classes[: DEEPEST + 1]))


def _levels(names: Iterable[str]) -> Iterator[list[str]]:
    """The levels each of nested names adds; a name may repeat the one before it: layer1, layer1.0, conv1."""
    before = ""
    for name in names:
        rest = name[len(before) + 1 :] if before and name.startswith(f"{before}.") else name
        yield [level for level in rest.split(".") if level]
        before = name


def _named(scope: str | None) -> Home | None:
    """What a node's name tells, by the part of it before the last slash."""
    return None if scope is None else _home([level for levels in _levels(scope.split("/")) for level in levels])


def _noted(namespace: str) -> Home | None:
    """What PyTorch notes: `: pkg.Model/encoder: pkg.Encoder/encoder.layer.0: pkg.Layer`."""
    if not namespace or namespace.startswith(_OUTSIDE):
        return None
    modules = [piece.partition(": ") for piece in namespace.split("/")]
    path: list[str] = []
    classes = [""]
    for levels, (_, _, kind) in zip(_levels(name for name, _, _ in modules), modules, strict=True):
        path += levels
        classes += [""] * len(levels)
        classes[-1] = kind.rpartition(".")[2]
    return _home(path, classes)


def _nearer(home: Home | None, weight: _Weight, node: Node) -> Home:
    """The home of a node that uses a weight.

    PyTorch's name of the weight knows better where it is one level deeper, and where an exporter folded a BatchNorm
    into the operation before it, which then bears the norm's name.
    """
    path = weight.path
    if home is None:
        return _home(path)
    around, classes = home.path, home.classes
    if not weight.dotted or len(path) > DEEPEST:
        return home
    if path[:-1] == around:
        return _home(path, (*classes, "") if classes else ())
    folded = "BatchNorm" in "".join(classes[-1:]) and node.op_type != "BatchNormalization"
    return _home(path, (*classes[:-1], "")) if folded and path[:-1] == around[:-1] else home


def _weight_homes(graph: Graph, weights: Sequence[Weight]) -> dict[int, _Weight]:
    """A weight of each node that uses one, where the weight's name tells its module."""
    names = {weight.name for weight in weights if weight.role != "constant"}
    uses: dict[int, str] = {}
    for place, node in enumerate(graph.nodes):
        for name in node.inputs:
            if name in names:
                uses[place] = name
                break
    for weight in weights:
        if weight.name in names:
            uses.setdefault(weight.first, weight.name)
    paths = _module_names(uses[place] for place in sorted(uses))
    return {place: _Weight(paths[name], _dotted(name)) for place, name in uses.items() if name in paths}


def _dotted(name: str) -> bool:
    return "." in name and "/" not in name


def _module_names(names: Iterable[str]) -> Mapping[str, Path]:
    """Levels by a tensor's name, from names in the order of the nodes that use them.

    Dots or slashes separate levels. Where neither does (but in a prefix all names share), underscores do, if the
    blocks this makes stand together: res2_0_branch2a is res2.0.branch2a, and conv_1, dense_1, conv_2 stay whole.
    """
    paths: dict[str, Path] = {}
    for name in dict.fromkeys(names):
        if "::" not in name:  # the exporter's own
            dotted = _dotted(name)
            module = name.rpartition(".")[0] if dotted else _TENSOR.sub("", name)
            if module and (module != name or "/" in name):
                pieces = module.split("." if dotted else "/")
                paths[name] = tuple(filter(None, pieces if module != name else pieces[:-1]))
    common = {path[0] for path in paths.values()} if all(map(len, paths.values())) else set()
    start = 1 if len(common) == 1 and all(len(path) > 1 for path in paths.values()) else 0
    if all(len(path) == start + 1 for path in paths.values()):
        split = {name: (*path[:start], *filter(None, path[-1].split("_"))) for name, path in paths.items()}
        firsts = [first for first, _ in groupby(path[start] for path in split.values() if len(path) > start)]
        if len(firsts) == len(set(firsts)):
            return split
    return paths


def _filled(homes: list[Home | None]) -> list[Home]:
    """Nodes nothing names belong to the block around the nearest named nodes before and behind them.

    At the border of two numbered blocks (layer.0, layer.1) they end the first.
    """
    behind: list[Home | None] = [None] * len(homes)
    following: Home | None = None
    for place in range(len(homes) - 1, -1, -1):
        behind[place] = following
        following = homes[place] or following
    before: Home | None = None
    filled: list[Home] = []
    between: dict[tuple[Home | None, Home | None], Home] = {}
    for home, after in zip(homes, behind, strict=True):
        if home is None:
            if (key := (before, after)) not in between:
                between[key] = _around(before, after)
            home = between[key]
        else:
            before = home
        filled.append(home)
    return filled


def _around(before: Home | None, after: Home | None) -> Home:
    if before is None or after is None:
        return Home("", ((before or after or Home("")).classes)[:1])
    first, second = before.path, after.path
    depth = 0
    while depth < min(len(first), len(second)) and first[depth] == second[depth]:
        depth += 1
    if depth < min(len(first) - 1, len(second)) and _NUMBERED.search(first[depth]):
        depth += 1
        while depth < len(first) - 1 and first[depth].isdecimal():
            depth += 1
    return Home(".".join(first[:depth]), before.classes[: depth + 1])
