"""Which layer is called on what: the calls a configuration lists, of Keras 3 and of Keras 2, and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from scalecalc.errors import FileError
from scalecalc.frontends.keras.parts import Part, shape_of

DEEPEST = 12
"""Lists inside lists among the arguments of a call."""

MOST_OUTPUTS = 1_000
"""Values one call of a layer gives."""


class Ref(NamedTuple):
    """An output of a call: which layer, its how-manieth call, which of what that gives."""

    layer: str
    call: int
    output: int


@dataclass(slots=True)
class Inbound:
    """One call of a layer.

    Attributes:
        args, kwargs: as listed, outputs of other calls as Ref.
        needs: all of those.
        stated: shapes the file states for some of them.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    needs: list[Ref] = field(default_factory=list)
    stated: dict[Ref, tuple[int | None, ...]] = field(default_factory=dict)


def calls_of(layer: Part) -> list[Inbound]:
    """The calls of one layer of a functional model."""
    nodes = layer.get("inbound_nodes", [])
    if not isinstance(nodes, list):
        raise layer.error("inbound_nodes is not a list")
    return [_keras3(node, layer) if isinstance(node, dict) else _keras2(node, layer) for node in nodes]


def _keras3(node: Mapping[str, Any], layer: Part) -> Inbound:
    """{"args": [...], "kwargs": {...}} with {"class_name": "__keras_tensor__", ...} inside."""
    args, kwargs = node.get("args", []), node.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise layer.error("its call has no list of args and object of kwargs")
    call = Inbound([], {})
    call.args = [_structure(arg, call, layer, 0) for arg in args]
    call.kwargs = {str(key): _structure(arg, call, layer, 0) for key, arg in kwargs.items()}
    return call


def _structure(value: Any, call: Inbound, layer: Part, depth: int) -> Any:
    if depth > DEEPEST:
        raise layer.error("the arguments of its call are nested too deeply")
    if isinstance(value, list):
        return [_structure(entry, call, layer, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") != "__keras_tensor__":
        return {key: _structure(entry, call, layer, depth + 1) for key, entry in value.items()}
    config = value.get("config")
    ref = _ref(config.get("keras_history") if isinstance(config, dict) else None, layer)
    call.needs.append(ref)
    shape = shape_of(config.get("shape")) if isinstance(config, dict) else None
    if shape is not None:
        call.stated[ref] = shape
    return ref


def _keras2(node: Any, layer: Part) -> Inbound:
    """[[layer, call, output, kwargs], ...]; tensors in kwargs are [layer, call, output]."""
    if not isinstance(node, list):
        raise layer.error("its call is no list")
    listed = [node] if node and isinstance(node[0], str) else node
    call = Inbound([], {})
    for entry in listed:
        if not isinstance(entry, list) or len(entry) not in (3, 4):
            raise layer.error("its call lists something else than [layer, call, output, kwargs]")
        if entry[0] == "_CONSTANT_VALUE":
            call.args.append(entry[2])
            continue
        ref = _ref(entry[:3], layer)
        call.needs.append(ref)
        call.args.append(ref)
        kwargs = entry[3] if len(entry) == 4 else {}
        if not isinstance(kwargs, dict):
            raise layer.error("its call has no object of kwargs")
        for key, value in kwargs.items():
            call.kwargs[str(key)] = _keras2_argument(value, call, layer)
    if len(call.args) > 1:
        call.args = [call.args]
    return call


def _keras2_argument(value: Any, call: Inbound, layer: Part) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [_keras2_argument(entry, call, layer) for entry in value]
    if not (isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str)):
        return value
    if value[0] == "_CONSTANT_VALUE":
        return value[2]
    call.needs.append(_ref(value[:3], layer))
    return call.needs[-1]


def _ref(value: Any, layer: Part) -> Ref:
    match value:
        case [str(name), int(call), int(output)] if call >= 0 and 0 <= output < MOST_OUTPUTS:
            return Ref(name, call, output)
    raise layer.error(f"'{value!s:.60}' is not [layer, call, output]")


def refs(value: Any, part: Part, key: str) -> list[Ref]:
    """Inputs or outputs of a model: one [layer, call, output], a list or an object of them."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [_ref(value[:3], part)]
    entries: Iterable[Any]
    if isinstance(value, dict):
        entries = [value[name] for name in sorted(value)]
    elif isinstance(value, list):
        entries = value
    else:
        raise part.error(f"{key} is not a list of [layer, call, output]")
    found = []
    for entry in entries:
        if isinstance(entry, list) and not (entry and isinstance(entry[0], str)):
            found += [_ref(inner[:3] if isinstance(inner, list) else inner, part) for inner in entry]
        else:
            found.append(_ref(entry[:3] if isinstance(entry, list) else entry, part))
    return found


def ordered(calls: Mapping[tuple[str, int], Inbound], error: Callable[[str], FileError]) -> list[tuple[str, int]]:
    """The calls, each behind those it needs: as listed where that is such an order already.

    Raises:
        FileError: some need each other.
    """
    seen: set[tuple[str, int]] = set()
    for key, call in calls.items():
        if any((need.layer, need.call) not in seen for need in call.needs):
            break
        seen.add(key)
    else:
        return list(calls)
    sorter = TopologicalSorter({key: [need[:2] for need in call.needs] for key, call in calls.items()})
    try:
        return list(sorter.static_order())
    except CycleError as cycle:
        raise error(
            f"its layers wait for each other: {' -> '.join(str(name) for name, _ in cycle.args[1][:6])}"
        ) from None


def put(value: Any, found: Callable[[Ref], Any]) -> Any:
    """Arguments with what their Refs stand for."""
    if isinstance(value, Ref):
        return found(value)
    if isinstance(value, list):
        return [put(entry, found) for entry in value]
    if isinstance(value, dict):
        return {key: put(entry, found) for key, entry in value.items()}
    return value
