"""The training compute GPT-3's paper prints for 17 language models, beside what their specifications cost exactly.

    python benchmarks/published/gpt3_table_d1.py

The table multiplies parameters, tokens and 6 FLOPs (3 for T5, whose tokens pass through one half of it). The exact cost
has the products of attention beside, and not what is only added or looked up; BERT's is the encoder's, without the
head that predicts masked tokens.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scalecalc import profile

TABLE = Path(__file__).with_suffix(".csv")
LENGTHS = {
    # sequences as trained: BERT's and RoBERTa's longest; T5's inputs, and its targets of 15 % dropped spans
    "gpt3": {"seq": 2048},
    "bert": {"seq": 512},
    "t5": {"source": 512, "target": 114},
}


class Row(NamedTuple):
    """A line of the table with our figures.

    Attributes:
        model, spec: its name there, and here.
        published: FLOPs the table prints.
        arithmetic: parameters x tokens x FLOPs per parameter and token, all as printed.
        params: of the specification.
        exact: training matrix FLOPs of the specification for the printed number of tokens (T5: of inputs).
    """

    model: str
    spec: str
    published: float
    arithmetic: float
    params: int
    exact: float


def rows() -> Iterator[Row]:
    """All 17 lines."""
    with TABLE.open() as file:
        for line in csv.DictReader(text for text in file if not text.startswith("#")):
            params, tokens = 1e6 * float(line["params_million"]), 1e9 * float(line["tokens_billion"])
            arithmetic = params * tokens * float(line["flops_per_param_per_token"])
            own, per_token = _costs(line["spec"])
            yield Row(line["model"], line["spec"], float(line["train_flops"]), arithmetic, own, per_token * tokens)


def _costs(spec: str) -> tuple[int, float]:
    """Parameters, and training matrix FLOPs for each token of the first input."""
    lengths = LENGTHS[spec.partition(":")[0]]
    found = profile(spec)
    hints = {name: symbol.hint for name, symbol in found.symbols.items() if symbol.hint is not None}
    sizes = {**hints, **lengths, "batch": 1}
    params, flops = found.params["trainable"].value(sizes), found.training["matrix_flops"].value(sizes)
    assert params is not None
    assert flops is not None
    return params, flops / next(iter(lengths.values()))


def main() -> None:
    """Print the table."""
    heads = ("model", "published", "its arithmetic", "parameters", "exact", "exact/published")
    print("{:14} {:>10} {:>15} {:>16} {:>10} {:>16}".format(*heads))
    for row in rows():
        off = f"{row.arithmetic / row.published - 1:+.2%}"
        ratio = f"{row.exact / row.published:.3f}"
        print(f"{row.model:14} {row.published:10.2e} {off:>15} {row.params:16,} {row.exact:10.2e} {ratio:>16}")


if __name__ == "__main__":
    main()
