"""Random damage to specifications: other values, other kinds of values, keys left out or twice."""

from __future__ import annotations

import random
from typing import Any

import yaml

Node = Any
RESOLVER = yaml.SafeLoader("")
TEXTS = (
    "0", "-1", "1", "2", "1.5", "1e9", "1e400", "true", "null", "relu", "batch", "seq", "d_model", "d_model/3",
    "d_model-2000", "x", "1/0", "2**60", "99999999999999999999", "same", "first", "a b", ".inf", "-7", "concat",
)  # fmt: skip


def damaged(text: str, rng: random.Random) -> str:
    """A copy with one to three random wrongs."""
    root = _copy(yaml.compose(text, Loader=yaml.SafeLoader))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = [*_places(root)]
        if places:
            rng.choice(WRONGS)(rng.choice(places), places, rng)
    return str(yaml.serialize(root, allow_unicode=True))


def _places(node: Node) -> Any:
    """Every (container, index) below a node."""
    for index, entry in enumerate(node.value if node.id != "scalar" else ()):
        yield node, index
        yield from _places(entry[1] if isinstance(entry, tuple) else entry)


def _scalar(rng: random.Random) -> Node:
    text = rng.choice(TEXTS)
    return yaml.ScalarNode(RESOLVER.resolve(yaml.ScalarNode, text, (True, False)), text)


def _put(place: tuple[Node, int], value: Node) -> None:
    node, index = place
    entry = node.value[index]
    node.value[index] = (entry[0], value) if isinstance(entry, tuple) else value


def _at(place: tuple[Node, int]) -> Node:
    entry = place[0].value[place[1]]
    return entry[1] if isinstance(entry, tuple) else entry


def _other_scalar(place: Any, places: Any, rng: random.Random) -> None:
    _put(place, _scalar(rng))


def _as_list(place: Any, places: Any, rng: random.Random) -> None:
    value = [_at(place)] * rng.choice((0, 1, 2))
    _put(place, yaml.SequenceNode("tag:yaml.org,2002:seq", [_copy(entry) for entry in value]))


def _as_mapping(place: Any, places: Any, rng: random.Random) -> None:
    value = [(_scalar(rng), _copy(_at(place)))] * rng.choice((0, 1))
    _put(place, yaml.MappingNode("tag:yaml.org,2002:map", value))


def _drop(place: Any, places: Any, rng: random.Random) -> None:
    del place[0].value[place[1]]


def _twice(place: Any, places: Any, rng: random.Random) -> None:
    node, index = place
    entry = node.value[index]
    node.value.insert(index, tuple(map(_copy, entry)) if isinstance(entry, tuple) else _copy(entry))


def _other_key(place: Any, places: Any, rng: random.Random) -> None:
    node, index = place
    if isinstance(node.value[index], tuple):
        node.value[index] = (_scalar(rng), node.value[index][1])


def _from_elsewhere(place: Any, places: Any, rng: random.Random) -> None:
    _put(place, _copy(_at(rng.choice(places))))


def _copy(node: Node) -> Node:
    """A node of its own, so that no alias is written, and no tag for a null that is left out."""
    if node.id == "scalar":
        return yaml.ScalarNode(node.tag, node.value or "null", style=node.style)
    if node.id == "sequence":
        return yaml.SequenceNode(node.tag, [_copy(entry) for entry in node.value])
    return yaml.MappingNode(node.tag, [(_copy(key), _copy(value)) for key, value in node.value])


WRONGS = (_other_scalar, _other_scalar, _as_list, _as_mapping, _drop, _twice, _other_key, _from_elsewhere)
