"""Checks an HDF5 file: that its arrays are in it, and that reading them takes what they are.

The HDF5 library follows links and external files wherever they lead, and allocates whatever a
shape claims. Only what Keras writes is let through: groups, arrays of numbers, and attributes
of text and numbers.
"""

import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o

from mesonet.inspection.limits import DAMAGED, MAX_BYTES, MAX_JSON_BYTES, RefusedError, shortened

Shapes = dict[str, tuple[int, ...]]

_MAX_OBJECTS = 50_000
_MAX_ATTRIBUTES = 64
_FREE_EXPANSION = 16 << 20
_MAX_EXPANSION = 100
_FILTERS = {1, 2, 3, 32000}  # deflate, shuffle, fletcher32, lzf
_BFLOAT16 = "|V2"
_MAX_TEXT_BYTES = 16 << 20
_ATTRIBUTE, _CONTINUATION, _VARIABLE_LENGTH = 0x0C, 0x10, 9

_UNUSUAL = "is HDF5 of a kind that Keras does not write; save it again as .keras"


@contextmanager
def open_hdf5(file: IO[bytes], data: bytes | mmap.mmap) -> Iterator[tuple[h5py.File, Shapes]]:
    """Open a file and check all of it.

    Args:
        file: the file.
        data: its content.

    Yields:
        The open file, and the shapes of its arrays by path.

    Raises:
        RefusedError: it holds something that a model has no need of.
        Exception: anything that `h5py` raises on a damaged file.
    """
    texts = _Texts(data)
    with h5py.File(file, "r") as hdf5:
        yield hdf5, _walk(h5g.open(hdf5.id, b"/"), len(data), texts)


def _walk(root: Any, size: int, texts: "_Texts") -> Shapes:
    """Check every object of a file and return the shapes of its arrays.

    Goes from link to link itself, so that no link is followed before its kind is known.
    """
    shapes: Shapes = {}
    claimed = stored = 0
    seen: set[int] = set()
    lists: list[tuple[str, Any, bytes]] = []
    todo = [("", root)]
    while todo:
        path, item = todo.pop()
        address = h5o.get_info(item).addr
        if address in seen:
            raise RefusedError(f"contains {shortened(path)!r} under two names")
        seen.add(address)
        if isinstance(item, h5d.DatasetID):
            claimed += _claimed_bytes(path, item)
            stored += item.get_storage_size()
            shapes[path] = item.shape
        elif not isinstance(item, h5g.GroupID):
            raise RefusedError(
                f"contains {shortened(path)!r}, which is neither a group nor an array"
            )
        texts.check(address)
        names = _check_attributes(path, item)
        if not path.startswith("optimizer_weights"):
            lists += [(path, item, name) for name in names]
        for link in item if isinstance(item, h5g.GroupID) else ():
            name = f"{path}/{link.decode(errors='replace')}".removeprefix("/")
            if item.links.get_info(link).type != h5l.TYPE_HARD:
                raise RefusedError(
                    f"contains {shortened(name)!r}, which is a link to another place"
                )
            todo.append((name, h5o.open(item, link)))
            if len(seen) + len(todo) > _MAX_OBJECTS:
                raise RefusedError(f"has more than {_MAX_OBJECTS:,} groups and arrays")
    if stored > size or claimed > min(MAX_BYTES, _FREE_EXPANSION + _MAX_EXPANSION * stored):
        claimed = max(claimed, stored)
        raise RefusedError(f"claims arrays of {claimed:,} bytes, but has only {size:,} bytes")
    _check_name_lists(lists)
    return shapes


def _claimed_bytes(path: str, dataset: Any) -> int:
    """Memory that reading a dataset takes, once its numbers are known to be in the file."""
    layout = dataset.get_create_plist()
    chunked = layout.get_layout() == h5d.CHUNKED
    if layout.get_layout() == h5d.VIRTUAL or layout.get_external_count():
        raise RefusedError(f"contains {shortened(path)!r}, whose numbers lie in another file")
    if not {layout.get_filter(index)[0] for index in range(layout.get_nfilters())} <= _FILTERS:
        raise RefusedError(f"contains {shortened(path)!r} in an unknown compression")
    shape, kind = dataset.shape, dataset.dtype
    if shape is None or not (kind.kind in "fiub" or kind.str == _BFLOAT16):
        raise RefusedError(f"contains {shortened(path)!r}, which is no array of numbers")
    chunk = layout.get_chunk() if chunked else ()
    return int(max(math.prod(shape), math.prod(chunk)) * kind.itemsize)


