"""What the classes of Keras become: functions of a call, each by the names of the classes it lowers."""

from __future__ import annotations

from scalecalc.frontends.keras.call import LAYERS, OPERATIONS, Lower
from scalecalc.frontends.keras.layers import (  # noqa: F401
    activations,
    attention,
    dense,
    images,
    merging,
    norms,
    operations,
    recurrent,
    shapes,
)

PACKAGES = ("keras", "tensorflow.keras", "tf_keras", "tensorflow.python.keras")


def find(kind: str, module: object, registered: object) -> Lower | None:
    """What lowers a class; None for one of somebody else, whatever its name is.

    Args:
        kind: `class_name`.
        module, registered: where it is from and what it is registered as, where the file says so.
    """
    if isinstance(registered, str) and (">" in registered or not isinstance(module, str)):
        return None
    if isinstance(module, str) and module.split(".")[0] not in ("keras", "tensorflow", "tf_keras"):
        return None
    if isinstance(module, str) and ".ops" in module:
        return OPERATIONS.get(kind)
    return LAYERS.get(kind)
