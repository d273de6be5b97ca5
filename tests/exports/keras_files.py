"""Write the Keras files of tests/frontends/keras, and what Keras and TensorFlow count in them.

    python tests/exports/keras_files.py [NAME ...]

Needs the extra `keras`. Every model is built from its configuration, nothing is downloaded; the archives hold
`config.json` and `metadata.json` and no weights. `truth.json` has, for each, `model.count_params()`, how many of these
are trained, and half the FLOPs TensorFlow's profiler finds in convolutions and matrix products of one example (null
where it is blind: it has no count for Einsum, and does not look into loops and grouped convolutions).
"""

from __future__ import annotations

import json
import math
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from keras_models import MODELS

HERE = Path(__file__).parents[1] / "frontends/keras"
PRODUCTS = ("Conv2D", "Conv2DBackpropInput", "Conv3D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2")
BLIND = ("Einsum", "XlaEinsum", "While", "StatelessWhile", "Enter", "PartitionedCall", "StatefulPartitionedCall")
STEPS = 64
"""Size of open axes other than the batch, for counting."""


def write(model: keras.Model, path: Path) -> None:
    """An archive as Keras writes it, without its weights."""
    whole = path.with_name("whole.keras")
    model.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in ("metadata.json", "config.json"):
            new.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED, 9)
    whole.unlink()


def counts(model: keras.Model) -> dict[str, Any]:
    """What Keras counts."""
    return {
        "total": model.count_params(),
        "trainable": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "macs": macs(model),
    }


def macs(model: keras.Model) -> int | None:
    """Half the FLOPs of convolutions and matrix products of one example, by TensorFlow's profiler."""
    specs = [
        tf.TensorSpec([dim or (1 if axis == 0 else STEPS) for axis, dim in enumerate(x.shape)], x.dtype)
        for x in model.inputs
    ]
    function = tf.function(lambda *xs: model(list(xs) if len(xs) > 1 else xs[0], training=False))
    graph = convert_variables_to_constants_v2(function.get_concrete_function(*specs)).graph
    if any(node.type in BLIND for node in graph.get_operations()):
        return None
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    found = tf.compat.v1.profiler.profile(graph, tf.compat.v1.RunMetadata(), cmd="op", options=options)
    flops, rest = 0, list(found.children)
    while rest:
        row = rest.pop()
        rest += row.children
        flops += row.float_ops if row.name in PRODUCTS else 0
    return flops // 2


def main() -> None:
    """Write the files asked for, or all."""
    truth_file = HERE / "truth.json"
    truth = json.loads(truth_file.read_text()) if truth_file.exists() else {}
    for name, make in MODELS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        model = make()
        write(model, HERE / "files" / f"{name}.keras")
        truth[name] = counts(model)
        print(name, truth[name])
        truth_file.write_text(json.dumps({name: truth[name] for name in MODELS if name in truth}, indent=1) + "\n")


if __name__ == "__main__":
    main()
