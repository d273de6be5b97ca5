"""Export the seed article's model from Keras: 34,826 parameters, 28x28 grey images, ten classes.

    python -m benchmarks.keras_runs.export_seed_cnn [models/vision/seed_cnn.onnx]

Needs the extra `keras`. The model is fitted for one step first: exporters drop the zero biases of an untrained model.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.keras_runs.models import cnn

DEFAULT = Path(__file__).resolve().parents[2] / "models" / "vision" / "seed_cnn.onnx"


def seed_cnn() -> Any:
    """The article's network after one training step on noise."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    model = cnn()
    model.compile("adam", "sparse_categorical_crossentropy")
    noise = np.random.default_rng(0)
    model.fit(noise.random((64, 28, 28, 1)), noise.integers(0, 10, 64), batch_size=64, verbose=0)
    return model


def export(path: Path) -> None:
    """Write the model as ONNX without documentation strings or metadata."""
    import onnx

    model = seed_cnn()
    assert model.count_params() == 34_826
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "seed_cnn.onnx"
        model.export(raw, format="onnx", verbose=False)
        proto = onnx.load(raw)
    proto.doc_string = proto.graph.doc_string = ""
    del proto.metadata_props[:]
    for node in proto.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(proto, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, path)


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    export(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
