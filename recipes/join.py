r"""Make one detector of three, by a mean of their log odds, and score what was held out.

    python recipes/join.py JOINED/fold-0 RUNS/fold-0/detector.keras WHOLE/fold-0/detector.keras \
        SIDE/fold-0/detector.keras \
        --fold 0 --data MESONET video --data FFPP pair --data CIPLAB CIPLAB/groups.csv

The first counts a third, the second a sixth and the one at the side a half. The latter is heard
only where it is sure: 1 is taken off the size of its log odds, and smaller ones count as 0.
Otherwise what it says of kinds that it does not know would do harm.

Images are prepared as the first one wants them, and the others get their own range of values from
those; size and interpolation have to be the same. The joined network is as flat as they are, so
that pictures show the layers of all. The run folder gets what `fine_tune.py` writes.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from cache_views import FOLDS
from faces import divide
from fine_tune import DETECTOR, write_scores

from mesonet.backend import keras
from mesonet.model_file import load_model, save_model
from mesonet.preprocessing import Preprocessing

FIRST, SECOND = 1 / 3, 1 / 6
SIDE = 1 / 2  # Keras' soft_shrink takes off 1/2, which is 1 before this


def log_odds(network: keras.Model, ip: keras.KerasTensor, prefix: str) -> keras.KerasTensor:
    """Run copies of a network's layers on an input, but for the sigmoid at its end."""
    made = {id(network.input): ip}
    for layer in network.layers[1:]:
        config = layer.get_config()
        config["name"] = prefix + layer.name
        if layer is network.layers[-1]:
            config["activation"] = "linear"
        copy = type(layer).from_config(config)
        made[id(layer.output)] = copy(keras.tree.map_structure(lambda x: made[id(x)], layer.input))
        copy.set_weights(layer.get_weights())
    return made[id(network.output)]


def rescaled(
    ip: keras.KerasTensor, given: Preprocessing, wanted: Preprocessing
) -> keras.KerasTensor:
    """Bring prepared images from one range of values into another."""
    if replace(given, scaling=wanted.scaling) != wanted:
        raise SystemExit("the networks differ in size or interpolation")
    if given == wanted:
        return ip
    black, white = (
        [preparation.scale(np.uint8([value])).item() for preparation in (given, wanted)]
        for value in (0, 255)
    )
    factor = (white[1] - black[1]) / (white[0] - black[0])
    return keras.layers.Rescaling(factor, black[1] - black[0] * factor)(ip)


def main() -> None:
    """Join and score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("side", type=Path, help="heard only where it is sure")
    parser.add_argument(
        "--data", nargs=2, action="append", required=True, metavar=("DIR", "GROUPS")
    )
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="score this one")
    arguments = parser.parse_args()
    arguments.run.mkdir(parents=True, exist_ok=True)
    _, info = load_model(arguments.first)
    ip = keras.Input((info.preprocessing.size, info.preprocessing.size, 3))
    said = []
    for name, share in (("first", FIRST), ("second", SECOND), ("side", SIDE)):
        network, own = load_model(getattr(arguments, name))
        beside = rescaled(ip, info.preprocessing, own.preprocessing)
        odds = log_odds(network, beside, f"{name}_")
        said.append(keras.layers.Rescaling(share, name=f"{name}_share")(odds))
    said[-1] = keras.layers.Activation("soft_shrink", name="side_heard")(said[-1])
    mean = keras.layers.Add(name="log_odds")(said)
    network = keras.Model(ip, keras.layers.Activation("sigmoid", name="score")(mean))
    save_model(network, arguments.run / DETECTOR, replace(info, architecture=None))
    _, judged = divide(arguments.data, info.preprocessing, arguments.fold)
    write_scores(arguments.run, judged)


if __name__ == "__main__":
    main()
