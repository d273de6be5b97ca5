"""The specification language as a JSON schema, made from its layers: editors complete and check files with it."""

from __future__ import annotations

import inspect
import re
from typing import Any

from scalecalc.frontends.declared import KINDS as SYMBOL_KINDS
from scalecalc.frontends.layers import CHOICES, COMMON, KINDS, LAYERS, Layer, Option
from scalecalc.frontends.spec import DOMAINS, DTYPES, KEYS, VARIANT_KEYS

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAME = {"type": "string", "pattern": r"^[^\W\d]\w*$"}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
SIZE = {"$ref": "#/$defs/size"}
LAYER_LIST = {"$ref": "#/$defs/layers"}
NULL = {"type": "null"}

OF_KIND: dict[str, Schema] = {
    "Dim": SIZE,
    "Dims": {"anyOf": [SIZE, {"type": "array", "items": SIZE}]},
    "int": SIZE,
    "Ints": {"anyOf": [SIZE, {"type": "array", "items": SIZE}]},
    "Padding": {"anyOf": [{"enum": ["same", "valid"]}, SIZE, {"type": "array", "items": SIZE}]},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "str": TEXT,
    "Section": LAYER_LIST,
    "Branches": {"type": "array", "items": LAYER_LIST},
    "Value": TEXT,
    "Values": {"anyOf": [TEXT, TEXTS]},
    "Arguments": TEXT,
}
"""How a file writes each kind of option."""

SYMBOL = {
    "anyOf": [
        SIZE,
        NULL,
        {
            "type": "object",
            "properties": {"kind": {"enum": list(SYMBOL_KINDS)}, "value": SIZE, "max": SIZE},
            "additionalProperties": False,
        },
    ]
}
SHAPE = {"type": "array", "items": SIZE}
INPUT = {
    "anyOf": [
        SHAPE,
        {
            "type": "object",
            "properties": {"shape": SHAPE, "dtype": {"enum": list(DTYPES)}},
            "required": ["shape"],
            "additionalProperties": False,
        },
    ]
}
PARAMETERS = {"type": "object", "propertyNames": NAME, "additionalProperties": {"anyOf": [SIZE, NULL]}}
BLOCK = {
    "anyOf": [
        LAYER_LIST,
        {
            "type": "object",
            "properties": {"parameters": PARAMETERS, "layers": LAYER_LIST},
            "required": ["layers"],
            "additionalProperties": False,
        },
    ]
}
SYMBOLS = {"type": "object", "propertyNames": NAME, "additionalProperties": SYMBOL}
PARTS: dict[str, tuple[str, Schema]] = {
    # key of a file: what it is
    "name": ("what to call the model", TEXT),
    "title": ("its name for people", TEXT),
    "domain": (f"what it is for: {', '.join(DOMAINS)}", TEXT),
    "task": ("what it is trained to do, such as image-classification or language-modeling", TEXT),
    "source": ("where it is published", TEXT),
    "notes": ("how it differs from its source", {"anyOf": [TEXT, TEXTS]}),
    "symbols": ("named sizes: a number, an expression of others, or nothing for one of the data", SYMBOLS),
    "inputs": ("shapes by name", {"type": "object", "minProperties": 1, "additionalProperties": INPUT}),
    "blocks": ("layers defined once and used by name", {"type": "object", "additionalProperties": BLOCK}),
    "layers": ("what the model consists of, from its input on", {**LAYER_LIST, "minItems": 1}),
    "outputs": ("names of the values it gives; the last one unless given", {"anyOf": [TEXT, TEXTS]}),
    "variants": ("the same model with other sizes, by name", {"type": "object", "additionalProperties": {}}),
    "default": ("the variant that is the file as it stands", {"type": ["string", "integer"]}),
    "aliases": ("other names", TEXTS),
    "expect": ("published totals, such as params and macs", {"type": "object"}),
}


def schema() -> Schema:
    """The JSON schema (draft 2020-12) of specification files.

    It says how a file is written; whether its shapes and symbols fit each other only reading it tells.
    """
    parts = {key: {"description": PARTS[key][0], **PARTS[key][1]} for key in KEYS}
    variant = {"type": "object", "properties": {key: parts[key] for key in VARIANT_KEYS}, "additionalProperties": False}
    parts["variants"]["additionalProperties"] = {"anyOf": [NULL, variant]}
    alone = [name for name, found in LAYERS.items() if not any(option.required for option in found.options.values())]
    layers = [{"$ref": f"#/$defs/layer_{name}"} for name in LAYERS]
    return {
        "$schema": DRAFT,
        "title": "A model for scalecalc",
        "type": "object",
        "properties": parts,
        "required": ["inputs", "layers"],
        "additionalProperties": False,
        "$defs": {
            "size": {"description": KINDS["Dim"], "type": ["integer", "number", "string"]},
            "layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}},
            "layer": {"anyOf": [{"enum": alone}, *layers]},
            **{f"layer_{name}": _layer(found) for name, found in LAYERS.items()},
        },
    }


def _layer(layer: Layer) -> Schema:
    """One layer with its options; a block's other keys are its parameters."""
    explained = _explained(layer)
    options = {name: _option(option, explained.get(option.name, "")) for name, option in layer.options.items()}
    common = {name: {"description": text, **_common(name)} for name, text in COMMON.items()}
    main = next((name for name, option in layer.options.items() if option.name == layer.main), "")
    is_block = any(option.kind == "Arguments" for option in layer.options.values())
    required = [name for name, option in layer.options.items() if option.required]
    inner = {"type": "object", "properties": {**common, **options}, "additionalProperties": False}
    value = [options[main] if main else {}, *([] if is_block else [NULL, inner])]
    if not main:
        value = [NULL, inner, *([OF_KIND["Values"]] if layer.takes is None else [])]
    elif main in required:
        value.remove(NULL)
    found: Schema = {
        "description": layer.summary,
        "type": "object",
        "properties": {**common, **options, layer.name: {"description": layer.summary, "anyOf": value}},
        "required": [layer.name],
        "additionalProperties": {"anyOf": [SIZE, NULL]} if is_block else False,
    }
    if others := [name for name in required if name != main]:
        found["anyOf"] = [{"required": others}, {"properties": {layer.name: {"type": "object", "required": others}}}]
    return found


def _option(option: Option, explained: str) -> Schema:
    kind = {"enum": list(CHOICES[option.kind])} if option.kind in CHOICES else OF_KIND[option.kind]
    what = explained or KINDS.get(option.kind) or f"one of {', '.join(CHOICES[option.kind])}"
    found: Schema = {"description": what, **({"anyOf": [kind, NULL]} if option.optional else kind)}
    if isinstance(option.default, bool | int | float | str):
        found["default"] = option.default
    elif isinstance(option.default, tuple):
        found["default"] = list(option.default) if len(option.default) > 1 else option.default[0]
    return found


def _common(name: str) -> Schema:
    return {"name": NAME, "from": OF_KIND["Values"], "weights": TEXT, "trainable": OF_KIND["bool"]}[name]


def _explained(layer: Layer) -> dict[str, str]:
    """What a layer's docstring says of its options under `Args:`."""
    _, _, listed = inspect.cleandoc(layer.make.__doc__ or "").partition("\nArgs:\n")
    found: dict[str, str] = {}
    for names, text in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {5,}.*)*)", listed, re.MULTILINE):
        found.update(dict.fromkeys(names.split(", "), " ".join(text.split())))
    return found
