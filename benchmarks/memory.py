"""Memory while a folder of many images is scored: it must not grow with their number.

    python -m benchmarks.memory DATA [--images 100000] [--size 32]

The folder holds links to the images of DATA. A network for small images is used, because
what is watched is the pipeline, not the network.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.common import link_images

from mesonet.architectures import create_model
from mesonet.detector import Detector
from mesonet.images.finding import find_images
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing


def resident() -> float:
    """Resident memory of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status does not tell the resident memory")


def main() -> None:
    """Print the resident memory at every tenth of the way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=32)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = link_images(arguments.data, Path(work) / "images", arguments.images)
        model = Path(work) / "model.keras"
        info = ModelInfo("meso4", Preprocessing(arguments.size))
        save_model(create_model("meso4", arguments.size), model, info)
        detector = Detector.load(model)
        started = time.monotonic()
        paths, _ = find_images([folder])
        print(f"listed {len(paths):,}: {resident():.0f} MiB, {time.monotonic() - started:.1f} s")
        for number, _ in enumerate(detector.predict(paths), start=1):
            if number % (arguments.images // 10) == 0:
                seconds = time.monotonic() - started
                print(f"scored {number:,}: {resident():.0f} MiB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
