"""Specifications that are wrong, and what is said of them."""

from __future__ import annotations

HEAD = """symbols:
  d_model: 64
  n_head: 4
  batch: {kind: batch}
  seq: {kind: sequence, max: 128}
inputs:
  x: [batch, seq, d_model]
"""
IMAGE = "symbols: {batch: }\ninputs:\n  image: [batch, 3, 32, 32]\n"
BLOCK = """blocks:
  ff:
    parameters: {width: , factor: 2}
    layers: [dense: width * factor, dense: d_model]
"""


def layers(*lines: str, head: str = HEAD) -> str:
    """A specification whose layers these are, the first one in the line behind `layers:`."""
    return head + "layers:\n" + "".join(f"  - {line}\n" for line in lines)


DOUBLING = "".join(f"  b{i}: [block: b{i + 1}, block: b{i + 1}]\n" for i in range(30))
WRONG: dict[str, tuple[str | bytes, str]] = {
    # what is wrong: text, what is said, behind the name of the file
    "unknown layer": (layers("dence: 3"), ":9: layers[0]: no layer 'dence'; did you mean dense?"),
    "unknown key": (HEAD + "layer: []\n", ":8: no key 'layer'; did you mean layers?"),
    "unknown option": (
        layers("{dense: 3, unit: 4}"),
        ":9: layers[0].unit: dense has no option 'unit'; did you mean units?",
    ),
    "unknown symbol": (layers("dense: d_modell"), ":9: layers[0].dense: no symbol 'd_modell'; did you mean d_model?"),
    "unknown block": (
        layers("block: fff", head=HEAD + BLOCK),
        ":13: layers[0].block: no block 'fff'; did you mean ff?",
    ),
    "a block as a layer": (layers("ff: 3", head=HEAD + BLOCK), ":13: layers[0]: 'ff' is a block; write block: ff"),
    "unknown parameter": (
        layers("{block: ff, widht: 3}", head=HEAD + BLOCK),
        ":13: layers[0].widht: block ff has no parameter 'widht'; did you mean width?",
    ),
    "missing parameter": (layers("block: ff", head=HEAD + BLOCK), ":13: layers[0].block: block ff needs width"),
    "missing option": (layers("{embedding: 100}"), ":9: layers[0].embedding: needs output_dim: a size"),
    "missing main option": (layers("dense:"), ":9: layers[0].dense: needs units: a size or an expression of sizes"),
    "undeclared symbol": (
        "inputs: {x: [batch, 8]}\nlayers: [relu]\n",
        ":1: inputs.x[0]: no symbol 'batch'; declare it",
    ),
    "unknown name": (
        layers("{dense: 3, from: y}"),
        ":9: layers[0].from: nothing before it is called 'y'; use one of x",
    ),
    "unknown activation": (
        layers("{dense: 3, activation: relo}"),
        ":9: layers[0].activation: no activation 'relo'; did you",
    ),
    "unknown output": (layers("dense: 3") + "outputs: [b]\n", ":10: outputs[0]: no layer is called 'b'"),
    "unknown default": (layers("relu") + "default: a\nvariants: {b: }\n", ":10: default: no variant 'a'"),
    "unknown kind": (
        HEAD.replace("batch}", "bach}") + "layers: [relu]",
        ":4: symbols.batch.kind: no kind 'bach'; did you",
    ),
    "unknown type": (
        HEAD + "  y: {shape: [8], dtype: int65}\nlayers: [relu]",
        ":8: inputs.y.dtype: no type 'int65'; did you",
    ),
    "residual": (
        layers("residual: [dense: 32]"),
        ":9: layers[0].residual: axis 2: 32 must equal d_model (64), in the Add of "
        "(batch, seq, 32) and (batch, seq, d_model)",
    ),
    "sum": (layers("{dense: 32, name: a}", "add: [x, a]"), ":10: layers[1].add: axis 2: d_model (64) must equal 32"),
    "concat": (
        layers("{dense: 32, name: a}", "{concat: [x, a], axis: 1}"),
        ":10: layers[1].concat: axis 2: d_model (64) must",
    ),
    "repeat": (
        layers("dense: 8", "{repeat: 3, layers: [dense: 32]}"),
        ":10: layers[1].repeat: what is repeated turns (batch, seq, 8) into (batch, seq, 32); end with the size",
    ),
    "first of a repeat": (layers("{repeat: 3, layers: [dense: 32]}"), ":9: layers[0].repeat: what is repeated turns"),
    "in a block": (
        layers("block: b", head=HEAD + "blocks:\n  b:\n    - relu\n    - residual: [dense: 32]\n"),
        ":11: blocks.b[1].residual: axis 2: 32 must equal d_model (64)",
    ),
    "rank": (
        layers("{conv2d: 8, kernel_size: 3}"),
        ":9: layers[0].conv2d: it takes 4 axes (batch, channels and 2 more), not 3",
    ),
    "too few axes": (
        "inputs: {x: [8]}\nlayers: [batch_normalization]\n",
        ":2: layers[0].batch_normalization: needs more axes",
    ),
    "kernel": (
        layers("{conv2d: 8, kernel_size: 33}", head=IMAGE),
        ":5: layers[0].conv2d: a window of 33 does not fit into 32",
    ),
    "groups": (
        layers("{conv2d: 8, kernel_size: 1, groups: 2}", head=IMAGE),
        ":5: layers[0].conv2d: 3 is not a multiple of 2",
    ),
    "heads": (
        layers("multi_head_attention: 5"),
        ":9: layers[0].multi_head_attention: it needs d_model % 5 == 0, and d_model is 64",
    ),
    "shared weights": (
        layers("{dense: 32, name: a}", "{dense: 32, weights: a}"),
        ":10: layers[1].dense: its kernel would be (32, 32), that of a is (d_model, 32)",
    ),
    "tied to a layer without a table": (
        layers("{dense: 5, name: a}", "{unembedding: 9, tied: a}"),
        ":10: layers[1].unembedding: a has no embeddings",
    ),
    "a name twice": (
        layers("{relu: , name: a}", "{relu: , name: a}"),
        ":10: layers[1].name: 'a' is the name of another",
    ),
    "call": (
        layers("dense: \"__import__('os').system('x')\""),
        ":9: layers[0].dense: \"__import__('os').system('x')\", column",
    ),
    "unknown function": (layers("dense: f(3)"), "unknown function 'f'; known are"),
    "attribute": (layers("dense: d_model.real"), ":9: layers[0].dense: 'd_model.real', column 8: '.' is not allowed"),
    "division by zero": (layers("dense: d_model/0"), ":9: layers[0].dense: division of d_model by 0"),
    "whole division by zero": (layers("dense: d_model//(seq - seq)"), ":9: layers[0].dense: division of d_model by 0"),
    "rest of a division": (
        layers("dense: d_model/3"),
        ":9: layers[0].dense: it needs d_model % 3 == 0, and d_model is 64",
    ),
    "negative": (layers("dense: -5"), ":9: layers[0].dense: its kernel would have -5 entries along an axis"),
    "negative at its values": (
        layers("dense: d_model - 100"),
        ":9: layers[0].dense: its kernel would have -36 entries",
    ),
    "zero": (layers("dense: 0"), ":9: layers[0].dense: its kernel would have 0 entries along an axis"),
    "fraction": (layers("dense: 1.5"), ":9: layers[0].dense: 1.5 is no whole number"),
    "beyond floats": (layers("dense: 1e400"), ":9: layers[0].dense: '1e400', column 1: 1e400 is too large"),
    "beyond sizes": (
        layers("dense: 1e30"),
        ":9: layers[0].dense: no size is that large; use at most 1,125,899,906,842,624",
    ),
    "infinity": (layers("dense: .inf"), ":9: layers[0].dense: '.inf', column 1"),
    "many digits": (layers("dense: " + "9" * 500), ":9: a number of more than 400 digits"),
    "power": (layers("dense: 9**9**9"), ":9: layers[0].dense: 9 to the power 387420489"),
    "symbol of zero": (HEAD.replace("64", "0") + "layers: [relu]", ":2: symbols.d_model: 0 is no size"),
    "symbol of beyond floats": (
        HEAD.replace("64", "1e400") + "layers: [relu]",
        ":2: symbols.d_model: '1e400', column 1",
    ),
    "symbol of itself": (HEAD.replace("64", "d_model") + "layers: [relu]", ":2: symbols.d_model: follows from itself"),
    "symbol of data": (
        HEAD.replace("64", "seq") + "layers: [relu]",
        ":2: symbols.d_model: seq has no value; give d_model",
    ),
    "bound of zero": (HEAD.replace("128", "0") + "layers: [relu]", ":5: symbols.seq.max: 0 is no size"),
    "input of zero": (HEAD + "  y: [0]\nlayers: [relu]", ":8: inputs.y[0]: 0 is no size"),
    "negative input": (HEAD + "  y: [batch, -3]\nlayers: [relu]", ":8: inputs.y[1]: -3 is no size"),
    "a long chain of symbols": (
        "symbols:\n"
        + "".join(f"  s{i}: s{i + 1}\n" for i in range(3000))
        + "  s3000: 1\ninputs: {x: [8]}\nlayers: [relu]",
        "follows from more than 50 others",
    ),
    "repeated less than never": (
        layers("{repeat: -1, layers: [relu]}"),
        ":9: layers[0].repeat: it cannot be repeated -1 times",
    ),
    "written out endlessly": (
        layers("{repeat: 1e9, unroll: true, layers: [dense: d_model]}"),
        "more than 10,000 nodes; repeat",
    ),
    "nothing written out endlessly": (
        layers("{repeat: 1e9, unroll: true, layers: [activation: linear]}"),
        "more than 20,000",
    ),
    "an empty list written out endlessly": (
        layers("{repeat: 1e9, unroll: true, layers: []}"),
        "more than 20,000 layers",
    ),
    "written out as often as there are tokens": (
        layers("{repeat: seq, unroll: true, layers: [relu]}"),
        ":9: layers[0].repeat: it needs a number, and seq has none in the file",
    ),
    "a block in itself": (layers("block: a", head=HEAD + "blocks: {a: [block: a]}\n"), "does a block contain itself?"),
    "blocks in each other": (
        layers("block: a", head=HEAD + "blocks: {a: [block: b, block: b], b: [block: a, block: a]}\n"),
        "more than 40 layers inside each other",
    ),
    "doubled blocks": (
        layers("block: b0", head=HEAD + f"blocks:\n{DOUBLING}  b30: [activation: linear]\n"),
        "more than 20,000",
    ),
    "aliases": ("a: &a [1, 2]\nb: [*a, *a]\n", ":1: anchors and aliases are not read"),
    "merge keys": ("a: 1\n<<: {b: 2}\n", ":2: merge keys are not read"),
    "tags": (layers('dense: !!python/object/apply:os.system ["x"]'), ":9: tags are not read"),
    "a key twice": (layers("{dense: 3, name: a, name: b}"), ":9: layers[0].name: is given twice; keep one"),
    "an option twice": (layers("{dense: {units: 3}, units: 4}"), ":9: layers[0].dense.units: is given twice"),
    "brackets": ("a: " + "[" * 50_000, ":1: nested more than 60 levels deep"),
    "braces": ("{" * 50_000, ":1: nested more than 60 levels deep"),
    "levels": ("\n".join(" " * i + "a:" for i in range(1000)), ":61: nested more than 60 levels deep"),
    "dashes": ("- " * 50_000, ":1: nested more than 60 levels deep"),
    "no text": (b"\xff\xfe\x00\x01", ": is not UTF-8 text"),
    "nothing": (b"", ": is empty; write a specification"),
    "no layers": (HEAD, ":1: there is no 'layers'; list its layers"),
    "an empty list of layers": (HEAD + "layers: []\n", ":8: layers: there are no layers"),
    "layers that are one": (HEAD + "layers: {dense: 3}\n", ":8: layers: a list is wanted"),
    "a list": ("- a\n", ":1: a mapping is wanted"),
    "a list as a size": (layers("dense: [1, 2]"), ":9: layers[0].dense: a single value is wanted"),
    "a list as a name": (layers("{dense: 3, name: [a]}"), ":9: layers[0].name: a single value is wanted"),
    "a list as a key": (layers("{[a, b]: 3}"), ":9: layers[0]: a single value is wanted"),
    "a number of expected figures": (layers("relu") + "expect: 3\n", ":10: expect: a mapping is wanted"),
    "a layer as a branch": (layers("parallel: [dense: 3]"), ":9: layers[0].parallel[0]: a list is wanted"),
    "two documents": ("---\na: 1\n---\nb: 2\n", "expected a single document in the stream but found another document"),
    "unclosed": ("a: [1, 2", ":1: expected ',' or ']'"),
}
