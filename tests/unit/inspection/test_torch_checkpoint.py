import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.torch_files import (
    Call,
    Name,
    Numbers,
    Raw,
    describe,
    pickled,
    rebuilt,
    write_chain,
    write_checkpoint,
    write_zip,
)

from mesonet.errors import CheckpointError
from mesonet.inspection.torch_checkpoint import read_torch_checkpoint

FLOATS = np.arange(6, dtype="f4")
SIX = Numbers("FloatStorage", "0", 6)
BYTES = {"0": FLOATS.tobytes()}
CODE = "which is code, and code in a model file is never run"
DAMAGED = "is cut short or damaged and cannot be read"
SENTINEL = "sentinel"


@pytest.mark.parametrize("write", [write_zip, write_chain])
def test_tensors_come_back_with_name_shape_and_values(tmp_path, write):
    tensors = {
        "layers.0.weight": np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("f4"),
        "layers.0.bias": np.float32([1, -2]),
        "scalar": np.float32(7),
        "nothing": np.zeros((0, 3), "f4"),
    }
    read = read_torch_checkpoint(write(tmp_path / "a.pth", *describe(tensors)))
    assert list(read) == list(tensors)
    for name, values in tensors.items():
        np.testing.assert_array_equal(read[name], values, strict=True)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64", "uint8", "bool"])
def test_numbers_keep_their_type(tmp_path, kind):
    values = np.array([[1, 0, 1], [0, 0, 3]]).astype(kind)
    read = read_torch_checkpoint(write_checkpoint(tmp_path / "a.pth", {"a": values}))
    np.testing.assert_array_equal(read["a"], values, strict=True)


def test_bfloat16_becomes_float32(tmp_path):
    stored = struct.pack("<3H", 0x3F80, 0xC020, 0x0000)
    tensor = rebuilt(Numbers("BFloat16Storage", "0", 3), (3,), (1,))
    read = read_torch_checkpoint(write_zip(tmp_path / "a.pth", {"a": tensor}, {"0": stored}))
    np.testing.assert_array_equal(read["a"], np.float32([1, -2.5, 0]), strict=True)


def test_tensors_may_share_a_storage_in_any_order(tmp_path):
    state = {
        "all": rebuilt(SIX, (2, 3), (3, 1)),
        "turned": rebuilt(SIX, (3, 2), (1, 3)),
        "part": rebuilt(SIX, (2,), (2,), offset=1),
    }
    read = read_torch_checkpoint(write_zip(tmp_path / "a.pth", state, BYTES))
    np.testing.assert_array_equal(read["all"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(read["turned"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(read["part"], [1, 3])


def test_a_nested_state_dict_is_unwrapped_and_other_values_are_left_out(tmp_path):
    parameter = Call(
        Name("torch._utils", "_rebuild_parameter"), (rebuilt(SIX, (6,), (1,)), True, None)
    )
    value = {"epoch": 3, "state_dict": {"a": parameter, "note": "text", "list": [1, None]}}
    read = read_torch_checkpoint(write_zip(tmp_path / "a.pth", value, BYTES))
    assert list(read) == ["a"]
    np.testing.assert_array_equal(read["a"], FLOATS)


def test_state_dict_of_python_2_is_read(tmp_path):
    pairs = [["a", rebuilt(SIX, (6,), (1,))]]
    value = Call(Name("collections", "OrderedDict"), (pairs,))
    read = read_torch_checkpoint(write_chain(tmp_path / "a.pth", value, BYTES))
    np.testing.assert_array_equal(read["a"], FLOATS)


def test_storages_of_what_is_left_out_are_skipped(tmp_path):
    value = {
        "optimizer": {0: rebuilt(Numbers("FloatStorage", "other", 1), (1,), (1,))},
        "state_dict": {"a": rebuilt(SIX, (6,), (1,))},
    }
    storages = {"other": b"1234"} | BYTES
    for write in (write_zip, write_chain):
        read = read_torch_checkpoint(write(tmp_path / "a.pth", value, storages))
        np.testing.assert_array_equal(read["a"], FLOATS)


@pytest.mark.parametrize("new_form", [True, False])
def test_what_torch_writes_is_what_is_read(tmp_path, new_form):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2)
    )
    state = network.state_dict()  # with _metadata
    state["turned"] = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    state["part"] = torch.arange(20.0)[3:15:4]
    state["scalar"] = torch.tensor(4)
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.ones(2))
    for kind in ("float16", "float64", "bfloat16", "int64", "int32", "int8", "uint8", "bool"):
        state[kind] = torch.arange(5).to(getattr(torch, kind))
    path = tmp_path / "a.pth"
    torch.save({"state_dict": state, "epoch": 1}, path, _use_new_zipfile_serialization=new_form)
    read = read_torch_checkpoint(path)
    assert list(read) == list(state)
    for name, tensor in state.items():
        tensor = tensor.detach()
        expected = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        np.testing.assert_array_equal(read[name], expected, strict=True)


# Refusals


class Evil:
    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self):
        return os.system, (f"touch {self.sentinel}",)


