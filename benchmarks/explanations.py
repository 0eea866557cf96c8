"""What an explanation costs, in passes of the detector alone.

    python -m benchmarks.explanations --model standard

Seconds are those of the processor over all cores, so that a busy machine does not matter.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from benchmarks.common import interleaved

from mesonet.detector import Detector
from mesonet.explanations import METHODS, FaceCrop, explain, fake_log_odds, usable

_LANDMARKS = np.array([(0.36, 0.4), (0.64, 0.4), (0.5, 0.55), (0.4, 0.7), (0.6, 0.7)], np.float32)
_PASSES = 16


def main() -> None:
    """Print a line for every method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=Detector.default)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    detector = Detector.load(options.model)
    size = detector.info.preprocessing.size
    pixels = np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)
    face = FaceCrop(pixels, _LANDMARKS * size)
    ways: dict[str, Callable[[], object]] = {
        "detector": lambda: fake_log_odds(detector, [pixels] * _PASSES)
    }
    for name in usable(detector):
        if options.slow or not METHODS[name].slow:
            ways[name] = lambda name=name: explain(detector, face, name)  # type: ignore[misc]
    for way in ways.values():
        way()
    seconds = interleaved(options.rounds, clock=time.process_time, **ways)
    one = statistics.median(seconds.pop("detector")) / _PASSES
    print(f"{detector.name}: one pass {1000 * one:.1f} ms of one core")
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        print(f"{name}: {middle:.2f} s of one core, as much as {middle / one:.1f} passes")


if __name__ == "__main__":
    main()
