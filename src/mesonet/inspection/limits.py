"""How large anything in a model file may be, and how a file is refused."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 1 << 30
"""Most bytes of a model file, and of all its arrays in memory."""

MAX_JSON_BYTES = 4 << 20
"""Most bytes of a JSON text."""

MAX_VALUES = 1 << 29
"""Most values that an array, or a feature map of one image, may have."""

MAX_LAYERS = 1_200
"""Most layers, counting those of a nested model each time it is used; the largest networks of
`keras.applications` have some 1,000."""

MAX_SEQUENTIAL_LAYERS = 128
"""Most layers of a sequential model, which Keras builds anew for each of them."""

_MAX_QUOTE = 60

DAMAGED = "is cut short or damaged and cannot be read"
CODE = "which is code, and code in a model file is never run"

DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged file may raise."""


class RefusedError(Exception):
    """Why a model file is refused: a sentence fragment that follows the file's name."""


def shortened(value: object) -> str:
    """What a file says, quoted at no more length than a message bears."""
    text = str(value)
    return text if len(text) <= _MAX_QUOTE else f"{text[:_MAX_QUOTE]}..."


def open_limited(path: Path, kind: str) -> tuple[BinaryIO, int]:
    """Open a file of at most `MAX_BYTES`; gives the file and its bytes.

    Args:
        path: the file.
        kind: what it should be, such as "a model file".

    Raises:
        RefusedError: there is no such regular file, it is too large, or it cannot be opened.
    """
    if not path.exists():
        raise RefusedError("does not exist")
    if not path.is_file():
        raise RefusedError("is not a regular file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise RefusedError(f"has more than the {MAX_BYTES >> 20} MiB {kind} may have")
    try:
        return path.open("rb"), size
    except OSError as error:
        raise RefusedError(f"cannot be opened: {error.strerror}") from error
