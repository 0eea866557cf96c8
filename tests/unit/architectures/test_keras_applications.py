import json

import numpy as np
import pytest

from mesonet.architectures import create_backbone, create_model, get_architecture
from mesonet.backend import keras
from mesonet.inspection.keras_config import check_config
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

CHANNELS = {"mobilenet_v2": 1280, "mobilenet_v3_large": 960, "mobilenet_v3_small": 576}
OWN = {
    "efficientnet_b0": keras.applications.efficientnet,
    "mobilenet_v2": keras.applications.mobilenet_v2,
    "mobilenet_v3_large": keras.applications.mobilenet_v3,
    "mobilenet_v3_small": keras.applications.mobilenet_v3,
}
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
DOWNLOAD = "keras.src.utils.file_utils.get_file"


@pytest.mark.parametrize("name", OWN)
def test_images_are_prepared_as_keras_prepares_them(name):
    expected = OWN[name].preprocess_input(PIXELS.astype("f4"))
    prepared = get_architecture(name).preprocessing.scale(PIXELS)
    np.testing.assert_allclose(prepared, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANNELS)
def test_feature_map_is_a_32nd_of_the_image(name):
    model = create_backbone(name, 65, weights=None)
    assert model.input.shape == (None, 65, 65, 3)
    assert model.output.shape == (None, 3, 3, CHANNELS[name])
    check_config(json.loads(model.to_json()))


@pytest.mark.slow
def test_efficientnet_computes_what_keras_computes_with_the_published_weights(
    tmp_path, monkeypatch
):
    def build(weights):
        return keras.applications.EfficientNetB0(
            include_top=False, weights=weights, input_shape=(64, 64, 3)
        )

    donor = build(None)
    normalization = donor.get_layer(index=2)
    published = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1)
    normalization.set_weights([np.asarray(values) for values in published])
    donor.save_weights(path := tmp_path / "imagenet.weights.h5")
    monkeypatch.setattr(DOWNLOAD, lambda *args, **options: str(path))
    images = PIXELS.astype("f4")
    expected = np.asarray(build("imagenet")(images))

    model = create_backbone("efficientnet_b0", 64)
    check_config(json.loads(model.to_json()))
    features = np.asarray(model(images))
    assert features.shape == (2, 2, 2, 1280)
    assert np.abs(features - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.slow
def test_a_detector_on_it_can_be_saved_and_loaded(tmp_path):
    model = create_model("mobilenet_v3_small", 64, weights=None)
    info = ModelInfo("mobilenet_v3_small", Preprocessing(64, "bilinear", "none"))
    save_model(model, tmp_path / "model.keras", info)
    loaded, described = load_model(tmp_path / "model.keras")
    assert described == info
    images = PIXELS.astype("f4")
    np.testing.assert_allclose(np.asarray(loaded(images)), np.asarray(model(images)), rtol=1e-5)


def test_without_a_network_one_sentence_says_so(monkeypatch):
    def fail(name, origin, **options):
        raise Exception(f"URL fetch failure on {origin}: None -- no network")

    monkeypatch.setattr(DOWNLOAD, fail)
    message = (
        r"^Keras could not get the ImageNet weights of mobilenet_v3_small \(URL fetch failure on "
        r"https://.*\); give a local file of the weights instead$"
    )
    with pytest.raises(OSError, match=message):
        create_backbone("mobilenet_v3_small", 64)
