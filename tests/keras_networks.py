"""Small Keras networks, and what they say."""

import numpy as np
from tests.small_models import SIZE

from mesonet.backend import keras

LAYERS = keras.layers
PARAMETERS = {"meso4": 28_073, "mesoinception4": 28_725}


def network(size=SIZE, channels=3, units=1, **options):
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            LAYERS.Conv2D(2, 3, name="conv"),
            LAYERS.Flatten(),
            LAYERS.Dense(units, activation="sigmoid", **options),
        ]
    )


def images(count=2, size=SIZE):
    return np.random.default_rng(7).random((count, size, size, 3), np.float32)


def scores(model, size=SIZE):
    return keras.ops.convert_to_numpy(model(images(size=size), training=False))
