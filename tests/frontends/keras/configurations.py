"""Configurations as Keras 3 writes them, by hand."""

from __future__ import annotations

from typing import Any


def layer(
    kind: str, name: str = "", *, module: str = "keras.layers", build: Any = None, **config: Any
) -> dict[str, Any]:
    """One layer as Keras 3 writes it."""
    entry: dict[str, Any] = {"module": module, "class_name": kind, "config": {"name": name or kind.lower(), **config}}
    entry |= {"registered_name": None if module.startswith("keras") else kind}
    return entry | ({"build_config": {"input_shape": build}} if build is not None else {})


def image(*shape: int | None, name: str = "x") -> dict[str, Any]:
    """An input layer."""
    return layer("InputLayer", name, batch_shape=[None, *shape], dtype="float32")


def sequential(*layers: dict[str, Any], name: str = "model") -> dict[str, Any]:
    """Layers one after the other."""
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def tensor(name: str, shape: list[int | None] | None = None, call: int = 0, output: int = 0) -> dict[str, Any]:
    """What a layer is called on."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": shape, "dtype": "float32", "keras_history": [name, call, output]},
    }


def called(entry: dict[str, Any], *calls: list[Any], **kwargs: Any) -> dict[str, Any]:
    """A layer with its calls."""
    return {
        **entry, "name": entry["config"]["name"], "inbound_nodes": [{"args": args, "kwargs": kwargs} for args in calls],
    }  # fmt: skip


def functional(inputs: list[str], outputs: list[str], *layers: dict[str, Any], name: str = "model") -> dict[str, Any]:
    """Layers joined by their calls."""
    ends = {"input_layers": [[n, 0, 0] for n in inputs], "output_layers": [[n, 0, 0] for n in outputs]}
    return {"class_name": "Functional", "config": {"name": name, "layers": list(layers), **ends}}
