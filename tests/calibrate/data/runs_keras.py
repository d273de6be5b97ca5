"""Record the rows of `runs_keras.csv`: 24 fits of a small network on drawn data: 4 widths, 3 amounts of data, 2 seeds.

python tests/calibrate/data/runs_keras.py runs_keras.csv    # needs the extra keras; a minute
"""

import sys

import numpy as np

from scalecalc.keras import RunLogger

INPUTS, CLASSES = 16, 4
WEIGHTS = np.random.default_rng(0).normal(size=(INPUTS, CLASSES))


def data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and the class of each: its nearest of CLASSES bent surfaces, one in twelve at random.

    Returns:
        float32 (count, INPUTS), int32 (count).
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, INPUTS)).astype("float32")
    y = (np.sin(1.5 * x @ WEIGHTS / 4) + (x @ WEIGHTS[:, ::-1] / 4) ** 2 / 3).argmax(axis=1)
    wrong = random.random(count) < 1 / 12
    y[wrong] = random.integers(0, CLASSES, wrong.sum())
    return x, y.astype("int32")


def main(path: str) -> None:
    """Train the grid, the least data first."""
    import keras

    test, validation = data(4000, 1), data(1000, 2)
    for count in (512, 2048, 8192):
        x, y = data(count, 3)
        for width in (4, 8, 16, 32):
            for seed in (0, 1):
                keras.utils.set_random_seed(seed)
                net = keras.Sequential(
                    [
                        keras.Input((INPUTS,)),
                        keras.layers.Dense(width, activation="relu"),
                        keras.layers.Dense(width, activation="relu"),
                        keras.layers.Dense(CLASSES, activation="softmax"),
                    ],
                    name=f"mlp{width}",
                )
                rate = 3e-3
                loss = "sparse_categorical_crossentropy"
                net.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], steps_per_execution=8)
                columns = {"width": width, "learning_rate": rate}
                logger = RunLogger(path, samples=count, batch_size=32, test_data=test, columns=columns)
                net.fit(x, y, batch_size=32, epochs=4, validation_data=validation, verbose=0, callbacks=[logger])


if __name__ == "__main__":
    main(sys.argv[1])
