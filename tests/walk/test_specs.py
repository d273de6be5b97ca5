"""A specification and the export of the same model give the same formulas; every difference is counted by hand.

A specification's formulas hold symbols for its widths and depths. At the values the file states only those of the data
are left, which the two sides may call differently: they are told by what they are.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest

from scalecalc.dims import Dim, Poly
from scalecalc.frontends.opening import read
from scalecalc.ir.graph import Graph
from scalecalc.walk import Profile, walk
from tests.walk.exports import ROOT, TRUTH, profile

pytestmark = pytest.mark.exports

SPECS = ROOT / "tests/walk/specs"
MODELS = {
    # export: specification
    "seed_cnn": "seed-cnn",
    "resnet50_torchscript_training": "resnet:50",
    "gpt2": "gpt2",
    "gpt2_gelu": "gpt2",
    "bert_base": SPECS / "bert_base.yaml",
    "vit_b_16": "vit",
    "llama_small": SPECS / "llama_small.yaml",
    "llama_opset23_small": SPECS / "llama_small.yaml",
    "lstm_torchscript": SPECS / "lstm.yaml",
}
each = pytest.mark.parametrize("name", MODELS)
EXECUTED = [name for name in MODELS if name in TRUTH]
Terms = dict[str, int]
"""A polynomial: coefficients by product, such as `batch*sequence*sequence`."""


@cache
def graph(name: str) -> Graph:
    """What the specification builds."""
    return read(MODELS[name])


@cache
def spec(name: str) -> Profile:
    """Its formulas at the values it states, in the symbols of the data."""
    values = {symbol: stated.value for symbol, stated in graph(name).symbols.items() if stated.value is not None}
    return walk(graph(name), sizes=values)


@cache
def file(name: str) -> Profile:
    """The formulas of the export."""
    return walk(read(ROOT / "models/vision/seed_cnn.onnx")) if name == "seed_cnn" else profile(name)


def terms(found: Profile, group: str, key: str) -> Terms:
    """A formula as coefficients, each symbol called by what it is."""
    formula: Dim = getattr(found, group)[key].formula
    if isinstance(formula, int):
        return {"": formula} if formula else {}
    assert isinstance(formula, Poly)
    named: Terms = {}
    for atoms, coefficient in formula.terms.items():
        kinds = sorted(found.symbols[formula.system.info(atom).name].kind for atom in atoms)
        named["*".join(kinds)] = named.get("*".join(kinds), 0) + coefficient
    return named


def less(a: Terms, b: Terms) -> Terms:
    """a - b."""
    return {term: a.get(term, 0) - b.get(term, 0) for term in {*a, *b} if a.get(term, 0) != b.get(term, 0)}


def difference(name: str, group: str, key: str) -> Terms:
    """What the export counts and the specification does not."""
    return less(terms(file(name), group, key), terms(spec(name), group, key))


ROLES = (
    "trainable",
    "embedding",
    "positional",
    "norm",
    "head",
    "other",
    "non_embedding",
    "linear",
    "active",
    "buffers",
)


@each
def test_parameters(name: str) -> None:
    """Role by role; ties and repeats count as the file's own tensors do."""
    for role in ROLES:
        assert difference(name, "params", role) == {}, role


@each
def test_matrix_products(name: str) -> None:
    assert difference(name, "forward", "macs") == {}
    assert difference(name, "training", "backward_matrix_flops") == {}


@each
def test_nothing_is_left_open(name: str) -> None:
    for found in (spec(name), file(name)):
        assert found.complete
        assert not found.pending
    assert Counter(map(_kind, spec(name).symbols.values())) == Counter(map(_kind, file(name).symbols.values()))
    assert len(spec(name).conditions) == len(file(name).conditions)


def _kind(symbol: Any) -> str:
    return str(symbol.kind)


@pytest.mark.parametrize("name", EXECUTED)
def test_what_pytorch_counts(name: str) -> None:
    """The specification alone, against the executed model: parameters, and multiply-accumulates at its sizes."""
    truth, found = TRUTH[name], spec(name)
    assert found.params["trainable"].formula == truth["params"] - truth["params_unused"]
    assert len(truth["counts"]) > 1
    for row in truth["counts"]:
        assert found.forward["macs"].value(row["sizes"]) == row["forward_macs"]
        backward = row["backward_macs"] + row.get("altered", {}).get("backward_macs", 0)
        assert found.training["backward_matrix_flops"].value(row["sizes"]) == 2 * backward


