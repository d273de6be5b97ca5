"""One run: a model, its data, one call of `fit`, and the row that `RunLogger` writes of it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.keras_runs.data import CONTEXT, Data, Part, load, together
from benchmarks.keras_runs.grid import Run
from benchmarks.keras_runs.models import build

TESTED = 256
"""Examples of a batch that is not trained on."""


def train(run: Run, rate: float, folder: Path, rows: Path) -> Any:
    """Train and append the row; the trained model.

    Args:
        run: which.
        rate: its highest learning rate.
        folder: with the plain files of its domain.
        rows: the file.

    Raises:
        FileError: the data cannot be read or the row cannot be written.
    """
    begun = time.process_time()
    keras = _single_threaded()
    from scalecalc.keras import RunLogger

    keras.utils.set_random_seed(run.seed)
    data = load(run.domain, folder)
    if run.grid == "c":  # the article trains on all of them and looks at the test images
        data = Data(together(data.train, data.validation), data.test, data.test)
    model = build(run.domain, run.width, run.depth)
    model.compile(
        optimizer(run, rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=run.domain == "text"),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=run.execution,
    )
    model.optimizer.build(model.trainable_variables)  # else TensorFlow traces the first step twice
    columns: dict[str, object] = {
        "domain": run.domain, "grid": run.grid, "split": run.split, "width": run.width, "depth": run.depth,
        "rate": rate, "passes": run.steps * run.batch / run.unique, "processor": processor(),
    }  # fmt: skip
    taken = min(run.unique, len(data.train))
    logger = RunLogger(rows, taken, run.batch, run.seed, name=run.name, columns=columns)
    model.fit(
        batches(run.domain, data.train, order(run, len(data.train)), run.batch),
        epochs=run.rounds,
        steps_per_epoch=run.steps // run.rounds,
        validation_data=whole(run.domain, data.validation),
        callbacks=[*callbacks(columns, whole(run.domain, data.test), run.execution, begun), logger],
        shuffle=False,
        verbose=0,
    )
    return model


def _single_threaded() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow has started in this process, as a worker of a cluster: it was set then
        pass
    keras.backend.clear_session()
    return keras


def optimizer(run: Run, rate: float) -> Any:
    """Adam; its rate rises in a part of the steps and falls as a cosine, or is constant."""
    import keras

    if run.constant:
        return keras.optimizers.Adam(rate)
    rising = round(run.warm_up * run.steps)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, run.steps - rising, warmup_target=rate, warmup_steps=rising)
    if run.domain == "text":
        return keras.optimizers.Adam(schedule, beta_2=0.98, global_clipnorm=1.0)
    return keras.optimizers.Adam(schedule)


# --- examples in order


def order(run: Run, available: int) -> Any:
    """Which example comes when, (steps * batch,): those the run takes, shuffled anew for each pass."""
    random = np.random.default_rng((run.seed, run.unique, run.steps))
    taken = random.permutation(available)[: run.unique]
    count = run.steps * run.batch
    passes = [taken] + [random.permutation(taken) for _ in range(-(-count // len(taken)) - 1)]
    return np.concatenate(passes)[:count]


def batches(domain: str, part: Part, places: Any, batch: int) -> Any:
    """A dataset of batches of a part's examples at those places; the last batch may be smaller."""
    import tensorflow as tf

    x, y = tf.constant(part.x), tf.constant(part.y)

    def example(chosen: Any) -> Any:
        return inputs(domain, tf.gather(x, chosen)), tf.cast(tf.gather(y, chosen), tf.int32)

    found = tf.data.Dataset.from_tensor_slices(np.asarray(places, np.int32)).batch(batch).map(example)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    return found.with_options(options)


def inputs(domain: str, x: Any) -> Any:
    """What a model takes of stored examples."""
    import tensorflow as tf

    if domain == "text":
        tokens = tf.cast(x, tf.int32)
        return tokens, tf.broadcast_to(tf.range(CONTEXT), tf.shape(tokens))
    return tf.cast(x, tf.float32) / 255 if domain == "images" else x


def whole(domain: str, part: Part) -> Any:
    """All of a part, in its order."""
    return batches(domain, part, np.arange(len(part)), TESTED)


# --- what the row has beside


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def callbacks(columns: dict[str, object], test: Any, execution: int, begun: float) -> list[Any]:
    """What adds `columns` before the row is written: times of the steps; the test at the end and at the best.

    Args:
        columns: of the row.
        test: dataset.
        execution: steps of one call into TensorFlow.
        begun: processor time of this process when the run began.
    """
    import keras

    class Times(keras.callbacks.Callback):
        """Wall clock and processor time of a step: the median of those executions that TensorFlow had compiled."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.taken: list[tuple[float, float]] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.start = time.perf_counter(), time.process_time()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            wall, own = self.start
            self.taken.append((time.perf_counter() - wall, time.process_time() - own))

        def on_train_end(self, logs: Any = None) -> None:
            wall, own = np.median(self.taken[1:] or self.taken, axis=0) / execution
            columns.update(step_seconds=wall, step_cpu_seconds=own, cpu_seconds=time.process_time() - begun)

    class Tests(keras.callbacks.Callback):
        """Losses on the test data, of the last weights and of those with the least validation loss."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.least = float("inf")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.last = epoch
            if epoch == 0 or logs["val_loss"] < self.least:
                self.least, self.at, self.best = logs["val_loss"], epoch, self.model.get_weights()

        def on_train_end(self, logs: Any = None) -> None:
            loss, accuracy = self.model.evaluate(test, verbose=0)
            columns.update(test_loss=loss, test_accuracy=accuracy)
            if self.at != self.last:
                weights = self.model.get_weights()
                self.model.set_weights(self.best)
                loss, accuracy = self.model.evaluate(test, verbose=0)
                self.model.set_weights(weights)
            columns.update(best_test_loss=loss, best_test_accuracy=accuracy)

    return [Tests(), Times()]
