"""PyTorch checkpoints written by hand, harmless and otherwise, without PyTorch."""

import struct
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "float16": "HalfStorage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "int64": "LongStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


class Name(NamedTuple):
    """A module-level name that the pickle looks up."""

    module: str
    name: str


class Call(NamedTuple):
    """A call that unpickling would make."""

    function: Name
    arguments: tuple[Any, ...]


class Numbers(NamedTuple):
    """A reference to a storage."""

    kind: str
    key: str
    length: int
    rest: tuple[Any, ...] = ()


class Raw(NamedTuple):
    """Pickle instructions as they are."""

    data: bytes


def encode(value: Any) -> bytes:
    """Pickle instructions that put a value on the stack."""
    match value:
        case Raw(data):
            return data
        case Name(module, name):
            return f"c{module}\n{name}\n".encode()
        case Call(function, arguments):
            return encode(function) + encode(arguments) + b"R"
        case Numbers(kind, key, length, rest):
            return encode(("storage", Name("torch", kind), key, "cpu", length, *rest)) + b"Q"
        case None | True | False:
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        case int() if -(2**31) <= value < 2**31:
            return b"J" + struct.pack("<i", value)
        case int():
            return b"\x8a\x10" + value.to_bytes(16, "little", signed=True)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case tuple():
            return b"(" + b"".join(map(encode, value)) + b"t"
        case list():
            return b"](" + b"".join(map(encode, value)) + b"e"
        case dict():
            return b"}(" + b"".join(encode(k) + encode(v) for k, v in value.items()) + b"u"
    raise TypeError(value)


def pickled(value: Any) -> bytes:
    """A whole pickle."""
    return b"\x80\x02" + encode(value) + b"."


def rebuilt(
    storage: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
) -> Call:
    """A tensor as PyTorch describes it."""
    hooks = Call(Name("collections", "OrderedDict"), ())
    arguments = (storage, offset, shape, strides, False, hooks)
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), arguments)


def describe(tensors: dict[str, NDArray[Any]]) -> tuple[dict[str, Call], dict[str, bytes]]:
    """Tensors as the pickle describes them, and the bytes of their storages by key."""
    state, storages = {}, {}
    for key, (name, values) in enumerate(tensors.items()):
        values = np.asarray(values)
        strides = tuple(
            step // values.itemsize for step in np.empty_like(values, order="C").strides
        )
        numbers = Numbers(KINDS[values.dtype.name], str(key), values.size)
        state[name] = rebuilt(numbers, values.shape, strides)
        storages[str(key)] = values.tobytes()
    return state, storages


def write_zip(
    path: Path,
    value: Any,
    storages: dict[str, bytes],
    *,
    extra: dict[str, bytes] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Write the form of PyTorch 1.6 and later."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(value))
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
        for name, data in (extra or {}).items():
            archive.writestr(f"archive/{name}", data)
    return path


def write_chain(
    path: Path, value: Any, storages: dict[str, bytes], itemsize: int = 4, order: bool = True
) -> Path:
    """Write the form of PyTorch before 1.6, of storages of one item size."""
    head = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": order})
    parts = [pickled(part) for part in (*head, value, list(storages))]
    parts += [struct.pack("<q", len(data) // itemsize) + data for data in storages.values()]
    path.write_bytes(b"".join(parts))
    return path


def write_checkpoint(path: Path, tensors: dict[str, NDArray[Any]]) -> Path:
    """Write a state dict in the form of PyTorch 1.6 and later."""
    return write_zip(path, *describe(tensors))
