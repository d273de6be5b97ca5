"""Kept activations of real exports against what autograd saves (saved_tensors_hooks), every difference explained.

`truth.json` holds the sums, `saved.json` the saved tensors by the operation that saves them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.walk.exports import COUNTS, ROOT, TRUTH, profile

pytestmark = pytest.mark.exports

SAVED: list[dict[str, Any]] = json.loads((ROOT / "tests/exports/saved.json").read_text())


def kept(name: str, sizes: dict[str, int]) -> int:
    value = profile(name).memory["activations"].value(sizes)
    assert value is not None
    return value


def saved(model: str, mode: str) -> dict[str, Any]:
    (entry,) = (entry for entry in SAVED if entry["model"] == model and entry["mode"] == mode)
    return entry


def by(entry: dict[str, Any], *operations: str, dtype: str = "float32") -> int:
    """Bytes of what these operations save first."""
    return sum(row[5] for row in entry["rows"] if row[0] in operations and row[2] == dtype)


EQUAL = [
    "vgg16", "vgg19", "alexnet", "squeezenet1_1", "vit_b_16", "bert_base", "bert_base_torchscript",
    "bert_pooler_small", "distilbert_small", "roberta_small", "bart_small",
]  # fmt: skip


@pytest.mark.parametrize(("name", "index"), [(n, i) for n, i in COUNTS if n in EQUAL])
def test_equal_to_the_last_byte(name: str, index: int) -> None:
    """Dropout's masks, which training adds, are in no export."""
    row = TRUTH[name]["counts"][index]
    assert kept(name, row["sizes"]) == row["saved_bytes_eval"]["total"]


@pytest.mark.parametrize("index", range(3))
def test_resnet50_in_training(index: int) -> None:
    """The export that keeps BatchNorm: its input, and of every channel a mean and a deviation."""
    name = "resnet50_torchscript_training"
    row = TRUTH[name]["counts"][index]
    assert kept(name, row["sizes"]) == row["saved_bytes_train"]["total"]
    assert (
        kept(name, row["sizes"]) == row["saved_bytes_eval"]["total"] + 2 * 4 * TRUTH[name]["batch_norm_channels"]["all"]
    )


def test_resnet50_with_folded_norms() -> None:
    """Folding hides the norms, so that their inputs are missing, the convolutions' outputs; nothing else is.

    Of the four norms in front of an addition without a Relu between, two share nothing: PyTorch saves the same bytes.
    """
    entry = saved("resnet50", "eval")
    norms = by(entry, "NativeBatchNormBackward0")
    assert entry["bytes"] - norms == kept("resnet50", {"batch": 2})
    assert any("keeps more activations" in note for note in profile("resnet50").notes)


def test_vit() -> None:
    """Queries, keys and values share one storage in PyTorch, and so they do here: rows picked of one product."""
    entry = saved("vit_b_16", "eval")
    assert kept("vit_b_16", {"batch": 2}) == entry["bytes"]
    assert saved("vit_b_16", "train")["bytes"] == entry["bytes"]


def test_gpt2() -> None:
    """Equal but for Gelu: transformers writes its tanh form out, and autograd saves each piece of it.

    The layer needs its input alone, which is what PyTorch's own Gelu saves. The pieces are the tanh and the operands of
    two products, each of 12 layers of 3072 for every token; and 48 scalars of 8 bytes are no activations.
    """
    entry = saved("gpt2", "eval")
    sizes = entry["sizes"]
    tokens = sizes["batch"] * sizes["seq"]
    pieces = by(entry, "TanhBackward0") + sum(
        row[5] for row in entry["rows"] if row[0] == "MulBackward0" and row[1].endswith("3072")
    )
    assert pieces == 3 * 12 * tokens * 3072 * 4
    scalars = by(entry, "MulBackward0", dtype="float64")
    assert scalars == 48 * 8
    assert kept("gpt2", sizes) == entry["bytes"] - pieces - scalars


@pytest.mark.parametrize("index", range(3))
def test_gpt2_with_gelu_as_one_operation(index: int) -> None:
    """The same model with PyTorch's own Gelu saves exactly what is kept here."""
    row = TRUTH["gpt2_gelu"]["counts"][index]
    assert kept("gpt2_gelu", row["sizes"]) == row["saved_bytes_eval"]["total"] == kept("gpt2", row["sizes"])
