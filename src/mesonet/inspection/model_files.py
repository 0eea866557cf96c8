"""Checks a model file before anything in it is believed.

A model file is data: it names layers and stores numbers. `inspect_model_file` reads only what
it needs to refuse everything else - code, links to other files, sizes that the stored bytes do
not justify - without Keras, and without allocating more than the file's own size.

Known attacks that are refused: CVE-2025-1550, CVE-2025-8747 and CVE-2025-9906 (a configuration
that names arbitrary functions), CVE-2025-9905 (a Lambda layer in HDF5), and links, external
data and shape bombs in HDF5.
"""

import mmap
import os
import struct
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from mesonet.errors import ModelFileError
from mesonet.inspection.keras_config import check_config, parse_json
from mesonet.inspection.limits import (
    CODE,
    DAMAGE,
    DAMAGED,
    MAX_BYTES,
    MAX_JSON_BYTES,
    RefusedError,
    open_limited,
)

_MAX_DIRECTORY_BYTES = 64 << 10
_FREE_EXPANSION = 16 << 20
_MAX_EXPANSION = 100
_MAX_QUOTE = 100


class Format(StrEnum):
    """What a model file holds."""

    KERAS = "keras"
    HDF5_MODEL = "hdf5 model"
    HDF5_WEIGHTS = "hdf5 weights"


@dataclass(frozen=True, slots=True)
class Contents:
    """What inspection found.

    Attributes:
        format: kind of file.
        shapes: shape of every stored array, by its HDF5 path.
        description: our own description of the model (`ModelInfo.to_dict`), if there is one.
        training: optimizer, loss and metrics as Keras describes them, unchecked.
    """

    format: Format
    shapes: dict[str, tuple[int, ...]]
    description: dict[str, Any] | None = None
    training: Any = None


def inspect_model_file(path: str | os.PathLike[str]) -> Format:
    """Tell what a model file holds, by its content and not its name.

    Raises:
        ModelFileError: the file is no model file, is damaged, or asks for something that data
            has no need of: code, other files, or far more memory than it has bytes.
    """
    return read_contents(path).format


def read_contents(path: str | os.PathLike[str]) -> Contents:
    """Inspect a file like `inspect_model_file` and return all that was learned.

    Raises:
        ModelFileError: as `inspect_model_file`.
    """
    path = Path(path)
    try:
        return _read(path)
    except RefusedError as refusal:
        raise ModelFileError(path, str(refusal)) from None
    except DAMAGE as error:
        raise ModelFileError(path, DAMAGED) from error


def _read(path: Path) -> Contents:
    if path.is_dir():
        raise RefusedError(_SAVED_MODEL if (path / "saved_model.pb").exists() else "is a folder")
    file, size = open_limited(path, "a model file")
    with file:
        head = file.read(512)
        if head.startswith(_HDF5_MAGIC):
            return _read_hdf5(file)
        if head.startswith(_ZIP_MAGIC):
            return _read_keras(file, size)
    raise RefusedError(_foreign(head))


# other kinds of file

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = b"PK\x03\x04"
_SAVED_MODEL = (
    "is a TensorFlow SavedModel, which is a program rather than data; "
    "save it again as .keras with the TensorFlow version that wrote it"
)
_PICKLE = f"is pickled Python, {CODE}"
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")


def _foreign(head: bytes) -> str:
    if not head:
        return "is empty"
    if head[0] == 0x80 and head[1:2] <= b"\x05":
        return _PICKLE
    if head.startswith(b"\x08\x01\x12"):
        return _SAVED_MODEL
    if head[0] == 0x08 and b"\x02" < head[1:2] < b"\x20":
        return "is ONNX, which is an export format here; give the .keras file it came from"
    if head[4:8] == b"TFL3":
        return "is TensorFlow Lite; give the .keras file it came from"
    if head.startswith(_IMAGES):
        return "is an image, not a model"
    if head.isascii() and b"\0" not in head:
        return "is a text file, not a model"
    return "is neither a .keras nor an HDF5 model file"


