r"""Calibrate a detector on validation scores, choose its words, and write it for the package.

    python -m recipes.detector.release RUN/detector.keras \
        recipes/detector/scores/standard-validation.csv src/mesonet/weights/standard --data DATA

DATA is the folder of the sets: which images the detector was trained on goes into the file.
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
from mesonet.training_data import TrainingData
from recipes.detector.sets import samples
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


def training_data(data: Path) -> TrainingData:
    """The training part of all sets."""
    chosen = [sample for sample in samples(data) if sample.part == "train"]
    return TrainingData.of([sample.set for sample in chosen], [data / s.file for s in chosen])


def main() -> None:
    """Write ``OUTPUT.keras`` and ``.onnx``, or ``OUTPUT.npz`` with a head."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="detector.keras, or head.npz")
    parser.add_argument("scores", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    recorded = training_data(arguments.data)
    if arguments.model.suffix == ".npz":
        preprocessing = Preprocessing(SIZE, "bilinear", "none")
        info = ModelInfo(preprocessing=preprocessing, training_data=recorded)
        info = describe(info, arguments.scores)
        path = arguments.output.with_suffix(".npz")
        path.write_bytes(arguments.model.read_bytes())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("mesonet.json", json.dumps(info.to_dict(), indent=1))
    else:
        from mesonet.export import export_model
        from mesonet.model_file import load_model, save_model

        network, info = load_model(arguments.model)
        info = describe(replace(info, training_data=recorded), arguments.scores)
        calibrated = arguments.model.with_name("calibrated.keras")
        save_model(network, calibrated, info)
        for suffix in (".keras", ".onnx"):
            export_model(calibrated, arguments.output.with_suffix(suffix), half=True)
    print(json.dumps(replace(info, training_data=None).to_dict(), indent=1))
    print(f"trained on {recorded.images:,} images of {', '.join(recorded.sets)}")


if __name__ == "__main__":
    main()