def zipped(value, storages=BYTES, **options):
    return lambda path: write_zip(path, value, storages, **options)


def chained(value, storages=BYTES, **options):
    return lambda path: write_chain(path, value, storages, **options)


def binary(data):
    return lambda path: path.write_bytes(data)


def system(path):
    write_zip(path, Raw(pickle.dumps(Evil(path.parent / SENTINEL), 2)[2:-1]), {})


def system_of_protocol_4(path):
    write_zip(path, Raw(pickle.dumps(Evil(path.parent / SENTINEL), 4)[:-1]), {})


def system_in_a_chain(path):
    write_chain(path, Raw(pickle.dumps(Evil(path.parent / SENTINEL), 2)[2:-1]), {})


def plain_pickle(path):
    path.write_bytes(pickle.dumps(Evil(path.parent / SENTINEL)))


def cut(share, write=write_zip):
    def damage(path):
        data = write(path, *describe({"a": np.ones(1_000, "f4")})).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return damage


def flipped(path):
    data = bytearray(write_checkpoint(path, {"a": np.zeros(1_000, "f4")}).read_bytes())
    data[data.index(bytes(100)) + 50] = 1
    path.write_bytes(data)


def many_members(path):
    write_zip(path, {"a": one(1)}, {str(number): b"" for number in range(20_000)})


def overlapping(path):
    """The directory points to the same stored bytes many times."""
    numbers = bytes(4_000_000)
    state = {
        str(k): rebuilt(Numbers("ByteStorage", str(k), 4_000_000), (1,), (1,)) for k in range(99)
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(state))
        archive.writestr("archive/data/0", numbers)
        (first,) = [member for member in archive.filelist if member.filename.endswith("/0")]
        for key in range(1, 99):
            archive.filelist.append(again := zipfile.ZipInfo(f"archive/data/{key}"))
            again.header_offset, again.CRC = first.header_offset, first.CRC
            again.file_size = again.compress_size = first.file_size


def other_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"1")


def one(*shape, strides=None, offset=0, storage=SIX):
    return rebuilt(storage, shape, strides or (1,) * len(shape), offset)


