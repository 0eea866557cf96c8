"""Follows the pickle of a PyTorch checkpoint without ever running it.

A pickle may name any function to call. `Machine` knows how to put together plain values,
dictionaries, lists and tensors, and refuses everything else. What it returns takes memory in
proportion to the pickle: the numbers of a tensor stay where they are.
"""

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mesonet.inspection.limits import CODE, DAMAGED, RefusedError

_MAX_RANK = 16
_MAX_QUOTE = 100
_BFLOAT16 = "torch BFloat16Storage"

_STORAGES = {
    "torch BoolStorage": np.dtype("?"),
    "torch ByteStorage": np.dtype("u1"),
    "torch CharStorage": np.dtype("i1"),
    "torch ShortStorage": np.dtype("<i2"),
    "torch IntStorage": np.dtype("<i4"),
    "torch LongStorage": np.dtype("<i8"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch FloatStorage": np.dtype("<f4"),
    "torch DoubleStorage": np.dtype("<f8"),
    _BFLOAT16: np.dtype("<u2"),
}
_DICTIONARY = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_PARAMETER = "torch._utils _rebuild_parameter"
_GLOBALS = {_DICTIONARY, _TENSOR, _PARAMETER, *_STORAGES}

_MARK = object()
_SILENT = {"PROTO", "FRAME", "STOP"}
_LITERALS = {
    "BINFLOAT",
    "BININT",
    "BININT1",
    "BININT2",
    "BINSTRING",
    "BINUNICODE",
    "LONG1",
    "SHORT_BINSTRING",
    "SHORT_BINUNICODE",
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "MARK": _MARK}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers that lies elsewhere in the file.

    Attributes:
        kind: its class, such as ``"torch FloatStorage"``.
        key: its name in the file.
        length: how many numbers it claims to have.
    """

    kind: str
    key: str
    length: int

    @property
    def nbytes(self) -> int:
        """How many bytes it claims to have."""
        return self.length * _STORAGES[self.kind].itemsize

    def decode(self, data: bytes) -> NDArray[Any]:
        """Its numbers, of shape ``(length,)``, read-only; bfloat16 as float32."""
        values = np.frombuffer(data, _STORAGES[self.kind])
        return (values.astype("<u4") << 16).view("<f4") if self.kind == _BFLOAT16 else values


@dataclass(frozen=True, slots=True)
class Tensor:
    """A window on a storage; offset and strides count values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def view(self, values: NDArray[Any]) -> NDArray[Any]:
        """The window on the storage's numbers, without a copy."""
        strides = [stride * values.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, strides, writeable=False
        )


@dataclass(frozen=True, slots=True)
class _Global:
    name: str


class Machine:
    """Puts together what one pickle describes.

    Attributes:
        storages: every storage that the pickle refers to, by key.
    """

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: IO[bytes]) -> Any:
        """Follow the pickle and return its value; the stream is left right behind it.

        Raises:
            RefusedError: it names code, or what no PyTorch checkpoint contains.
            Exception: anything of `LookupError`, `TypeError` and `ValueError` where damaged.
        """
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name not in _SILENT:
                self._follow(opcode.name, argument)
        (value,) = self._stack
        return value

    def _follow(self, name: str, argument: Any) -> None:
        push = self._stack.append
        if name in _LITERALS:
            push(argument)
        elif name in _CONSTANTS:
            push(_CONSTANTS[name])
        elif name in _EMPTY:
            push(_EMPTY[name]())
        elif name in _TUPLES:
            push(tuple(self._pop(_TUPLES[name])))
        else:
            self._combine(name, argument)

    def _combine(self, name: str, argument: Any) -> None:
        stack, memo = self._stack, self._memo
        match name:
            case "TUPLE":
                stack.append(tuple(self._pop_marked()))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPEND":
                self._extend(self._pop(1))
            case "APPENDS":
                self._extend(self._pop_marked())
            case "SETITEM":
                self._update(self._pop(2))
            case "SETITEMS":
                self._update(self._pop_marked())
            case "GLOBAL":
                stack.append(_allowed(argument))
            case "STACK_GLOBAL":
                stack.append(_allowed(" ".join(self._pop(2))))
            case "BINPERSID":
                stack.append(self._refer(stack.pop()))
            case "REDUCE":
                stack.append(_call(*self._pop(2)))
            case "BUILD":  # attributes of a dictionary, such as a state dict's _metadata
                stack.pop()
                expect(stack[-1], dict)
            case _:
                raise RefusedError(f"contains the pickle instruction {name}, {CODE}")

    def _pop(self, count: int) -> list[Any]:
        values = self._stack[-count:]
        del self._stack[-count:]
        if len(values) < count:
            raise RefusedError(DAMAGED)
        return values

    def _pop_marked(self) -> list[Any]:
        values = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _extend(self, values: list[Any]) -> None:
        expect(self._stack[-1], list).extend(values)

    def _update(self, values: list[Any]) -> None:
        target = expect(self._stack[-1], dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[expect(key, str, int)] = value

    def _refer(self, identity: Any) -> Storage:
        match identity:
            case ("storage", _Global(kind), str(key), str(), int(length), *rest) if (
                kind in _STORAGES and length >= 0 and rest in ([], [None])
            ):
                storage = Storage(kind, key, length)
            case _:
                raise RefusedError("refers to numbers in a way that PyTorch does not write")
        if self.storages.setdefault(key, storage) != storage:
            raise RefusedError(f"describes storage {key[:_MAX_QUOTE]!r} in two ways")
        return storage


def expect(value: Any, *kinds: type) -> Any:
    """Pass on a value of one of these types.

    Raises:
        RefusedError: it is of another.
    """
    if type(value) not in kinds:
        raise RefusedError(DAMAGED)
    return value


def _allowed(name: str) -> _Global:
    if name not in _GLOBALS:
        raise RefusedError(f"names {name.replace(' ', '.')[:_MAX_QUOTE]}, {CODE}")
    return _Global(name)


def _call(function: Any, arguments: Any) -> Any:
    name = expect(function, _Global).name
    match expect(arguments, tuple):
        case () if name == _DICTIONARY:
            return {}
        case (list(pairs),) if name == _DICTIONARY:  # as Python 2 wrote it
            return {expect(key, str, int): value for key, value in pairs}
        case (Tensor() as tensor, *_) if name == _PARAMETER:
            return tensor
        case (Storage() as storage, offset, tuple(shape), tuple(strides), *_) if name == _TENSOR:
            return _tensor(storage, offset, shape, strides)
    raise RefusedError(DAMAGED)


def _tensor(
    storage: Storage, offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]
) -> Tensor:
    """A tensor all of whose values lie in its storage, which has at least as many."""
    if any(expect(number, int) < 0 for number in (offset, *shape, *strides)):
        raise RefusedError("contains a tensor of negative size")
    if len(shape) != len(strides) or len(shape) > _MAX_RANK:
        raise RefusedError(DAMAGED)
    count = math.prod(shape)
    last = sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    end = offset + (last + 1 if count else 0)
    if max(count, end) > storage.length:
        raise RefusedError(
            f"contains a tensor of {count:,} values that reaches beyond "
            f"the {storage.length:,} values it is part of"
        )
    return Tensor(storage, offset, shape, strides)
