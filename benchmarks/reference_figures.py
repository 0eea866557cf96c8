"""Every figure that is known of the reference weights, measured again.

    python -m benchmarks.reference_figures SHARED

SHARED holds ``weights/`` and ``data/{mesonet,ffpp,ciplab}``. Prints the largest difference and
fails if it is more than .003.
"""

import argparse
import sys
from pathlib import Path

from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.evaluation.scores import score_folder

TOLERANCE = 0.003
# weights: mesonet accuracy, AUC, by video accuracy, AUC; ffpp accuracy, AUC; ciplab accuracy, AUC
KNOWN = {
    "Meso4_DF.h5": (0.8871, 0.9652, 0.9610, 0.9980, 0.5093, 0.5269, 0.5028, 0.4903),
    "MesoInception_DF.h5": (0.9123, 0.9813, 1.0, 1.0, 0.5286, 0.5290, 0.5144, 0.4863),
    "Meso4_F2F.h5": (0.6407, 0.6781, 0.5844, 0.7588, 0.7336, 0.8335, 0.5665, 0.5631),
    "MesoInception_F2F.h5": (0.5992, 0.5764, 0.5455, 0.5224, 0.7179, 0.8416, 0.5353, 0.5446),
    "model1_18epochs_valacc0.9252.hdf5": (
        (0.9597, 0.9926, 1.0, 1.0, 0.5100, 0.5317, 0.5285, 0.5159)
    ),
    "model2_17epochs_valacc0.89.hdf5": (
        (0.8920, 0.9587, 0.9610, 0.9939, 0.5129, 0.5258, 0.5077, 0.5011)
    ),
}


def measure(detector: Detector, shared: Path) -> list[float]:
    """The eight figures of one model, in the order of `KNOWN`."""
    figures: list[float] = []
    for name in ("mesonet", "ffpp", "ciplab"):
        scores = score_folder(detector, ClassFolders.read(shared / "data" / name))
        levels = [scores.image_metrics(0.5)]
        if name == "mesonet":
            levels.append(scores.group_metrics(0.5, "video"))
        for metrics in levels:
            figures += [metrics.accuracy, metrics.auc or 0.0]
    return figures


def main() -> None:
    """Print a table; exit with 1 if a figure is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    worst = 0.0
    for name, known in KNOWN.items():
        figures = measure(Detector.load(arguments.shared / "weights" / name), arguments.shared)
        off = max(abs(mine - theirs) for mine, theirs in zip(figures, known, strict=True))
        worst = max(worst, off)
        print(f"{name:<36}", *(f"{figure:.4f}" for figure in figures), f" off by {off:.4f}")
    print(f"largest difference {worst:.4f} (at most {TOLERANCE} expected)")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
