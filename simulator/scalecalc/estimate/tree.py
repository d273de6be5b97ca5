"""A profile's nodes as a tree of modules, repeated blocks once; every figure of a block is the sum of its parts'."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from scalecalc.dims import Dim, divide, total
from scalecalc.estimate.block import OWN, Block, Figures, Shape, joined, summed
from scalecalc.ir.unfold import CONTROL
from scalecalc.walk import NodeProfile, Profile
from scalecalc.walk.profile import FIGURES

CONTAINERS = ("", "Sequential", "ModuleList")
"""Classes that tell less than that of a module around them."""
MOST_WORDS = 3
"""Operators named as the kind of a block without a class."""

_UNEVEN = ("bytes", "kept_bytes")
_EVEN = [index for index, name in enumerate(FIGURES) if name not in _UNEVEN]
_NUMBERED = re.compile(r"([^.]*?)([0-9]{1,9})(\..*)?$")  # stem, number, and what was merged with the module


def tree(profile: Profile) -> Block:
    """The model as a block. Children's figures sum to their parent's, exactly; linear in the number of nodes.

    Equal neighbours that are numbered one after the other (`h.0`, `h.1`, ...) are one block. A module that only
    wraps another is merged with it. A model without modules has its nodes as children.
    """
    root = _Module(profile.name)
    modules = {"": root}
    for node in profile.nodes:
        module = modules.get(node.module) or _found(modules, node.module)
        module.own.append(node)
        module.learn(node)
    return _Maker().block(root)


def operators(profile: Profile) -> list[Block]:
    """The nodes by operator, in the order of their first appearance."""
    groups: dict[str, list[NodeProfile]] = {}
    for node in profile.nodes:
        groups.setdefault(node.op_type, []).append(node)
    make = _Maker().leaf
    return [make(name, name, None, nodes) for name, nodes in groups.items()]


@dataclass(slots=True, eq=False)
class _Module:
    """A module while nodes are being sorted into it."""

    name: str
    around: _Module | None = None
    kind: str = ""
    output: Shape = None
    own: list[NodeProfile] = field(default_factory=list)
    inner: list[_Module] = field(default_factory=list)
    runs: set[Dim] = field(default_factory=set)

    def learn(self, node: NodeProfile) -> None:
        """From a node inside: its class, how often it runs, and what it hands on, its last output of several axes."""
        shape = node.outputs[0] if node.outputs else None
        level = node.module.count(".") + 1 if node.module else 0
        module: _Module | None = self
        while module is not None:
            if level < len(node.classes) and not module.kind:
                module.kind = node.classes[level]
            if node.domain != CONTROL:
                module.runs.add(node.repeats)
            if shape is not None and (len(shape) > 1 or module.output is None):
                module.output = shape
            module, level = module.around, level - 1


def _found(modules: dict[str, _Module], path: str) -> _Module:
    """The module at a path, made together with those around it."""
    missing = []
    while path not in modules:
        missing.append(path)
        path = path.rpartition(".")[0]
    module = modules[path]
    for inner in reversed(missing):
        modules[inner] = _Module(inner.rpartition(".")[2], module)
        module.inner.append(modules[inner])
        module = modules[inner]
    return module


class _Maker:
    """Makes blocks of modules, from the inside out."""

    def __init__(self) -> None:
        self.signatures: dict[tuple[object, ...], int] = {}

    def block(self, module: _Module, around: Dim = 1) -> Block:
        """A module with all that is in it, inside of what is repeated `around` times."""
        runs = next(iter(module.runs)) if len(module.runs) == 1 else around
        repeats = divide(runs, around)
        if repeats is None or repeats == 1:
            return self.inside(module, around)
        block = self.inside(module, around * repeats)
        block.repeats = block.repeats * repeats
        return block

    def inside(self, module: _Module, around: Dim) -> Block:
        if not module.inner:
            nodes = self.nodes(module.own) if module.around is None else []
            return self.leaf(module.name, module.kind, module.output, module.own, nodes)
        children = _folded([self.block(inner, around) for inner in module.inner])
        if len(children) == 1 and not module.own and module.around is not None:
            (only,) = children
            only.name = f"{module.name}.{only.name}"
            only.kind = module.kind or only.kind if only.kind in CONTAINERS else only.kind
            return only
        if module.own:
            children.append(self.leaf(OWN, "", None, module.own))
        whole = joined(module.name, children)
        return self.signed(replace(whole, kind=module.kind, output=module.output, children=children))

    def nodes(self, nodes: Sequence[NodeProfile]) -> list[Block]:
        """Each node that costs something as a block, then the others as one."""
        blocks = [(node, self.leaf(node.name, "", _shape(node), [node])) for node in nodes]
        rest = [node for node, block in blocks if block.free]
        return [block for _, block in blocks if not block.free] + ([self.leaf(OWN, "", None, rest)] if rest else [])

    def leaf(
        self, name: str, kind: str, output: Shape, nodes: Sequence[NodeProfile], children: Sequence[Block] = ()
    ) -> Block:
        """Nodes as one block."""
        figures = summed([node.figures for node in nodes])
        known = all(node.status == "known" for node in nodes)
        kind, count = kind or _words(nodes), len(nodes)
        return self.signed(Block(name, kind, output, count, figures, known, 1, [*children], each_nodes=count))

    def signed(self, block: Block) -> Block:
        """The block with its signature, in which bytes do not count, nor what only moves them: layers share tensors."""
        inner = tuple((c.name, c.repeats, c.signature) for c in block.children if any(_even(c)) or not c.known)
        figures = _even(block)
        key = (block.kind, block.output, figures, block.known, inner)
        block.signature = self.signatures.setdefault(key, len(self.signatures))
        return block


def _even(block: Block) -> Figures:
    """The figures equal blocks have in common."""
    return tuple(block.figures[index] for index in _EVEN)


def _folded(blocks: Iterable[Block]) -> list[Block]:
    """Neighbours that are equal and numbered one after the other, as one block."""
    runs: list[list[Block]] = []
    for block in blocks:
        if runs and _follows(runs[-1][-1].name, block.name) and _equal(runs[-1][-1], block):
            runs[-1].append(block)
        else:
            runs.append([block])
    folded = []
    for run in runs:
        block = _overlaid(run)
        if len(run) > 1:
            last = _NUMBERED.match(run[-1].name)
            block.name = re.sub(r"^([^.]*)", rf"\1-{last[2] if last else ''}", run[0].name)
            block.repeats, block.siblings = len(run) * block.repeats, len(run)
        folded.append(block)
    return folded


def _equal(block: Block, other: Block) -> bool:
    return block.signature == other.signature and block.repeats == other.repeats == 1


def _follows(name: str, other: str) -> bool:
    first, second = _NUMBERED.match(name), _NUMBERED.match(other)
    return bool(
        first and second and first[1] == second[1] and first[3] == second[3] and int(first[2]) + 1 == int(second[2])
    )


def _overlaid(blocks: Sequence[Block]) -> Block:
    """Equal blocks as one that holds the sum of each part."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    parts: dict[str, list[Block]] = {}
    for block in blocks:
        for child in block.children:
            parts.setdefault(child.name, []).append(child)
    children = [_overlaid(same) for same in parts.values()]
    figures = tuple(
        figure * len(blocks) if index in _EVEN else total((1, block.figures[index]) for block in blocks)
        for index, figure in enumerate(first.figures)
    )
    nodes = sum(block.nodes for block in blocks)
    uneven = any(block.uneven or block.named["kept_bytes"] != first.named["kept_bytes"] for block in blocks)
    return replace(first, figures=figures, nodes=nodes, children=children, uneven=uneven)


def _shape(node: NodeProfile) -> Shape:
    return node.outputs[0] if node.outputs else None


def _words(nodes: Sequence[NodeProfile]) -> str:
    """The operators that cost something, those with MACs first: `MatMul x3, Softmax, Add x2`; all where none does."""
    matrix = Counter(node.op_type for node in nodes if node.macs)
    other = [node for node in nodes if not node.macs and (node.vector_flops or node.params or node.status != "known")]
    vector = Counter(
        f"{node.op_type}: {node.status}" if node.status != "known" else node.layer or node.op_type for node in other
    )
    words = [*matrix.items(), *vector.items()] or [*Counter(node.op_type for node in nodes).items()]
    listed = [f"{word} x{number}" if number > 1 else word for word, number in words[:MOST_WORDS]]
    return ", ".join(listed) + (", ..." if len(words) > MOST_WORDS else "")
