"""A graph under other names: of its values, of the functions it calls, of its dimensions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scalecalc.ir.graph import Function, Graph, Initializer, Node, TensorType
from scalecalc.walk.symbols import AUTOMATIC, DIMENSION_ARITHMETIC

_NAME = re.compile(r"[^\W\d]\w*")


def names_of(entry: int | str | None) -> list[str]:
    """The names in a dimension's text; none of `unknown` and the like, which is another one each time.

    >>> names_of("past + seq"), names_of("unknown"), names_of(3)
    (['past', 'seq'], [], [])
    """
    if not isinstance(entry, str) or (AUTOMATIC.fullmatch(entry) and not re.search(r"\d", entry)):
        return []
    return [name for name in _NAME.findall(entry) if name not in DIMENSION_ARITHMETIC]


def in_terms_of(entry: int | str | None, dims: Mapping[str, int | str]) -> int | str | None:
    """A dimension's text with other names, or numbers, for its own.

    >>> in_terms_of("past + 1", {"past": "seq"}), in_terms_of("n", {"n": 3}), in_terms_of("2*n", {"n": "a + b"})
    ('seq + 1', 3, '2*(a + b)')
    """
    if not isinstance(entry, str) or not names_of(entry):
        return entry
    if entry in dims:
        return dims[entry]

    def put(match: re.Match[str]) -> str:
        text = str(dims.get(match[0], match[0]))
        return text if text.isidentifier() or text.isdigit() else f"({text})"

    return _NAME.sub(put, entry)


@dataclass(frozen=True, slots=True)
class Renaming:
    """New names for a graph's.

    Attributes:
        value: the new name of a value.
        calls: new (domain, name) of functions, by the old ones.
        dims: what the names of dimensions become.
    """

    value: Callable[[str], str]
    calls: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    dims: Mapping[str, int | str] = field(default_factory=dict)

    def type(self, declared: TensorType) -> TensorType:
        """A type with the new names of its dimensions."""
        if declared.shape is None or not self.dims:
            return declared
        return TensorType(declared.dtype, tuple(in_terms_of(entry, self.dims) for entry in declared.shape))

    def types(self, declared: Mapping[str, TensorType]) -> dict[str, TensorType]:
        """Types by the new names of their values."""
        return {self.value(name): self.type(kind) for name, kind in declared.items()}

    def node(self, node: Node) -> Node:
        """A node of other values, its bodies too."""
        domain, op_type = self.calls.get((node.domain, node.op_type), (node.domain, node.op_type))
        return replace(
            node,
            op_type=op_type,
            domain=domain,
            inputs=tuple(map(self.value, node.inputs)),
            outputs=tuple(map(self.value, node.outputs)),
            attributes={name: self._attribute(content) for name, content in node.attributes.items()},
        )

    def tensors(self, tensors: Mapping[str, Initializer]) -> dict[str, Initializer]:
        """Stored tensors under their new names."""
        return {new: tensor._replace(name=new) for name, tensor in tensors.items() for new in (self.value(name),)}

    def function(self, function: Function) -> Function:
        """A function that calls others by their new names; its values are its own."""
        inner = Renaming(lambda name: name, self.calls)
        domain, name = self.calls.get((function.domain, function.name), (function.domain, function.name))
        return replace(function, name=name, domain=domain, nodes=[inner.node(node) for node in function.nodes])

    def _attribute(self, content: Any) -> Any:
        if isinstance(content, Graph):
            return replace(
                content,
                nodes=[self.node(node) for node in content.nodes],
                inputs=self.types(content.inputs),
                outputs=self.types(content.outputs),
                initializers=self.tensors(content.initializers),
                value_info=self.types(content.value_info),
            )
        if isinstance(content, tuple) and content and isinstance(content[0], Graph):
            return tuple(map(self._attribute, content))
        return content
