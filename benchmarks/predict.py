"""Folder prediction against Keras' legacy generator and ``model.predict``.

    python -m benchmarks.predict DATA [--model MODEL] [--images 1000] [--rounds 5]

Both ways score the same images with the same weights in the same process, in turns, after
everything is loaded; then whole processes score one image each.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.common import interleaved, link_images, rate, ratio

from mesonet.backend import keras
from mesonet.detector import Detector, Verdict
from mesonet.images.finding import find_images

REFERENCE_PROCESS = """
import sys
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import load_model
from tensorflow.keras.preprocessing.image import img_to_array, load_img
model = load_model(sys.argv[1], compile=False)
image = img_to_array(load_img(sys.argv[2], target_size=(256, 256))) / 255
print(float(model.predict(image[None], verbose=0)[0, 0]))
"""
OUR_PROCESS = "from mesonet.cli import main; main()"


def main() -> None:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=Detector.default)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = link_images(arguments.data, Path(work) / "images", arguments.images)
        warm(folder, arguments)
        cold(find_images([folder])[0][0], arguments)


def warm(folder: Path, arguments: argparse.Namespace) -> None:
    """Compare rates after start-up."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    detector = Detector.load(arguments.model)
    model = detector.network
    paths, _ = find_images([folder])
    results: dict[str, np.ndarray] = {}

    def reference() -> None:
        scale = detector.info.preprocessing.scale
        batches = ImageDataGenerator(preprocessing_function=scale).flow_from_directory(
            folder,
            target_size=model.input_shape[1:3],
            interpolation=detector.info.preprocessing.interpolation,
            batch_size=64,
            class_mode="binary",
            shuffle=False,
        )
        results["reference"] = 1 - model.predict(batches, verbose=0)[:, 0]

    def ours() -> None:
        verdicts = [v for v in detector.predict(paths) if isinstance(v, Verdict)]
        results["ours"] = np.array([v.raw_score for v in verdicts])

    interleaved(1, reference=reference, ours=ours)
    seconds = interleaved(arguments.rounds, reference=reference, ours=ours)
    count = len(paths)
    difference = np.abs(results["ours"] - results["reference"]).max()
    print(f"{count} images, model {detector.name}, Keras {keras.__version__}")
    print(f"legacy generator + predict  {rate(count, seconds['reference']):7.0f} images/s")
    print(f"mesonet                     {rate(count, seconds['ours']):7.0f} images/s")
    print(f"ratio                       {ratio(seconds, 'ours', 'reference'):7.2f} x")
    print(f"largest difference          {difference:.1e}")


def cold(image: Path, arguments: argparse.Namespace) -> None:
    """Compare the wall time of whole processes that score one image."""
    model = Detector.load(arguments.model).model_path
    named = ["--model", str(arguments.model)]
    commands = {
        "reference": [sys.executable, "-c", REFERENCE_PROCESS, str(model), str(image)],
        "ours": [sys.executable, "-c", OUR_PROCESS, "predict", str(image), *named],
    }

    def run(name: str) -> None:
        subprocess.run(commands[name], check=True, capture_output=True)

    ways = {name: lambda name=name: run(name) for name in commands}
    interleaved(1, **ways)
    seconds = interleaved(arguments.rounds, **ways)
    for name, values in seconds.items():
        print(f"cold process, one image: {name:<10} {1 / rate(1, values):6.2f} s")
    print(f"share of the reference's wall time  {1 / ratio(seconds, 'ours', 'reference'):.2f}")


if __name__ == "__main__":
    main()