def _foreign_zip(names: list[str]) -> str:
    if any(name.endswith("data.pkl") for name in names):
        return f"is a PyTorch file, {CODE}"
    if any(name.endswith("saved_model.pb") for name in names):
        return _SAVED_MODEL
    return "is a zip archive, but not of a Keras model"


# .keras

_MEMBERS = {"config.json", "metadata.json", "model.weights.h5", "mesonet.json"}


def _read_keras(file: IO[bytes], size: int) -> Contents:
    from mesonet.inspection.hdf5 import open_hdf5

    _check_zip_directory(file, size)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members)
        data = {m.filename: _member(archive, m) for m in members if m.filename in _MEMBERS}
    config = parse_json(data["config.json"], "config.json")
    training = config.pop("compile_config", None)
    check_config(config)
    weights = data["model.weights.h5"]
    if not weights.startswith(_HDF5_MAGIC):
        raise RefusedError("contains weights that are not HDF5")
    with open_hdf5(BytesIO(weights), weights) as (_, shapes):
        pass
    description = None
    if "mesonet.json" in data:
        description = parse_json(data["mesonet.json"], "mesonet.json")
    return Contents(Format.KERAS, shapes, description, training)


def _check_zip_directory(file: IO[bytes], size: int) -> None:
    """Bound the list of members before `zipfile` reads it; Keras writes the plain form."""
    file.seek(max(0, size - 42))
    tail = file.read()
    if tail[-22:-18] != b"PK\x05\x06" or tail[:4] == b"PK\x06\x07":
        raise RefusedError("is cut short, or is no zip archive of the kind that Keras writes")
    if struct.unpack("<I", tail[-10:-6])[0] > _MAX_DIRECTORY_BYTES:
        raise RefusedError("is a zip archive of far too many members")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if "config.json" not in names:
        raise RefusedError(_foreign_zip(names))
    if len(set(names)) < len(names):
        raise RefusedError("contains two members of the same name")
    if "model.weights.h5" not in names:
        raise RefusedError("contains no weights")
    for member in members:
        name = member.filename
        if name not in _MEMBERS and not (name == "assets/" and not member.file_size):
            raise RefusedError(
                f"contains {name[:_MAX_QUOTE]!r}, which does not belong in a model file"
            )
        if member.flag_bits & 1:
            raise RefusedError("is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RefusedError(f"contains {name!r} in an unknown compression")
        limit = min(MAX_BYTES, _FREE_EXPANSION + _MAX_EXPANSION * member.compress_size)
        if member.file_size > (MAX_JSON_BYTES if name.endswith(".json") else limit):
            raise RefusedError(
                f"contains {name!r}, which claims {member.file_size:,} bytes "
                f"of which {member.compress_size:,} are stored"
            )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    size = member.file_size
    member.file_size += 1
    with archive.open(member) as stream:
        data = stream.read(size + 1)
    if len(data) != size:
        raise RefusedError(f"contains {member.filename!r}, whose stated size is wrong")
    return data


# HDF5


def _read_hdf5(file: IO[bytes]) -> Contents:
    from mesonet.inspection.hdf5 import open_hdf5

    with (
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        open_hdf5(file, data) as (hdf5, shapes),
    ):
        if "model_config" in hdf5.attrs:
            check_config(parse_json(hdf5.attrs["model_config"], "model_config"))
            if "model_weights" not in hdf5:
                raise RefusedError("contains no weights")
            kind = Format.HDF5_MODEL
        elif "layer_names" in hdf5.attrs or "layers" in hdf5:
            kind = Format.HDF5_WEIGHTS
        else:
            raise RefusedError("is HDF5, but holds no Keras model or weights")
        description = hdf5.attrs.get("mesonet")
        if description is not None:
            description = parse_json(description, "description")
    return Contents(kind, shapes, description)