def _check_attributes(path: str, item: Any) -> list[bytes]:
    """Refuse attributes that are neither text nor numbers; return those that list names."""
    count = h5a.get_num_attrs(item)
    if count > _MAX_ATTRIBUTES:
        raise RefusedError(f"has more than {_MAX_ATTRIBUTES} attributes at {shortened(path)!r}")
    lists: list[bytes] = []
    for index in range(count):
        attribute = h5a.open(item, index=index)
        kind, shape = attribute.dtype, attribute.shape
        plain = kind.kind in "fiubS" or h5py.check_string_dtype(kind) is not None
        if not plain or shape is None or math.prod(shape) * kind.itemsize > MAX_JSON_BYTES:
            raise RefusedError(f"has an attribute at {shortened(path)!r} that is no text or number")
        if attribute.name.startswith((b"layer_names", b"weight_names")) and len(shape) == 1:
            lists.append(attribute.name)
        elif kind.kind == "O" and shape:
            raise RefusedError(
                f"has a list of texts at {shortened(path)!r} that Keras does not write"
            )
    return lists


def _check_name_lists(lists: list[tuple[str, Any, bytes]]) -> None:
    """Refuse lists that name an array twice, because Keras reads every one that is listed."""
    found: dict[str, set[str]] = {}
    for path, group, attribute in lists:
        names = found.setdefault(path, set())
        listed: list[str | bytes] = h5py.Group(group).attrs[attribute].tolist()
        for item in listed:
            name = item.decode(errors="replace") if isinstance(item, bytes) else str(item)
            if name in names or not {"", "."}.isdisjoint(name.split("/")):
                raise RefusedError(f"lists an array of {shortened(path)!r} twice")
            names.add(name)


class _Texts:
    """The texts of a file's attributes, checked before the library reads one.

    An attribute holds the length and place of a text. The library allocates that length before
    it looks at the text, and never returns from a heap of texts whose free space claims no
    size, so both are read here: object headers and global heaps of version 1, which is what
    Keras writes (HDF5 File Format Specification, III.E and IV.A.1.a).
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data = data
        self._heaps: dict[int, dict[int, int]] = {}
        self._heap_bytes = self._text_bytes = 0
        version, base = data[8], data[24:32] if data[8] == 0 else data[28:36]
        if version > 1 or data[13:15] != b"\x08\x08" or any(base):
            raise RefusedError(_UNUSUAL)

    def check(self, address: int) -> None:
        """Check the texts of the object whose header has this address."""
        for kind, flags, body in self._messages(address):
            if kind != _ATTRIBUTE:
                continue
            version, shared, name, datatype, dataspace = struct.unpack_from("<BBHHH", body)
            if flags & 2 or version not in (1, 2, 3) or (version > 1 and shared):
                raise RefusedError(_UNUSUAL)
            if version == 1:
                name, datatype, dataspace = (-(-n // 8) * 8 for n in (name, datatype, dataspace))
            start = (9 if version == 3 else 8) + name
            if body[start] & 0x0F == _VARIABLE_LENGTH:
                texts = body[start + datatype + dataspace :]
                for length, heap, index in struct.iter_unpack("<IQI", texts[: len(texts) & ~15]):
                    self._check_text(length, heap, index)

    def _check_text(self, length: int, heap: int, index: int) -> None:
        self._text_bytes += length
        if length and length > self._heap(heap).get(index, 0):
            raise RefusedError("claims a text that is longer than what is stored")
        if self._text_bytes > _MAX_TEXT_BYTES:
            raise RefusedError(f"has more than {_MAX_TEXT_BYTES >> 20} MiB of text")

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        data, left = self._data, len(self._data)
        if data[address] != 1:
            raise RefusedError(_UNUSUAL)
        blocks = [(address + 16, *struct.unpack_from("<I", data, address + 8))]
        for at, size in blocks:
            end = at + size
            left -= size
            if left < 0 or end > len(data):
                raise RefusedError(DAMAGED)
            while at + 8 <= end:
                kind, length, flags = struct.unpack_from("<HHB", data, at)
                body = data[at + 8 : at + 8 + length]
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack_from("<QQ", body))
                yield kind, flags, body
                at += 8 + length

    def _heap(self, address: int) -> dict[int, int]:
        """Sizes of the texts in a heap, by index."""
        if address in self._heaps:
            return self._heaps[address]
        data, texts = self._data, self._heaps.setdefault(address, {})
        signature, size = struct.unpack_from("<8sQ", data, address)
        self._heap_bytes += size
        if signature[:5] != b"GCOL\x01" or max(address + size, self._heap_bytes) > len(data):
            raise RefusedError(DAMAGED)
        at, end = address + 16, address + size
        while at + 16 <= end:
            index, length = struct.unpack_from("<H6xQ", data, at)
            used = 16 + -(-length // 8) * 8 if index else length
            if not 16 <= used <= end - at:
                raise RefusedError(DAMAGED)
            texts[index] = length
            at += used
        return texts
