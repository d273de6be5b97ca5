"""The JSON schema for editors: every file of the package is valid, and what the reader refuses for its form is not."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import pytest

from scalecalc.frontends import zoo
from scalecalc.frontends.document import document, plain
from scalecalc.frontends.layers import LAYERS
from scalecalc.frontends.schema import schema
from tests.frontends.wrong_specs import BLOCK, HEAD, WRONG, layers


@cache
def validator() -> Any:
    made = jsonschema.Draft202012Validator(schema())
    made.check_schema(schema())
    return made


def is_valid(text: str) -> bool:
    return bool(validator().is_valid(plain(document(text, "m.yaml"))))


@pytest.mark.parametrize("path", zoo.paths(), ids=[path.stem for path in zoo.paths()])
def test_files_of_the_package(path: Any) -> None:
    errors = [error.message for error in validator().iter_errors(plain(document(path.read_text(), path.name)))]
    assert not errors


FORMS = [
    "relu", "{relu: }", "dense: 3", "{dense: 4*d_model, activation: relu, name: a}",
    "dense: {units: 3, use_bias: false}",
    "add: [x, x]", "{add: , from: [x, x]}", "{repeat: n_head, layers: [relu, {dense: 8}], unroll: true}",
    "residual: [layer_normalization, {multi_head_attention: n_head, causal: true}]", "{block: ff, width: 2*d_model}",
    "{parallel: [[relu], [gelu]], merge: add}", "{dense: 3, trainable: false}", "{gated_dense: 8, activation: gelu}",
    "{residual: [dense: 8], shortcut: [dense: 8]}", "{residual: [relu], shortcut: }", "{dropout: 0.1}",
]  # fmt: skip


@pytest.mark.parametrize("line", FORMS)
def test_forms_of_a_layer(line: str) -> None:
    assert is_valid(layers(line, head=HEAD + BLOCK))


OF_FORM = [
    "unknown layer", "unknown key", "unknown option", "a block as a layer", "missing option", "missing main option",
    "unknown activation", "unknown kind", "unknown type", "no layers", "layers that are one", "a list",
    "a list as a size",
    "a list as a name", "a number of expected figures", "a layer as a branch", "an empty list of layers",
]  # fmt: skip


@pytest.mark.parametrize("what", OF_FORM)
def test_wrong_forms(what: str) -> None:
    text, _ = WRONG[what]
    assert isinstance(text, str)
    assert not is_valid(text)


def test_every_layer_says_what_it_is() -> None:
    found = schema()["$defs"]
    for name, layer in LAYERS.items():
        assert found[f"layer_{name}"]["description"]
        assert {*layer.options, name} <= found[f"layer_{name}"]["properties"].keys()
    heads = found["layer_multi_head_attention"]["properties"]["kv_heads"]
    assert heads["description"] == "of keys and values; as many as queries unless given."
