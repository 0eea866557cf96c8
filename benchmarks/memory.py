"""Memory while a folder of many images is scored: it must not grow with their number.

    python -m benchmarks.memory DATA [--images 100000] [--size 32]

The folder holds links to the images of DATA, which are scored into Parquet parts. A network for
small images is used, because what is watched is the pipeline, not the network.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.common import link_images

from mesonet.architectures import create_model
from mesonet.bulk.items import find_items
from mesonet.bulk.parts import Parts
from mesonet.bulk.running import local_engine, run
from mesonet.bulk.scoring import VerdictScorer
from mesonet.images.finding import IMAGE_SUFFIXES
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
        scorer = VerdictScorer(str(model))
        parts = Parts(Path(work) / "parts", scorer.description, resume=False)
        started, done = time.monotonic(), 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            if done == 1 or done % (arguments.images // 10) == 0:
                seconds = time.monotonic() - started
                print(f"{done:,} rows: {resident():.0f} MiB, {seconds:.0f} s", flush=True)

        items = find_items([str(folder)], IMAGE_SUFFIXES)
        run(local_engine(scorer, advance), items, parts, shard_size=1000)
        before = resident()
        again = Parts(parts.folder, scorer.description, resume=True)
        held = sum(again.holds(item) for item in find_items([str(folder)], IMAGE_SUFFIXES))
        print(f"{held:,} found in the parts again: {resident() - before:.0f} MiB more")


if __name__ == "__main__":
    main()
