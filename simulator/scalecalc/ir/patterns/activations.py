"""Gelu and Swish, however their arithmetic is written out."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, isclose, pi, sqrt, tanh

from scalecalc.ir.graph import Node
from scalecalc.ir.links import Layer, Links


def gelu(links: Links, anchor: Node) -> Layer | None:
    """x * 0.5 * (1 + erf(x / sqrt 2)), or the tanh form, its products in any order."""
    one = links.user(anchor.outputs[0], "Add")
    if one is None or links.number(links.other(one, anchor.outputs[0])) != 1:
        return None
    root, x = one, ""
    for _ in range(3):  # x, one half, and the bracket are two products; a nested one makes three
        product = links.user(root.outputs[0], "Mul") if not x else None
        if product is None:
            break
        root = product
        factors = _factors(links, root)
        names = {name for name in factors if links.number(name) is None} - set(one.outputs)
        if len(factors) == 3 and len(names) == 1 and 0.5 in map(links.number, factors):
            (x,) = names
    if not x:
        return None
    members = _region(links, root, x, {"Mul", "Div", "Add", "Pow", anchor.op_type})
    if members is None or not all(
        isclose(_number(links, root, {x: at}), GELU[anchor.op_type](at), abs_tol=2e-4) for at in (-1.5, 0.5, 2.0)
    ):
        return None
    return links.layer("Gelu", "", (x,), root, members)


GELU: dict[str, Callable[[float], float]] = {
    "Erf": lambda x: x / 2 * (1 + erf(x / sqrt(2))),
    "Tanh": lambda x: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
}
ARITHMETIC: dict[str, Callable[..., float]] = {
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b,
    "Add": lambda a, b: a + b,
    "Pow": lambda a, b: a**b,
    "Erf": erf,
    "Tanh": tanh,
}


def _number(links: Links, node: Node, known: dict[str, float]) -> float:
    """What nodes make of known numbers and constants; nan where they make nothing of it."""
    operands = []
    for name in node.inputs:
        if name not in known:
            made, number = links.node(name), links.number(name)
            if number is None:
                number = float("nan") if made is None else _number(links, made, known)
            known[name] = number
        operands.append(known[name])
    try:
        result = ARITHMETIC[node.op_type](*operands)
    except (ArithmeticError, TypeError):
        return float("nan")
    return result if isinstance(result, float) else float("nan")


def _factors(links: Links, root: Node) -> list[str]:
    """What a product of at most three factors multiplies, however its Muls are nested."""
    factors: list[str] = []
    for name in root.inputs:
        inner = links.node(name, "Mul")
        nested = inner is not None and links.user(name) is root
        factors += inner.inputs if nested and inner is not None else [name]
    return factors


def _region(links: Links, root: Node, x: str, allowed: set[str]) -> set[str] | None:
    """Values between x and the root's output, if only allowed operators of x and numbers make them."""
    members: set[str] = set()
    stack = list(root.inputs)
    while stack:
        name = stack.pop()
        if name == x or name in members or links.number(name) is not None:
            continue
        node = links.node(name)
        if node is None or node.op_type not in allowed or len(members) > 16:
            return None
        members.add(name)
        stack += node.inputs
    return members


def swish(links: Links, anchor: Node) -> Layer | None:
    """x * sigmoid(factor * x), the factor 1 (SiLU) or any other (1.702: the quick Gelu)."""
    source = anchor.inputs[0]
    scaling = links.node(source, "Mul")
    scaled = links.scaled(scaling) if scaling is not None else None
    for x, members in ((source, {anchor.outputs[0]}), (scaled[0] if scaled else "", {anchor.outputs[0], source})):
        root = links.user(anchor.outputs[0], "Mul")
        if x and root is not None and x != anchor.outputs[0] and x in root.inputs:
            return links.layer("Swish", "", (x,), root, members)
    return None
