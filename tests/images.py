"""Small pictures for tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_picture(path: Path, seed: int = 0, size: int = 32, tint: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 200, (size, size, 3))
    pixels[..., 0] += tint
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def write_class_folders(
    root: Path, videos: int = 4, frames: int = 3, classes: tuple[str, str] = ("df", "real")
) -> Path:
    """Two classes that differ in their tint; names are ``<video>_<frame>.png``."""
    for label, name in enumerate(classes):
        for video in range(videos):
            for frame in range(frames):
                number = 100 * label + video
                write_picture(
                    root / name / f"{number}_{frame}.png", 1000 * number + frame, tint=50 * label
                )
    return root
