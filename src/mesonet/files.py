"""Files by their content, and where files are kept for later."""

import hashlib
import os
from pathlib import Path


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a regular file, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: not a regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Where downloads, conversions and predictions are kept; it need not exist.

    ``~/.cache/mesonet``, or what the environment variable ``MESONET_CACHE`` names.
    """
    return Path(os.environ.get("MESONET_CACHE") or Path.home() / ".cache" / "mesonet")
