"""Columns to variables: names, counts, what follows from what, which rows are one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scalecalc.calibrate import tables
from scalecalc.calibrate.reading import Reading, digest, runs_of
from scalecalc.calibrate.sets import open_runs, run_sets
from scalecalc.calibrate.stated import ModelCost, Stated
from scalecalc.errors import FileError, ScalecalcError, UsageError
from scalecalc.estimate.costs import cost_of

Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def call(text: str, costs: Callable[[str], ModelCost] | None = None, **stated: Any) -> Reading:
        path = tmp_path / "x.csv"
        path.write_text(text)
        return runs_of(tables.read(path), Stated(**stated), costs)

    return call


def counts(reading: Reading) -> dict[str, str]:
    return {s: words.get("count") or words["meaning"] for s, words in reading.runs.conventions.items()}


def test_compute_follows_from_parameters_and_data(read: Read) -> None:
    found = read("n_params,tokens,val_loss\n1e6,1e9,3\n1e7,2e9,2\n")
    assert found.runs.columns["C"].tolist() == [6e15, 1.2e17]
    assert counts(found) == {"N": "total", "D": "seen", "C": "6N_total*D"}
    assert found.runs.conventions["D"]["sample"] == "token"
    assert any("--N-count" in line for line in found.assumptions)
    assert any("--D-meaning" in line for line in found.assumptions)


def test_names_of_trackers_and_columns_without_a_role(read: Read) -> None:
    found = read("Name,config.n_params,config.tokens,lr,eval/loss\na,1e6,1e9,1,3\nb,1e7,2e9,1,2\n")
    assert found.runs.columns["C"].tolist() == [6e15, 1.2e17]
    assert "not used: lr (--column)" in found.facts


def test_what_nobody_says_is_assumed_aloud(read: Read) -> None:
    text = "params,tokens,loss\n1e6,1e9,3\n1e7,2e9,2\n"
    assert [option for line in read(text).assumptions for option in ("--unit", "--task") if option in line] == [
        "--unit", "--task",
    ]  # fmt: skip
    told = read(text, unit="nat/token", task="language-modeling").assumptions
    assert not any("--unit" in line or "--task" in line for line in told)


def test_names_say_what_they_count(read: Read) -> None:
    found = read("params_non_embedding,tokens_seen,loss\n1e6,1e9,3\n1e7,2e9,2\n")
    assert counts(found) == {"N": "non_embedding", "D": "seen", "C": "6N_nonemb*D"}
    assert not any("--N-count" in line or "--D-meaning" in line for line in found.assumptions)


def test_of_two_counts_of_parameters_one_is_chosen(read: Read) -> None:
    text = "params_total,params_nonemb,tokens,loss\n3e6,1e6,1e9,3\n2e7,1e7,1e9,2\n"
    assert read(text).runs.columns["N"].tolist() == [3e6, 2e7]
    assert read(text, n_count="non_embedding").runs.columns["N"].tolist() == [1e6, 1e7]


def test_compute_does_not_follow_from_distinct_data(read: Read) -> None:
    """They may have been seen any number of times."""
    found = read("N,U,loss\n1e6,1e7,3\n2e6,1e7,2", columns={"D": "U"}, d_meaning="unique")
    assert set(found.runs.columns) == {"N", "D"}
    assert not any("6*N*D" in fact for fact in found.facts)


def test_data_follow_from_compute(read: Read) -> None:
    found = read("N,flops,loss\n1e6,6e15,3\n1e7,6e17,2\n")
    assert found.runs.columns["D"].tolist() == [1e9, 1e10]
    assert counts(found)["C"] == "6N_total*D"


def test_compute_beside_both_is_compared(read: Read) -> None:
    assert counts(read("N,D,C,loss\n1e6,1e9,6e15,3\n1e7,1e9,6.001e16,2\n"))["C"] == "6N_total*D"
    assert counts(read("N,D,C,loss\n1e6,1e9,9e15,3\n1e7,1e9,7e16,2\n"))["C"] == "exact"
    mixed = "N,D,C,loss\n1e6,1e9,6e15,3\n1e7,1e9,9e16,2\n"
    with pytest.raises(FileError, match=r"C is 6\*N\*D on line 2 but 9\*N\*D on line 3: counts are mixed"):
        read(mixed)
    assert counts(read(mixed, c_count="exact"))["C"] == "exact"


def test_a_column_of_counts_must_hold_one(read: Read) -> None:
    with pytest.raises(FileError, match="total and non_embedding: counts are mixed"):
        read("N,N_count,D,loss\n1e6,total,1e9,3\n1e7,non_embedding,1e9,2\n")


def test_models_by_name_bring_their_own_figures(read: Read) -> None:
    """GPT-2: 124,439,808 and 354,823,168 parameters; 6*(123,532,032 + 12*2*1024*768) FLOPs per token for the former.

    The second summand is attention's: per token, scores and mix of 12 layers take 2*1024*768 MACs each.
    """
    found = read("model,tokens,loss\ngpt2,1e9,3\ngpt2:medium,2e9,2.5\n", cost_of)
    assert found.runs.columns["N"].tolist() == [124_439_808, 354_823_168]
    assert found.runs.columns["C"][0] == 6 * (123_532_032 + 12 * 2 * 1024 * 768) * 1e9
    assert counts(found) == {"N": "total", "D": "seen", "C": "exact"}
    assert found.task == "language-modeling"
    other = read("model,tokens,loss\ngpt2,1e9,3\ngpt2:medium,2e9,2.5\n", cost_of, n_count="non_embedding")
    assert other.runs.columns["N"][0] == 85_056_000


def test_files_named_in_a_table_are_opened_only_if_asked(read: Read, tmp_path: Path) -> None:
    """Nor is a pipe read that a cell calls `-`."""
    network = tmp_path / "n.yaml"
    network.write_text("name: n\nsymbols: {batch: {kind: batch}}\ninputs: {x: [batch, 4]}\nlayers: [{dense: 3}]\n")
    text = f"model,tokens,loss\n{network},1e9,3\n{network},2e9,2.5\n"
    assert any("model is a label" in line for line in read(text, cost_of).assumptions)
    assert read(text, cost_of, columns={"model": "model"}).runs.columns["N"].tolist() == [15.0, 15.0]
    with pytest.raises(FileError, match="model '-'"):
        read("model,tokens,loss\n-,1e9,3\n", cost_of, columns={"model": "model"})


def test_a_model_nobody_knows(read: Read) -> None:
    text = "model,tokens,loss\nMiX/B,1e9,3\nfoo,2e9,2.5\n"
    assert "N" not in read(text, cost_of).runs.columns
    with pytest.raises(FileError, match=r"x.csv:2: model 'MiX/B'"):
        read(text, cost_of, columns={"model": "model"})


def test_checkpoints_and_seeds(read: Read) -> None:
    found = read("run,seed,N,D,loss\na,0,1e6,1e9,3\na,0,1e6,2e9,2.9\na,1,1e6,1e9,3.01\nb,0,1e7,1e9,2\n")
    assert found.runs.groups.tolist() == [0, 0, 1, 2]
    assert found.replicates == 1
    alone = read("N,D,loss\n1e6,1e9,3\n1e6,2e9,2.9\n")
    assert alone.runs.groups.tolist() == [0, 1]
    assert any("--column run" in line for line in alone.assumptions)


def test_the_same_run_twice_is_refused(read: Read) -> None:
    with pytest.raises(FileError, match="lines 2 and 4 are the same run twice"):
        read("N,D,loss\n1e6,1e9,3\n1e7,2e9,2.9\n1e6,1e9,3\n")


@pytest.mark.parametrize(
    ("text", "stated", "said"),
    [
        ("N,D,los\n1,1,1\n", {}, "is it los? write --column P=los"),
        ("N,D,loss,acc\n1,1,1,1\n", {}, "loss, acc of"),
        ("width,loss\n1,1\n", {}, "is N, D or C"),
        ("N,D,loss\n1,1,1\n", {"columns": {"N": "M"}}, "has no column 'M'"),
        ("N,D,loss\n1,1,1\n", {"columns": {"Q": "N"}}, "'Q' is nothing a column can be"),
        ("N,D,loss\n1,1,1\n", {"n_count": "all"}, "no count 'all'"),
        ("N,D,loss\n1,1,1\n", {"c_count": "exact"}, "exact C needs to know the models"),
    ],
)
def test_what_is_missing_or_unclear(read: Read, text: str, stated: dict[str, object], said: str) -> None:
    with pytest.raises(ScalecalcError) as caught:
        read(text, **stated)
    assert said in str(caught.value)


def test_accuracies_are_better_when_higher(read: Read) -> None:
    found = read("C,accuracy\n1e14,0.9\n1e15,0.95\n")
    assert (found.better, found.unit) == ("higher", "fraction")
    assert read("C,top1\n1e14,90\n1e15,95\n").unit == "percent"


def test_the_digest_is_of_the_runs_not_of_their_order(read: Read) -> None:
    one = digest(read("N,D,loss\n1e6,1e9,3\n1e7,2e9,2\n").runs)
    assert one == digest(read("N,D,loss\n1e7,2000000000,2.0\n1e6,1e9,3\n").runs)
    assert one != digest(read("N,D,loss\n1e6,1e9,3\n1e7,2e9,2.1\n").runs)


def test_shipped_runs() -> None:
    sizes = {"chinchilla": 245, "datablations": 296, "cerebras-gpt": 7}
    for name, count in sizes.items():
        reading, found = open_runs(f"@{name}")
        assert found is not None
        assert len(reading.runs) == count
        assert found.source
    assert set(run_sets()) == {*sizes, "learning-curves"}
    # 111M: 50257*768 + 2048*768 + 10*(12*768^2 + 13*768) + 2*768, as its published checkpoint counts
    assert open_runs("@cerebras-gpt")[0].runs.columns["N"][0] == 111_050_496
    with pytest.raises(UsageError, match="did you mean @chinchilla"):
        open_runs("@chinchila")
    with pytest.raises(UsageError, match="holds 45 curves; choose one: --where Domain=IC"):
        open_runs("@learning-curves")
    curve, _ = open_runs("@learning-curves", where={"Task": "bird_5", "Model": "MiX/B/16", "Training": "1"})
    assert len(curve.runs) == 71
