"""The callback's rows: without Keras on a model of its make, with Keras behind the marker."""

import csv
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scalecalc.errors import UsageError
from scalecalc.keras import FIELDS, RunLogger

# the article's network, per example: convolutions of 26*26*32*9 and 11*11*64*288, a dense layer of 1600*10
FIRST, OTHERS = 194_688, 2_230_272 + 16_000
STEP = 2 * (2 * (FIRST + OTHERS) + OTHERS)  # forward, gradients of weights, gradients of what is no input


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


def network(*layers: dict[str, Any]) -> str:
    config = {"name": "net", "layers": list(layers)}
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None})


ARTICLE = network(
    layer("InputLayer", batch_shape=[None, 28, 28, 1], dtype="float32", name="input"),
    layer("Conv2D", name="c1", filters=32, kernel_size=[3, 3], activation="relu"),
    layer("MaxPooling2D", name="p1", pool_size=[2, 2]),
    layer("Conv2D", name="c2", filters=64, kernel_size=[3, 3], activation="relu"),
    layer("MaxPooling2D", name="p2", pool_size=[2, 2]),
    layer("Flatten", name="f"),
    layer("Dense", name="d", units=10, activation="softmax"),
)
UNKNOWN = network(
    layer("InputLayer", batch_shape=[None, 8], dtype="float32", name="input"),
    {"module": "mine", "class_name": "Mine", "config": {"name": "mine"}, "registered_name": "mine>Mine"},
)


def model(text: str = ARTICLE) -> Any:
    weights = [SimpleNamespace(shape=(8, 4)), SimpleNamespace(shape=(4,))]
    return SimpleNamespace(name="net", to_json=lambda: text, trainable_weights=weights)


def train(logger: RunLogger, net: Any, steps: int, logs: list[dict[str, float]], finished: bool = True) -> None:
    """What Keras calls in the course of a fit."""
    logger.set_params({"epochs": len(logs), "steps": steps, "verbose": 0})
    logger.set_model(net)
    logger.on_train_begin()
    for epoch, log in enumerate(logs):
        logger.on_epoch_begin(epoch)
        for batch in range(steps):
            logger.on_train_batch_begin(batch)
            logger.on_train_batch_end(batch, {"loss": 1.0})
        logger.on_epoch_end(epoch, log)
    if finished:
        logger.on_train_end(logs[-1])


LOGS = [
    {"loss": 2.0, "accuracy": 0.25, "val_loss": 1.5, "val_accuracy": 0.5},
    {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.75, "val_accuracy": 0.625},
]


