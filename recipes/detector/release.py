r"""Calibrate a detector on validation scores, choose its words, and write it for the package.

    python -m recipes.detector.release RUN/detector.keras \
        recipes/detector/scores/standard-validation.csv src/mesonet/weights/standard

Every set counts the same. `thorough` is released likewise, from its head.
"""

import argparse
import json
import zipfile
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from mesonet.datasets.groups import group_keys
from mesonet.evaluation.calibration import calibrate
from mesonet.evaluation.words import measure_words
from mesonet.files import read_table
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from recipes.detector.train import SIZE

ERROR_RATE = 0.1
KINDS = (
    "face swaps",
    "reenactment",
    "retouched parts of faces",
    "generated faces",
)

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


def read_scores(path: Path) -> tuple[list[str], list[str], _Bools, _Floats]:
    """File, group, truth and raw score of each image of a file of scores."""
    rows = read_table(path, ["group", "raw_score"])
    fake = np.array([file.split("/")[1] != "real" for file in rows])
    groups = [group for group, _ in rows.values()]
    return list(rows), groups, fake, np.array([float(score) for _, score in rows.values()])


def describe(info: ModelInfo, scores: Path) -> ModelInfo:
    """Complete a description by calibration, threshold, band, words and kinds."""
    files, groups, fake, raw = read_scores(scores)
    classes = ["/".join(file.split("/")[:2]) for file in files]
    counts = {name: classes.count(name) for name in classes}
    weights = np.array([1 / counts[name] for name in classes])
    repeats = np.round(weights / weights.min()).astype(int)
    info = calibrate(info, np.repeat(fake, repeats), np.repeat(raw, repeats), ERROR_RATE)
    clips = group_keys([PurePath(file) for file in files], "video")
    return replace(measure_words(info, fake, raw, groups, clips, weights), kinds=KINDS)


def main() -> None:
    """Write ``OUTPUT.keras`` and ``.onnx``, or ``OUTPUT.npz`` with a head."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="detector.keras, or head.npz")
    parser.add_argument("scores", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    if arguments.model.suffix == ".npz":
        preprocessing = Preprocessing(SIZE, "bilinear", "none")
        info = describe(ModelInfo(preprocessing=preprocessing), arguments.scores)
        path = arguments.output.with_suffix(".npz")
        path.write_bytes(arguments.model.read_bytes())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("mesonet.json", json.dumps(info.to_dict(), indent=1))
    else:
        from mesonet.export import export_model
        from mesonet.model_file import load_model, save_model

        network, info = load_model(arguments.model)
        info = describe(info, arguments.scores)
        calibrated = arguments.model.with_name("calibrated.keras")
        save_model(network, calibrated, info)
        for suffix in (".keras", ".onnx"):
            export_model(calibrated, arguments.output.with_suffix(suffix), half=True)
    print(json.dumps(info.to_dict(), indent=1))


if __name__ == "__main__":
    main()
