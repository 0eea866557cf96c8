"""Ways to spoil an HDF5 file of weights or of a model."""

import re
import struct

import h5py
import numpy as np
from tests.small_models import write_h5

TEXT = 1_234_567


def external_data(path, file):
    secret = path.parent / "secret.bin"
    secret.write_bytes(bytes(1024))
    file.create_dataset("leak", (256,), np.float32, external=[(str(secret), 0, 1024)])


def virtual_data(path, file):
    layout = h5py.VirtualLayout((256,), np.float32)
    layout[:] = h5py.VirtualSource(str(path.parent / "secret.h5"), "x", (256,))
    file.create_virtual_dataset("leak", layout)


def external_link(path, file):
    file["leak"] = h5py.ExternalLink(str(path.parent / "secret.h5"), "/layers")


def soft_link(_, file):
    file["alias"] = h5py.SoftLink("/model_weights")


def cycle(_, file):
    file["model_weights/loop"] = file["model_weights"]


def huge_dataset(_, file, **options):
    file.create_dataset("huge", (1 << 20, 1 << 14), np.float32, **options)


def huge_chunk(_, file):
    file.create_dataset("huge", (1,), np.float32, chunks=(1 << 29,), maxshape=(None,))


def repeated_names(_, file):
    file["model_weights/dense"].attrs["weight_names"] = np.array([b"dense/kernel:0"] * 1_000)


def aliased_names(_, file):
    names = np.array([b"dense/kernel:0", b"./dense/kernel:0"])
    file["model_weights/dense"].attrs["weight_names"] = names


def reference(_, file):
    file.attrs["pointer"] = file["model_weights"].ref


def list_of_texts(_, file):
    file.attrs["texts"] = np.array(["a", "b"], h5py.string_dtype())


def dataset_of_texts(_, file):
    file["texts"] = np.array(["a", "b"], h5py.string_dtype())


def named_type(_, file):
    file["type"] = np.dtype("f4")


def rare_filter(_, file):
    file.create_dataset("packed", data=np.zeros(64, "i4"), chunks=(64,), scaleoffset=0)


def many_attributes(_, file):
    for index in range(100):
        file.attrs[f"a{index}"] = index


def no_weights(_, file):
    del file["model_weights"]


def pointing(path, length, count):
    """Lists `count` names, each of which points to one megabyte of text, and claims `length`."""
    names = np.array([f"{index:0237}" for index in range(count)], h5py.string_dtype())

    def alter(_, file):
        file.attrs["training_config"] = "x" * TEXT
        file["model_weights"].attrs["layer_names"] = names

    write_h5(path, alter=alter)
    data = path.read_bytes()
    text = data.index(struct.pack("<I", TEXT))
    pointer = struct.pack("<I", length) + data[text + 4 : text + 16]
    path.write_bytes(re.sub(rb"\xed\0{3}(?!\0{4}).{12}", lambda _: pointer, data, flags=re.DOTALL))


def endless(path):
    """The free space behind the texts of an HDF5 file is zero bytes large."""
    write_h5(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while data[at]:
        (length,) = struct.unpack_from("<Q", data, at + 8)
        at += 16 + -(-length // 8) * 8
    struct.pack_into("<Q", data, at + 8, 0)
    path.write_bytes(data)


def newest(path):
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = "{}"
