"""Record which tensors autograd saves for the backward pass, by the operation that saves them.

    python tests/exports/saved.py [FILE]     (default: saved.json beside this script)

One entry per model, sizes and mode. A row is [operation, shape, dtype, tensors, storages, bytes]: how many tensors of
this shape that operation saves, in how many storages nobody saved before it (in the order of the forward pass), and
those storages' bytes. Parameters and buffers are left out. Attention is computed from its definition.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from cases import load
from counting import operations, prepared, saved_bytes, tensors_of
from make import lines
from torch_case import Case, Inputs, Sizes

MODELS: dict[str, Sizes] = {
    "resnet50": {"batch": 2},
    "vit_b_16": {"batch": 2},
    "gpt2": {"batch": 2, "seq": 64},
}


def saved_by(node: Any) -> Iterator[Tensor]:
    """The tensors one autograd node keeps."""
    for name in dir(node):
        if name.startswith("_saved_"):
            value = getattr(node, name)
            yield from (
                part for part in (value if isinstance(value, list | tuple) else [value]) if torch.is_tensor(part)
            )


def rows(model: nn.Module, inputs: Inputs) -> list[list[Any]]:
    """What the operations of one forward pass keep."""
    seen = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    own = set(seen)
    with sdpa_kernel(SDPBackend.MATH):
        outputs = list(tensors_of(model(**inputs)))
    table: dict[tuple[str, str, str], list[int]] = {}
    kept = []  # alive: addresses stay unique
    for node in operations(outputs):
        for tensor in saved_by(node):
            storage = tensor.untyped_storage()
            if storage.data_ptr() in own:
                continue
            kept.append(tensor)
            key = (type(node).__name__, "x".join(map(str, tensor.shape)), str(tensor.dtype).removeprefix("torch."))
            row = table.setdefault(key, [0, 0, 0])
            row[0] += 1
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                row[1] += 1
                row[2] += storage.nbytes()
    return [[*key, *row] for key, row in table.items()]


def breakdown(case: Case, sizes: Sizes) -> Iterator[dict[str, Any]]:
    """The rows of a model in evaluation and in training mode, checked against the bytes the hooks see."""
    module, inputs = prepared(case), case.inputs(sizes)
    for mode in ("eval", "train"):
        module.train(mode == "train")
        found = rows(module, inputs)
        total = sum(row[-1] for row in found)
        entry = {"model": case.model, "sizes": dict(sizes), "mode": mode, "bytes": total, "rows": found}
        hooked = saved_bytes(module, inputs)["total"]
        if hooked != total:
            entry["bytes_by_hooks"] = hooked
        yield entry
    module.eval()


def main() -> None:
    """Write the file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("saved.json")
    cases: Any = load()
    path.write_text(lines([entry for name, sizes in MODELS.items() for entry in breakdown(cases[name], sizes)]) + "\n")


if __name__ == "__main__":
    main()
