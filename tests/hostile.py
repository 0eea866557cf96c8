"""Model files that must be refused; each differs from a good one in one thing.

Files that carry code would create `SENTINEL` beside themselves if it were run.
"""

import base64
import marshal
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
from tests import hostile_hdf5 as hdf5
from tests.small_models import layer, sequential, write_h5, write_keras

SENTINEL = "executed"


# Code


def marshalled(path):
    """A function that creates the sentinel, as Keras stores lambdas."""
    source = f"lambda x: open({str(path.parent / SENTINEL)!r}, 'w') and x"
    code = next(
        const for const in compile(source, "", "eval").co_consts if hasattr(const, "co_code")
    )
    return base64.b64encode(marshal.dumps(code)).decode()


class Pickled:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path.parent / SENTINEL), "w")


def keras_lambda(path):
    function = {
        "class_name": "__lambda__",
        "config": {"code": marshalled(path), "defaults": None, "closure": None},
    }
    write_keras(path, sequential(layer("Lambda", name="lambda_3", function=function)))


def h5_lambda(path):
    function = [marshalled(path), None, None]
    write_h5(path, sequential(layer("Lambda", None, function=function), legacy=True))


def function(module, name):
    config = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return sequential(layer("Dense", units=3, activation=config))


# Sizes


def deep_json(path):
    write_keras(path, '{"a":' * 100_000 + "1" + "}" * 100_000)


def deep_config(path):
    config = sequential()
    for _ in range(40):
        config = layer("Sequential", "keras", layers=[config])
    write_keras(path, config)


def doubling(path):
    config = sequential()
    for _ in range(12):
        nested = config | {"inbound_nodes": [[], []]}
        config = layer("Sequential", "keras", layers=[nested])
    write_keras(path, config)


def many_layers(count):
    layers = [layer("ReLU", name=f"relu{index}") for index in range(count)]
    return layer("Functional", "keras", layers=layers)


# Archives


def archive_of(path, names, data=b"{}", method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)


def bomb(path, member):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.writestr(name, bytes(1 << 26) if name == member else b"{}")


def patched(path, offset, kind, value, write=write_keras):
    """An archive whose directory says something else of its first member."""
    write(path)
    data = bytearray(path.read_bytes())
    struct.pack_into(kind, data, data.index(b"PK\x01\x02") + offset, value)
    path.write_bytes(data)


def misstated(path, size):
    """config.json unpacks to a mebibyte, its entry says `size` and has a checksum to match."""
    names = ["config.json", "model.weights.h5"]
    write = partial(archive_of, names=names, data=bytes(1 << 20), method=zipfile.ZIP_DEFLATED)
    stored = bytes(min(size, 1 << 20))
    patched(path, 16, "<I", zlib.crc32(stored), lambda path: patched(path, 24, "<I", size, write))


def duplicate(path):
    write_keras(path, **{"xonfig.json": "{}"})
    path.write_bytes(path.read_bytes().replace(b"xonfig.json", b"config.json"))


def many_members(path):
    archive_of(path, ["config.json", *(f"{index:0100}" for index in range(1_000))])


def truncated(path, write):
    write(path)
    path.write_bytes(path.read_bytes()[:-500])


def saved_model(path):
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")


def pickled(path):
    path.write_bytes(pickle.dumps(Pickled(path)))


def _keras(config):
    return lambda path: write_keras(path, config)


def _h5(config):
    return lambda path: write_h5(path, config)


def _weights(alter):
    return lambda path: write_keras(path, alter=alter)


def _model(alter):
    return lambda path: write_h5(path, alter=alter)


def _member(name):
    return lambda path: write_keras(path, **{name: b"raise SystemExit"})


def _bytes(data):
    return lambda path: path.write_bytes(data)


_CODE = "code in a model file is never run"
_BUILT_IN = "not one of the built-in layers that may be loaded"
_ABSURD = "which is absurdly large"
_ELSEWHERE = "whose numbers lie in another file"
_LINK = "which is a link to another place"
_CLAIMS = "claims arrays of 68,719,477,508 bytes, but has only"
_GZIP = {"chunks": (256, 256), "compression": "gzip"}

_HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "lambda.keras": (keras_lambda, f"a Lambda layer ('lambda_3'), which is code, and {_CODE}"),
    "lambda.h5": (h5_lambda, f"a Lambda layer ('lambda'), which is code, and {_CODE}"),
    "system.keras": (_keras(function("os", "system")), "names the function os.system"),
    "builtin.keras": (_keras(function("builtins", "exec")), "names the function builtins.exec"),
    "download.keras": (_keras(function("keras.utils", "get_file")), "keras.utils.get_file"),
    "switch.keras": (_keras(function("keras.config", "enable_unsafe_deserialization")), _CODE),
    "switch-layer.keras": (
        _keras(sequential(layer("enable_unsafe_deserialization", "keras.config"))),
        f"of keras.config, which is {_BUILT_IN}",
    ),
    "custom.keras": (
        _keras(sequential(layer("Dense", "evil", units=1))),
        f"contains Dense ('dense') of evil, which is {_BUILT_IN}",
    ),
    "custom.h5": (
        _h5(sequential(layer("Evil", None), legacy=True)),
        f"contains Evil ('evil'), which is {_BUILT_IN}",
    ),
    "disguised.keras": (
        _keras(sequential(layer("Dense", units=1) | {"registered_name": "Evil>Dense"})),
        f"contains Evil>Dense ('dense') of keras.layers, which is {_BUILT_IN}",
    ),
    "saved-model-layer.keras": (_keras(sequential(layer("TFSMLayer", filepath="/"))), _BUILT_IN),
    "vocabulary.keras": (
        _keras(sequential(layer("StringLookup", vocabulary="/etc/passwd"))),
        _BUILT_IN,
    ),
    "array.keras": (
        _keras(sequential(layer("Rescaling", scale=layer("__numpy__", None, dtype="S1000000000")))),
        _BUILT_IN,
    ),
    "unhashable.keras": (_keras(sequential(layer("Dense", ["keras.layers"]))), _BUILT_IN),
    "pickle.h5": (pickled, f"is pickled Python, which is code, and {_CODE}"),
    "units.keras": (_keras(sequential(layer("Dense", units=10**9))), _ABSURD),
    "units.h5": (_h5(sequential(layer("Dense", None, units=10**9), legacy=True)), _ABSURD),
    "digits.keras": (_keras(sequential(layer("Dense", units=10**400))), _ABSURD),
    "image.keras": (_keras(sequential(size=10**6)), "asks for batch_shape = [None, 1000000, "),
    "image.h5": (_h5(sequential(size=10**6, legacy=True)), _ABSURD),
    "padding.keras": (_keras(sequential(layer("ZeroPadding2D", padding=10**6))), _ABSURD),
    "reshape.keras": (_keras(sequential(layer("Reshape", target_shape=[10**6] * 9))), _ABSURD),
    "rank.keras": (_keras(sequential(layer("Reshape", target_shape=[1] * 99))), _ABSURD),
    "hidden.keras": (_keras(sequential(layer("SeparableConv2D", depth_multiplier=99))), _ABSURD),
    "layers.keras": (_keras(many_layers(1_500)), "has more than 1,200 layers"),
    "sequential.keras": (
        _keras(sequential(*[layer("ReLU")] * 130)),
        "has a sequential model of more than 128 layers",
    ),
    "doubling.keras": (doubling, "has more than 1,200 layers"),
    "deep-json.keras": (deep_json, "has a config.json that is nested too deeply"),
    "deep.keras": (deep_config, "has a configuration that is nested too deeply"),
    "no-json.keras": (_keras("hello"), "has a config.json that is not JSON"),
    "list.keras": (_keras("[1]"), "has a config.json that is not a JSON object"),
    "nothing.keras": (_keras("{}"), "has a configuration that names no model"),
    "external-data.keras": (_weights(hdf5.external_data), _ELSEWHERE),
    "external-data.h5": (_model(hdf5.external_data), _ELSEWHERE),
    "virtual-data.keras": (_weights(hdf5.virtual_data), _ELSEWHERE),
    "virtual-data.h5": (_model(hdf5.virtual_data), _ELSEWHERE),
    "external-link.keras": (_weights(hdf5.external_link), f"contains 'leak', {_LINK}"),
    "external-link.h5": (_model(hdf5.external_link), _LINK),
    "soft-link.h5": (_model(hdf5.soft_link), f"contains 'alias', {_LINK}"),
    "cycle.h5": (_model(hdf5.cycle), "under two names"),
    "unallocated.keras": (_weights(hdf5.huge_dataset), _CLAIMS),
    "unallocated.h5": (_model(hdf5.huge_dataset), _CLAIMS),
    "compressed.keras": (_weights(partial(hdf5.huge_dataset, **_GZIP)), _CLAIMS),
    "compressed.h5": (_model(partial(hdf5.huge_dataset, **_GZIP)), _CLAIMS),
    "chunk.h5": (_model(hdf5.huge_chunk), "claims arrays of 2,147,"),
    "repeated-names.h5": (
        _model(hdf5.repeated_names),
        "lists an array of 'model_weights/dense' twice",
    ),
    "aliased-names.h5": (
        _model(hdf5.aliased_names),
        "lists an array of 'model_weights/dense' twice",
    ),
    "long-names.h5": (
        partial(hdf5.pointing, length=hdf5.TEXT, count=50),
        "more than 16 MiB of text",
    ),
    "long-text.h5": (
        partial(hdf5.pointing, length=(1 << 32) - 1, count=1),
        "claims a text that is long",
    ),
    "endless.h5": (hdf5.endless, "is cut short or damaged"),
    "newest.h5": (
        hdf5.newest,
        "is HDF5 of a kind that Keras does not write; save it",
    ),
    "reference.h5": (_model(hdf5.reference), "has an attribute at '' that is no text or number"),
    "texts.h5": (_model(hdf5.list_of_texts), "has a list of texts at '' that Keras does not write"),
    "text-array.h5": (_model(hdf5.dataset_of_texts), "which is no array of numbers"),
    "type.h5": (_model(hdf5.named_type), "contains 'type', which is neither a group nor an array"),
    "filter.h5": (_model(hdf5.rare_filter), "contains 'packed' in an unknown compression"),
    "attributes.h5": (_model(hdf5.many_attributes), "has more than 64 attributes at ''"),
    "no-weights.h5": (_model(hdf5.no_weights), "contains no weights"),
    "other.h5": (lambda path: h5py.File(path, "w").close(), "holds no Keras model or weights"),
    "bomb.keras": (partial(bomb, member="model.weights.h5"), "'model.weights.h5', which claims"),
    "json-bomb.keras": (
        partial(bomb, member="config.json"),
        "contains 'config.json', which claims",
    ),
    "understated.keras": (partial(misstated, size=1_000), "is cut short or damaged"),
    "overstated.keras": (partial(misstated, size=1 << 21), "whose stated size is wrong"),
    "encrypted.keras": (partial(patched, offset=8, kind="<H", value=1), "is encrypted"),
    "packed.keras": (partial(patched, offset=10, kind="<H", value=14), "in an unknown compression"),
    "duplicate.keras": (duplicate, "contains two members of the same name"),
    "members.keras": (many_members, "is a zip archive of far too many members"),
    "traversal.keras": (_member("../evil.py"), "'../evil.py', which does not belong in a model"),
    "extra.keras": (_member("assets/evil.pkl"), "'assets/evil.pkl', which does not belong"),
    "description.keras": (_member("mesonet.json"), "has a mesonet.json that is not JSON"),
    "weightless.keras": (partial(archive_of, names=["config.json"]), "contains no weights"),
    "no-hdf5.keras": (
        partial(
            archive_of, names=["config.json", "model.weights.h5"], data=b'{"class_name": "Model"}'
        ),
        "contains weights that are not HDF5",
    ),
    "torch.keras": (partial(archive_of, names=["m/data.pkl"]), "is a PyTorch file, which is code"),
    "zipped.keras": (partial(archive_of, names=["m/saved_model.pb"]), "is a TensorFlow SavedModel"),
    "other.keras": (partial(archive_of, names=["a.npy"]), "is a zip archive, but not of a Keras"),
    "cut.keras": (partial(truncated, write=write_keras), "is cut short"),
    "cut.h5": (partial(truncated, write=write_h5), "is cut short or damaged"),
    "folder.keras": (Path.mkdir, "is a folder"),
    "saved-model": (saved_model, "is a TensorFlow SavedModel"),
    "saved_model.pb": (_bytes(b"\x08\x01\x12\x00"), "is a TensorFlow SavedModel"),
    "onnx.keras": (
        _bytes(b"\x08\x08\x12\x07pytorch"),
        "is ONNX, which is an export format here; give the .keras file it came from",
    ),
    "lite.keras": (_bytes(b"\x1c\0\0\0TFL3" + bytes(64)), "is TensorFlow Lite"),
    "image.h5.png": (_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64)), "is an image, not a model"),
    "text.keras": (_bytes(b"a few words\n"), "is a text file, not a model"),
    "empty.h5": (_bytes(b""), "is empty"),
    "noise.h5": (_bytes(bytes(range(255, 0, -1))), "is neither a .keras nor an HDF5 model file"),
}