def test_a_row(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    train(RunLogger(path, samples=100, batch_size=32, seed=7, name="first"), model(), 4, LOGS)
    row = json.loads(path.read_text())
    assert list(row)[: len(FIELDS)] == list(FIELDS)
    counted = {name: row[name] for name in ("N_total", "N_non_embedding", "N_linear", "N_active")}
    # 32*9 + 32, 64*288 + 64, 1600*10 + 10; without the biases
    assert counted == {"N_total": 34_826, "N_non_embedding": 34_826, "N_linear": 34_720, "N_active": 34_826}
    assert (row["C"], row["C_count"], row["note"]) == (200 * STEP, "exact", "")
    assert (row["D"], row["U"], row["sample"], row["batch_size"]) == (200, 100, "example", 32)
    assert (row["steps"], row["epochs"], row["best_epoch"], row["best_loss"]) == (8, 2, 1, 1.5)
    assert (row["loss"], row["loss_of"], row["train_loss"], row["generalisation_gap"]) == (1.75, "validation", 1, 0.75)
    assert (row["train_accuracy"], row["validation_accuracy"]) == (0.5, 0.625)
    assert (row["run"], row["model"], row["seed"]) == ("first", "net", 7)
    assert 0 <= row["seconds"] < 60
    assert row["versions"].startswith("scalecalc ")


def test_columns_of_one_s_own(tmp_path: Path) -> None:
    """They are read when the row is written."""
    path, columns = tmp_path / "runs.csv", {"rate": 0.1, "width": 8}
    logger = RunLogger(path, columns=columns)
    logger.on_train_begin()
    columns["best_test_loss"] = 1.25
    train(logger, model(), 1, [{"loss": 1.0}])
    with path.open() as file:
        row = next(csv.DictReader(file))
    assert (row["rate"], row["width"], row["best_test_loss"]) == ("0.1", "8", "1.25")


def test_data_without_an_end_and_without_validation(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    train(RunLogger(path, batch_size=10), model(), 4, [{"loss": 2.0}, {"loss": 1.0}])
    row = json.loads(path.read_text())
    assert (row["D"], row["U"], row["C"]) == (80, None, 80 * STEP)
    assert (row["loss"], row["loss_of"], row["best_epoch"], row["generalisation_gap"]) == (1.0, "training", 2, None)


def test_fewer_steps_than_the_data_have(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    train(RunLogger(path, samples=1000, batch_size=10), model(), 4, [{"loss": 2.0}])
    row = json.loads(path.read_text())
    assert (row["D"], row["U"]) == (40, 1000)
    assert row["note"] == "an epoch of 4 steps of 10 is no pass over 1000 examples: D counts steps"


def test_several_steps_per_execution(tmp_path: Path) -> None:
    """Keras then ends its batches at multiples of them: 16 of the 10 steps an epoch has."""
    path, net = tmp_path / "runs.jsonl", model()
    logger = RunLogger(path, samples=320, batch_size=32)
    logger.set_params({"epochs": 2, "steps": 10})
    logger.set_model(net)
    logger.on_train_begin()
    for epoch in range(2):
        for last in (7, 15):
            logger.on_train_batch_end(last)
        logger.on_epoch_end(epoch, {"loss": 1.0})
    logger.on_train_end()
    row = json.loads(path.read_text())
    assert (row["steps"], row["D"], row["C"]) == (20, 640, 640 * STEP)
    net.optimizer = SimpleNamespace(iterations=100)
    logger.set_params({"epochs": 1, "steps": None})  # a data set of unknown size
    logger.on_train_begin()
    logger.on_train_batch_end(15)
    net.optimizer.iterations = 109
    logger.on_epoch_end(0, {"loss": 1.0})
    logger.on_train_end()
    row = json.loads(path.read_text().splitlines()[1])
    assert (row["steps"], row["D"]) == (9, 288)


def test_six_n_d_where_a_layer_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    train(RunLogger(path, samples=64), model(UNKNOWN), 2, [{"loss": 1.0}])
    row = json.loads(path.read_text())
    assert row["C_count"] == "6N_total*D"
    assert row["C"] == 6 * row["N_total"] * 64
    assert row["note"].startswith("C is 6*N*D: ")
    assert "Mine" in row["note"]


def test_a_model_without_configuration(tmp_path: Path) -> None:
    """As subclassed models: their weights are still counted, 8*4 + 4."""
    path = tmp_path / "runs.csv"
    net = model()

    def to_json() -> str:
        raise NotImplementedError("no get_config")

    net.to_json = to_json
    train(RunLogger(path, samples=64), net, 2, [{"loss": 1.0}])
    with path.open() as file:
        row = next(csv.DictReader(file))
    assert (row["N_total"], row["N_linear"], row["C"]) == ("36", "", str(6 * 36 * 64))
    assert row["note"] == "C is 6*N*D: NotImplementedError: no get_config"


def test_two_fits_are_two_rows_and_an_interrupted_one_none(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    logger = RunLogger(path, samples=100)
    train(logger, model(), 4, LOGS)
    train(logger, model(), 4, LOGS, finished=False)
    train(logger, model(), 4, LOGS[:1])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epochs"], row["D"]) for row in rows] == [("2", "200"), ("1", "100")]
    assert rows[0]["run"] != rows[1]["run"]


def test_test_data_and_columns_of_the_caller(tmp_path: Path) -> None:
    """The trained model's own evaluation is the loss; validation keeps its columns."""
    path, net, asked = tmp_path / "runs.jsonl", model(), []

    def evaluate(*data: object, **options: object) -> dict[str, float]:
        asked.append((data, options))
        return {"loss": 1.25, "accuracy": 0.75}

    net.evaluate = evaluate
    logger = RunLogger(path, samples=100, test_data=("x", "y"), columns={"width": 8, "learning_rate": 0.003})
    train(logger, net, 4, LOGS)
    row = json.loads(path.read_text())
    assert asked == [(("x", "y"), {"verbose": 0, "return_dict": True, "batch_size": 32})]
    assert (row["loss"], row["loss_of"], row["train_loss"], row["generalisation_gap"]) == (1.25, "test", 1.0, 0.25)
    assert (row["validation_loss"], row["best_loss"], row["best_epoch"]) == (1.75, 1.5, 1)
    assert (row["train_accuracy"], row["validation_accuracy"], row["test_accuracy"]) == (0.5, 0.625, 0.75)
    assert list(row)[-2:] == ["width", "learning_rate"]


def test_a_run_whose_evaluation_fails_keeps_its_row(tmp_path: Path) -> None:
    path, net = tmp_path / "runs.csv", model()

    def evaluate(*data: object, **options: object) -> dict[str, float]:
        raise ValueError("x has 3 rows, y 4")

    net.evaluate = evaluate
    train(RunLogger(path, samples=100, test_data=("x", "y")), net, 4, LOGS)
    with path.open() as file:
        row = next(csv.DictReader(file))
    assert (row["loss"], row["loss_of"], row["test_accuracy"], row["train_loss"]) == ("", "test", "", "1.0")
    assert row["note"] == "no test results: ValueError: x has 3 rows, y 4"


def test_losses_that_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    train(RunLogger(path, samples=64), model(), 2, [{"loss": float("nan")}, {"loss": 1.0}, {"loss": float("nan")}])
    row = json.loads(path.read_text())
    assert (row["loss"], row["best_epoch"], row["best_loss"]) == (None, 2, 1.0)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch_size is 0"):
        RunLogger(tmp_path / "runs.csv", batch_size=0)
    with pytest.raises(UsageError, match="a row has its own seed; give it as seed="):
        RunLogger(tmp_path / "runs.csv", columns={"seed": 3})
    with pytest.raises(UsageError, match=r"use \.csv or \.jsonl"):
        RunLogger(tmp_path / "runs.xlsx")


@pytest.mark.exports
@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs the extra keras")
def test_with_keras(tmp_path: Path) -> None:
    import keras
    import numpy as np

    keras.utils.set_random_seed(3)
    layers, path = keras.layers, tmp_path / "runs.csv"
    net = keras.Sequential(
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )  # built by its first batch
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    noise = np.random.default_rng(0)
    x, y = noise.random((100, 28, 28, 1)), noise.integers(0, 10, 100)
    options = {"batch_size": 32, "validation_data": (x[:20], y[:20]), "verbose": 0}
    history = net.fit(x, y, epochs=2, callbacks=[RunLogger(path, samples=100)], **options).history
    net.fit(x, y, epochs=3, callbacks=[RunLogger(path, samples=100)], **options)
    with path.open() as file:
        first, second = csv.DictReader(file)
    assert (first["N_total"], first["N_linear"]) == (str(net.count_params()), "34720")
    assert (first["C"], first["C_count"], first["D"], first["U"]) == (str(200 * STEP), "exact", "200", "100")
    assert (first["steps"], first["epochs"], first["seed"]) == ("8", "2", "3")
    assert float(first["loss"]) == history["val_loss"][-1]
    assert float(first["validation_accuracy"]) == history["val_accuracy"][-1]
    assert float(first["generalisation_gap"]) == history["val_loss"][-1] - history["loss"][-1]
    assert f"keras {keras.__version__}" in first["versions"]
    assert second["D"] == "300"
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=3)
    logger = RunLogger(tmp_path / "tested.jsonl", samples=100, test_data=(x[:20], y[:20]), columns={"width": 1})
    net.fit(x, y, epochs=2, callbacks=[logger], **options)
    third = json.loads((tmp_path / "tested.jsonl").read_text())
    assert (third["steps"], third["D"], third["C"]) == (8, 200, 200 * STEP)
    assert (third["loss_of"], third["width"]) == ("test", 1)
    assert third["loss"] == pytest.approx(third["validation_loss"], rel=1e-5)  # the same 20 examples
    assert third["test_accuracy"] == third["validation_accuracy"]