SCORES = "batch*sequence*sequence"
TOKENS = "batch*sequence"
HEADS, LAYERS_OF_12, PLACES = 12, 12, 197  # ViT: 14 x 14 patches and the class token
VECTOR = {
    # where the file counts what the specification does not, or the other way: forward
    "gpt2": {SCORES: HEADS * LAYERS_OF_12 + 1},  # the mask is made once and added to the scores of every head
    "gpt2_gelu": {SCORES: HEADS * LAYERS_OF_12 + 1},
    "bert_base": {SCORES: HEADS * LAYERS_OF_12 + 1},
    # queries and keys are each divided by the fourth root of d before their product, not the scores by its root
    "vit_b_16": {"batch": LAYERS_OF_12 * (2 * 768 * PLACES - HEADS * PLACES**2)},
    # one mask, added to the scores of 2 x 6 heads; sines and cosines of 8 angles times a factor of 1
    "llama_small": {SCORES: 6 * 2 + 1, "sequence": 2 * 8},
    # the Attention operator adds the mask; for queries and keys of each layer the angles anew: 8 + 4 * (8 + 8)
    "llama_opset23_small": {SCORES: 6 * 2, "sequence": 8 + 4 * 16 - (8 + 16)},
}
BIASES = 2304 + 768 + 3072 + 768
"""Of a block of GPT-2: three projections, the one behind, and two dense layers."""
BACKWARD = {
    # A Gemm counts an addition for each row of its bias's gradient; the sum of r rows in an Add is r - 1.
    "resnet50_torchscript_training": {"": 1000},
    "gpt2": {"": LAYERS_OF_12 * BIASES},
    "gpt2_gelu": {"": LAYERS_OF_12 * BIASES},
    # Gemms: the projection behind attention, and the head; patches are a dense layer, not a convolution, whose bias is
    # no Add; and the products of queries and keys as above
    "vit_b_16": {"batch": LAYERS_OF_12 * (2 * 768 * PLACES - HEADS * PLACES**2), "": LAYERS_OF_12 * 768 + 1000 + 768},
    # keys and values of 2 heads are written out for 6; their gradients are summed: 64 entries each, in 2 layers
    "llama_small": {TOKENS: 2 * 2 * 64},
    "llama_opset23_small": {TOKENS: 2 * 2 * 64},
}
INT64, FLOAT = 8, 4
KEPT = {
    # bytes; a specification's running count of places and what is made of it are constants
    "gpt2": {"sequence": INT64},
    "gpt2_gelu": {"sequence": INT64},
    "bert_base": {"sequence": INT64, TOKENS: -INT64},  # the export has no segments: all of them are 0
    "vit_b_16": {"batch": LAYERS_OF_12 * 2 * 768 * PLACES * FLOAT},  # scaled copies of queries and keys
    "llama_small": {"sequence": 2 * 16 * FLOAT},  # cosines and sines, both halves of them
    "llama_opset23_small": {"sequence": 2 * 2 * (8 + 8) * FLOAT},  # of queries and keys in both layers, 8 of each
    "lstm_torchscript": {"batch": 56 * FLOAT},  # the state it starts from: zeros the exporter writes out
}


@each
def test_vector_flops(name: str) -> None:
    assert difference(name, "forward", "vector_flops") == VECTOR.get(name, {})
    assert difference(name, "training", "backward_vector_flops") == BACKWARD.get(name, {})


@each
def test_kept_activations(name: str) -> None:
    """Of a repeated block the states between its runs are each kept once."""
    assert difference(name, "memory", "activations") == KEPT.get(name, {})


@each
def test_weights_gradients_and_their_state(name: str) -> None:
    for key in ("weights", "gradients", "optimizer"):
        assert difference(name, "memory", key) == {}
    assert difference(name, "training", "optimizer_flops") == {}