HOSTILE = {
    "system": (system, f"names posix.system, {CODE}"),
    "protocol 4": (system_of_protocol_4, f"names posix.system, {CODE}"),
    "chain": (system_in_a_chain, f"names posix.system, {CODE}"),
    "pickle": (plain_pickle, f"names posix.system, {CODE}"),
    "eval": (zipped(Call(Name("builtins", "eval"), ("1",))), f"names builtins.eval, {CODE}"),
    "whole model": (zipped(Name("torchvision.models", "VGG")), "names torchvision.models.VGG, "),
    "rebuild": (
        zipped(Name("torch._utils", "_rebuild_qtensor")),
        "_rebuild_qtensor, which is code",
    ),
    "instance": (zipped(Raw(b"(ios\nsystem\n")), f"the pickle instruction INST, {CODE}"),
    "extension": (zipped(Raw(b"\x82\x01")), f"the pickle instruction EXT1, {CODE}"),
    "reduce": (zipped(Call("print", ())), DAMAGED),
    "tensor of text": (zipped(one(1, storage="text")), DAMAGED),
    "build": (zipped(Raw(b"cos\nsystem\n}b")), "names os.system"),
    "build of text": (zipped(Raw(b"X\x01\0\0\0a}b")), DAMAGED),
    "empty stack": (zipped(Raw(b"t")), DAMAGED),
    "memo": (zipped(Raw(b"h\x07")), DAMAGED),
    "odd items": (zipped(Raw(b"}(Nu")), DAMAGED),
    "tuple key": (zipped(Raw(b"})Ns")), DAMAGED),
    "length of text": (zipped(Raw(b"X\xff\xff\xff\x7fabc")), DAMAGED),
    "length of bytes": (zipped(Raw(b"\x8e" + b"\xff" * 7 + b"\x7f")), DAMAGED),
    "unknown instruction": (zipped(Raw(b"\xf0")), DAMAGED),
    "large pickle": (zipped("a" * (2 << 20)), "contains 'archive/data.pkl' of 2,097,"),
    "large pickle in a chain": (chained("a" * (2 << 20)), DAMAGED),
    "dictionaries": (zipped(Raw(b"}" * (1_000_000))), DAMAGED),
    "deep": (zipped(Raw(b"]" + b"]" * 100_000 + b"a" * 100_000)), "holds no state dict of tensors"),
    "beyond": (zipped({"a": one(7)}), "a tensor of 7 values that reaches beyond the 6"),
    "offset": (zipped({"a": one(2, offset=5)}), "reaches beyond the 6"),
    "empty offset": (zipped({"a": one(0, offset=7)}), "reaches beyond the 6"),
    "stride": (zipped({"a": one(2, strides=(2**70,))}), "reaches beyond the 6"),
    "repeated": (zipped({"a": one(10**9, strides=(0,))}), "of 1,000,000,000 values that reaches"),
    "absurd": (zipped({"a": one(*(2**120,) * 16)}), "reaches beyond|cut short"),
    "negative": (zipped({"a": one(-1)}), "contains a tensor of negative size"),
    "negative stride": (zipped({"a": one(2, strides=(-1,), offset=3)}), "of negative size"),
    "rank": (zipped({"a": one(*(1,) * 40)}), DAMAGED),
    "rank of strides": (zipped({"a": one(1, 1, strides=(1,))}), DAMAGED),
    "shape of text": (zipped({"a": one("1")}), DAMAGED),
    "kind": (zipped({"a": one(1, storage=Numbers("Tensor", "0", 6))}), "names torch.Tensor"),
    "view": (
        chained({"a": one(1, storage=Numbers("FloatStorage", "0", 6, (("1", 0, 6),)))}),
        "refers to numbers in a way that PyTorch does not write",
    ),
    "two kinds": (
        zipped({"a": one(1), "b": one(1, storage=Numbers("HalfStorage", "0", 6))}),
        "describes storage '0' in two ways",
    ),
    "short storage": (
        zipped({"a": one(6)}, {"0": bytes(20), "filler": bytes(100)}),
        "claims 24 bytes for storage '0', of which 20 are stored",
    ),
    "long storage": (
        zipped({"a": one(6)}, {"0": bytes(28)}),
        "'archive/data/0' of 28 bytes, not 24",
    ),
    "no storage": (zipped({"a": one(6)}, {"filler": bytes(100)}), "lacks storage '0'"),
    "no storage in a chain": (chained({"a": one(6)}, {}), "lacks storage '0'"),
    "vast storage": (
        zipped({"a": one(1, storage=Numbers("FloatStorage", "0", 10**12))}),
        "claims 4,000,000,000,000 bytes of numbers, but has only",
    ),
    "short chain": (
        chained({"a": one(1, storage=Numbers("FloatStorage", "0", 10**12))}, itemsize=24),
        "describes storage '0' in two ways",
    ),
    "overlapping": (overlapping, "claims 396,000,000 bytes of numbers, but has only"),
    "bomb": (
        zipped({"a": one(1)}, {"0": bytes(10_000_000)}, compression=zipfile.ZIP_DEFLATED),
        "compressed, which PyTorch never does",
    ),
    "members": (many_members, "is a zip archive of far too many members"),
    "cut": (cut(0.9), "is cut short, or is no zip archive"),
    "cut chain": (cut(0.9, write_chain), "of which 3,"),
    "cut pickle": (cut(0.02, write_chain), DAMAGED),
    "flipped": (flipped, DAMAGED),
    "program": (zipped({"a": one(1)}, extra={"constants.pkl": b""}), "is a TorchScript program"),
    "big-endian": (zipped({}, extra={"byteorder": b"big"}), "on a big-endian machine"),
    "big-endian chain": (chained({}, order=False), "on a big-endian machine"),
    "no tensors": (zipped({"state_dict": {"a": 1}}), "holds no state dict of tensors"),
    "list": (zipped([one(1)]), "holds no state dict of tensors"),
    "harmless pickle": (binary(pickle.dumps({"a": 1})), "is pickled Python, but no PyTorch"),
    "version": (
        binary(pickled(0x1950A86A20F9469CFC6C) + pickled(1002)),
        "is a PyTorch checkpoint of an unknown version",
    ),
    "other archive": (
        other_archive,
        "is a zip archive, but not of a PyTorch checkpoint",
    ),
    "image": (binary(b"\x89PNG\r\n\x1a\n"), "is no PyTorch checkpoint"),
    "empty": (binary(b""), "is empty"),
    "folder": (Path.mkdir, "is not a regular file"),
    "nothing": (lambda path: None, "does not exist"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_in_one_sentence(tmp_path, name):
    write, reason = HOSTILE[name]
    path = tmp_path / "a.pth"
    write(path)
    started = time.process_time()
    with pytest.raises(CheckpointError) as caught:
        read_torch_checkpoint(path)
    assert time.process_time() - started < 5
    assert any(part in caught.value.reason for part in reason.split("|"))
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    assert "\n" not in caught.value.reason
    assert not (tmp_path / SENTINEL).exists()


@pytest.mark.parametrize(
    "name", ["bomb", "overlapping", "vast storage", "repeated", "length of text", "members"]
)
def test_refusing_takes_little_memory(tmp_path, name):
    path = tmp_path / "a.pth"
    HOSTILE[name][0](path)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError):
            read_torch_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
