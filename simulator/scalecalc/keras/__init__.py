"""A Keras callback that writes one row for each `fit`: what was trained on how much, and what came of it.

    from scalecalc.keras import RunLogger

    logger = RunLogger("runs.csv", samples=len(x), test_data=(s, t), columns={"width": 64})
    model.fit(x, y, batch_size=64, epochs=5, validation_data=(u, v), callbacks=[logger])

The file is one that `scalecalc calibrate` reads. Parameters and FLOPs are counted from the model's own configuration,
by the same rules as those of files. Nothing here imports Keras: what is called has the methods of its callbacks.
"""

from scalecalc.keras.logger import FIELDS, RunLogger

__all__ = ["FIELDS", "RunLogger"]
