"""Reads the tensors of a PyTorch checkpoint, as data and without PyTorch.

Both forms that ``torch.save`` writes are read: the zip archive of PyTorch 1.6 and later, and the
chain of pickles from before. Their pickle is followed by `mesonet.inspection.torch_pickle` and
never run; numbers are only believed to exist where the file has bytes for them.
"""

import os
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from mesonet.errors import CheckpointError
from mesonet.inspection.limits import DAMAGE, DAMAGED, RefusedError, open_limited
from mesonet.inspection.torch_pickle import Machine, Storage, Tensor, expect

Tensors = dict[str, NDArray[Any]]

_MAX_PICKLE_BYTES = 1 << 20
_MAX_DIRECTORY_BYTES = 1 << 20
_MAX_QUOTE = 100
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def read_torch_checkpoint(path: str | os.PathLike[str]) -> Tensors:
    """Read the state dict that ``torch.save`` wrote.

    Args:
        path: the checkpoint; one of the form ``{"state_dict": {...}}`` is unwrapped.

    Returns:
        Every tensor by its name, as it was saved but for bfloat16, which becomes float32. The
        arrays must not be changed, since tensors may share their numbers. Values of other kinds
        are left out.

    Raises:
        CheckpointError: the file is no such checkpoint, is damaged, names code, or asks for more
            memory than it has bytes.
    """
    path = Path(path)
    try:
        return _read(path)
    except RefusedError as refusal:
        raise CheckpointError(path, str(refusal)) from None
    except DAMAGE as error:
        raise CheckpointError(path, DAMAGED) from error


def _read(path: Path) -> Tensors:
    file, size = open_limited(path, "a checkpoint")
    with file:
        head = file.read(2)
        file.seek(0)
        if head == b"PK":
            return _read_zip(file, size)
        if head[:1] == b"\x80":
            return _read_chain(file, size)
    raise RefusedError("is no PyTorch checkpoint" if head else "is empty")


def _state_dict(value: Any) -> dict[str, Tensor]:
    if isinstance(value, dict) and isinstance(value.get("state_dict"), dict):
        value = value["state_dict"]
    entries = value.items() if isinstance(value, dict) else ()
    tensors = {str(name): entry for name, entry in entries if isinstance(entry, Tensor)}
    if not tensors:
        raise RefusedError("holds no state dict of tensors")
    return tensors


def _decode(storage: Storage, data: bytes) -> NDArray[Any]:
    if len(data) != storage.nbytes:
        raise RefusedError(
            f"claims {storage.nbytes:,} bytes for storage {storage.key[:_MAX_QUOTE]!r}, "
            f"of which {len(data):,} are stored"
        )
    return storage.decode(data)


def _assemble(tensors: dict[str, Tensor], values: dict[str, NDArray[Any]]) -> Tensors:
    for tensor in tensors.values():
        if tensor.storage.key not in values:
            raise RefusedError(f"lacks storage {tensor.storage.key[:_MAX_QUOTE]!r}")
    return {name: tensor.view(values[tensor.storage.key]) for name, tensor in tensors.items()}


# The zip archive


def _read_zip(file: IO[bytes], size: int) -> Tensors:
    _check_zip_directory(file, size)
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        description = next((name for name in members if name.endswith("/data.pkl")), None)
        if description is None:
            raise RefusedError("is a zip archive, but not of a PyTorch checkpoint")
        root = description.removesuffix("data.pkl")
        if f"{root}constants.pkl" in members:
            raise RefusedError("is a TorchScript program; save its state dict instead")
        order = members.get(f"{root}byteorder")
        if order and _member(archive, order, limit=100) != b"little":
            raise RefusedError("was written on a big-endian machine")
        pickled = _member(archive, members[description], _MAX_PICKLE_BYTES)
        tensors = _state_dict(Machine().run(BytesIO(pickled)))
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        claimed = sum(storage.nbytes for storage in storages.values())
        if claimed > size:
            raise RefusedError(f"claims {claimed:,} bytes of numbers, but has only {size:,}")
        values = {}
        for key, storage in storages.items():
            member = members.get(f"{root}data/{key}")
            if member:
                values[key] = _decode(storage, _member(archive, member, storage.nbytes))
    return _assemble(tensors, values)


def _check_zip_directory(file: IO[bytes], size: int) -> None:
    """Bound the list of members before `zipfile` reads it; PyTorch writes the 64-bit form."""
    file.seek(max(0, size - 98))
    tail = file.read().rjust(98, b"\0")
    if tail[76:80] != b"PK\x05\x06":
        raise RefusedError("is cut short, or is no zip archive of the kind that PyTorch writes")
    (length,) = struct.unpack_from("<I", tail, 88)
    if tail[56:60] == b"PK\x06\x07":
        if tail[:4] != b"PK\x06\x06":
            raise RefusedError(DAMAGED)
        (length,) = struct.unpack_from("<Q", tail, 40)
    if length > _MAX_DIRECTORY_BYTES:
        raise RefusedError("is a zip archive of far too many members")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    name = member.filename[:_MAX_QUOTE]
    if member.flag_bits & 1:
        raise RefusedError("is encrypted")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise RefusedError(f"contains {name!r} compressed, which PyTorch never does")
    if member.file_size > limit:
        raise RefusedError(f"contains {name!r} of {member.file_size:,} bytes, not {limit:,}")
    return archive.read(member)


# The chain of pickles


def _read_chain(file: IO[bytes], size: int) -> Tensors:
    if _pickle(file, Machine()) != _MAGIC:
        raise RefusedError("is pickled Python, but no PyTorch checkpoint")
    if _pickle(file, Machine()) != _PROTOCOL:
        raise RefusedError("is a PyTorch checkpoint of an unknown version")
    if expect(_pickle(file, Machine()), dict).get("little_endian") is not True:
        raise RefusedError("was written on a big-endian machine")
    machine = Machine()
    tensors = _state_dict(_pickle(file, machine))
    values = {}
    for key in expect(_pickle(file, Machine()), list):
        storage = machine.storages[expect(key, str)]
        (length,) = struct.unpack("<q", file.read(8))
        if length != storage.length:
            raise RefusedError(f"describes storage {key[:_MAX_QUOTE]!r} in two ways")
        data = file.read(min(storage.nbytes, size - file.tell()))
        values[key] = _decode(storage, data)
    return _assemble(tensors, values)


def _pickle(file: IO[bytes], machine: Machine) -> Any:
    """The value of the next pickle of a file, which is left right behind it."""
    start = file.tell()
    stream = BytesIO(file.read(_MAX_PICKLE_BYTES))
    value = machine.run(stream)
    file.seek(start + stream.tell())
    return value
