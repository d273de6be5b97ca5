"""Figures by name, and as sums over nodes and stored tensors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalecalc.dims import total
from scalecalc.errors import UsageError
from scalecalc.estimate.quantities import quantities, resolve, shares
from scalecalc.walk import walk
from tests.walk.graphs import graph
from tests.walk.test_random_graphs import cnn, mlp, transformer

TIED = """(int64[n, s] x) => (float[n, s, 9] y) <float[9, 4] table, float[4, 4] w, float[4] g, float[4] b>
{ e = Gather(table, x) f = MatMul(e, w) h = LayerNormalization(f, g, b) t = Transpose<perm = [1, 0]>(table)
y = MatMul(h, t) }"""
KNOWN = list(quantities(walk(graph(TIED))))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("macs", "forward.macs"),
        ("forward.macs", "forward.macs"),
        (" MACs ", "forward.macs"),
        ("params", "params.trainable"),
        ("non-embedding", "params.non_embedding"),
        ("activations", "memory.activations"),
        ("training.matrix_flops", "training.matrix_flops"),
        ("optimizer", "memory.optimizer"),
    ],
)
def test_names(text: str, path: str) -> None:
    assert resolve(text, KNOWN) == path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("matrix_flops", "'matrix_flops' may be forward.matrix_flops or training.matrix_flops; write one of these"),
        ("mac", "no quantity 'mac'; did you mean forward.macs?"),
        ("parms", "no quantity 'parms'; did you mean params?"),
        ("memory.activation", "did you mean memory.activations?"),
        ("qqq", "no quantity 'qqq'; use one of params.trainable, "),
        ("", "no quantity ''; use one of"),
    ],
)
def test_what_is_not_meant(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(text, KNOWN, "--fail-if")
    assert str(caught.value).startswith("--fail-if: ")
    assert says in str(caught.value)


def test_shares_by_hand() -> None:
    """The tied table stands at the node that uses it first; the norm's two vectors at the norm."""
    found = walk(graph(TIED))
    assert shares(found, "params.trainable") == [36, 16, 8, 0, 0, 0]
    assert list(map(str, shares(found, "forward.macs"))) == ["0", "16*n*s", "0", "0", "36*n*s", "0"]
    assert shares(found, "params.embedding") == [36, 0, 0, 0, 0, 0]
    assert shares(found, "memory.weights") == [144, 64, 32, 0, 0, 0]


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from((cnn, transformer, mlp)))
def test_shares_of_nodes_are_the_figure(data: st.DataObject, net) -> None:
    """Without what stands last, which is no node's: nothing in these networks is."""
    found = walk(graph(net(data)))
    for path, quantity in quantities(found).items():
        *own, rest = shares(found, path)
        assert total((1, share) for share in own) == quantity.formula
        assert rest == 0