REASONS = {name: reason for name, (_, reason) in _HOSTILE.items()}
"""What inspection has to say of each of `hostile_models`."""


def hostile_models(folder: Path) -> dict[str, Path]:
    """Write every file that inspection refuses, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in _HOSTILE}
    for name, path in paths.items():
        _HOSTILE[name][0](path)
    return paths


def oversized_models(folder: Path) -> dict[str, Path]:
    """Write files whose numbers are plausible, but multiply to terabytes in the network."""
    folder.mkdir(parents=True, exist_ok=True)
    wide = sequential(layer("Dense", name="wide", units=100_000), size=4_000)
    wide["config"]["layers"].insert(1, layer("Flatten", name="flat"))
    legacy = sequential(layer("Dense", None, name="wide", units=100_000), size=4_000, legacy=True)
    legacy["config"]["layers"].insert(1, layer("Flatten", None, name="flat"))
    pool = layer("GlobalAveragePooling2D")
    tall = sequential(layer("UpSampling2D", size=[5_000, 5_000]), pool)
    inner = sequential(layer("UpSampling2D", size=[5_000, 5_000]), size=None)
    inner["config"]["layers"][-2:] = [pool]
    hidden = sequential(inner)
    paths = {name: folder / f"{name}.keras" for name in ("wide", "tall", "hidden")}
    for name, config in zip(paths, (wide, tall, hidden), strict=True):
        write_keras(paths[name], config, features=3)
    paths["legacy"] = folder / "legacy.h5"
    write_h5(paths["legacy"], legacy)
    return paths
