"""Training with default augmentation against Keras' legacy generator.

    python -m benchmarks.train DATA [--images 1000] [--rounds 3]

Both train the same Meso-4 for an epoch of the same images, batches of 32, in turns.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.common import interleaved, link_images, rate, ratio

from mesonet.datasets.batches import get_train_data_generator
from mesonet.images.augmentation import DEFAULTS
from mesonet.model import build_model

BATCH = 32


def main() -> None:
    """Print rates and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    with tempfile.TemporaryDirectory() as work:
        folder = link_images(arguments.data, Path(work) / "images", arguments.images)
        legacy = ImageDataGenerator(rescale=1 / 255, **DEFAULTS).flow_from_directory(
            folder, target_size=(256, 256), batch_size=BATCH, class_mode="binary"
        )
        own, _ = get_train_data_generator(folder, BATCH)
        models = {"reference": build_model(), "ours": build_model()}
        for model in models.values():
            model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        ways = {
            "reference": lambda: models["reference"].fit(legacy, verbose=0),
            "ours": lambda: models["ours"].fit(own, verbose=0, shuffle=False),
            "reference, generator alone": lambda: [legacy[i] for i in range(len(legacy))],
            "ours, batches alone": lambda: [own[i] for i in range(len(own))],
        }
        interleaved(1, **ways)
        seconds = interleaved(arguments.rounds, **ways)
    for name, values in seconds.items():
        print(f"{name:<28} {rate(arguments.images, values):6.0f} images/s")
    print(f"ratio of training            {ratio(seconds, 'ours', 'reference'):6.2f} x")


if __name__ == "__main__":
    main()
