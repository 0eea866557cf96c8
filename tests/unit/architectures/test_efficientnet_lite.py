import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mesonet.architectures import create_backbone, get_architecture
from mesonet.architectures.efficientnet_lite import PUBLISHED
from mesonet.architectures.pretrained import published_file
from mesonet.backend import keras
from mesonet.inspection.torch_checkpoint import read_torch_checkpoint

PLAUSIBLE = {
    "astronaut": {560},  # football helmet: ImageNet has no astronauts
    "coffee": {504, 967, 968, 969, 925},  # mug, espresso, cup, eggnog, consomme
    "chelsea": {281, 282, 283, 284, 285},  # cats
    "rocket": {657, 744, 812},  # missile, projectile, space shuttle
}


@pytest.fixture(scope="module")
def tensors() -> dict[str, NDArray[np.generic]]:
    return read_torch_checkpoint(published_file(PUBLISHED))


@pytest.fixture(scope="module")
def classifier(tensors: dict[str, NDArray[np.generic]]) -> keras.Model:
    backbone = create_backbone("efficientnet_lite0")
    layer = keras.layers.GlobalAveragePooling2D()(backbone.output)
    dense = keras.layers.Dense(1000)
    model = keras.Model(backbone.input, dense(layer))
    dense.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
    return model


@pytest.fixture(scope="module")
def photographs() -> NDArray[np.float32]:
    data = pytest.importorskip("skimage.data")
    images = [Image.fromarray(getattr(data, name)()).convert("RGB") for name in PLAUSIBLE]
    pixels = np.stack([_middle(image) for image in images])
    return get_architecture("efficientnet_lite0").preprocessing.scale(pixels)


def _middle(image: Image.Image) -> NDArray[np.uint8]:
    """The middle 224 px of an image whose shorter side is brought to 256 px, as is usual."""
    factor = 256 / min(image.size)
    size = round(image.width * factor), round(image.height * factor)
    left, top = (size[0] - 224) // 2, (size[1] - 224) // 2
    resized = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(resized.crop((left, top, left + 224, top + 224)))


def test_its_features_are_a_32nd_of_the_image() -> None:
    backbone = create_backbone("efficientnet_lite0", 100, weights=None)
    assert backbone.output_shape == (None, 4, 4, 1280)
    assert backbone.count_params() == 3_413_024


@pytest.mark.slow
def test_photographs_get_plausible_classes(
    classifier: keras.Model, photographs: NDArray[np.float32]
) -> None:
    classes = classifier.predict(photographs, verbose=0).argmax(axis=1)
    found = dict(zip(PLAUSIBLE, classes.tolist(), strict=True))
    assert all(found[name] in PLAUSIBLE[name] for name in PLAUSIBLE), found


def test_its_logits_are_those_of_pytorch(
    classifier: keras.Model,
    photographs: NDArray[np.float32],
    tensors: dict[str, NDArray[np.generic]],
) -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    state = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}

    def convolve(x, name, stride=1, groups=1):  # type: ignore[no-untyped-def]
        weight = state[f"{name}.weight"]
        pads = []
        for side in (x.shape[3], x.shape[2]):
            total = max((math.ceil(side / stride) - 1) * stride + weight.shape[2] - side, 0)
            pads += [total // 2, total - total // 2]
        return functional.conv2d(functional.pad(x, pads), weight, stride=stride, groups=groups)

    def normalise(x, name):  # type: ignore[no-untyped-def]
        values = [state[f"{name}.{key}"] for key in ("running_mean", "running_var")]
        affine = [state[f"{name}.{key}"] for key in ("weight", "bias")]
        return functional.batch_norm(x, *values, *affine, eps=1e-3)

    x = torch.from_numpy(photographs.transpose(0, 3, 1, 2))
    x = functional.relu6(normalise(convolve(x, "_conv_stem", 2), "_bn0"))
    strides = {1: 2, 3: 2, 5: 2, 11: 2}
    for number in range(16):
        block, skip = f"_blocks.{number}", x
        if number:
            x = functional.relu6(normalise(convolve(x, f"{block}._expand_conv"), f"{block}._bn0"))
        x = convolve(x, f"{block}._depthwise_conv", strides.get(number, 1), x.shape[1])
        x = functional.relu6(normalise(x, f"{block}._bn1"))
        x = normalise(convolve(x, f"{block}._project_conv"), f"{block}._bn2")
        if x.shape == skip.shape:
            x = x + skip
    x = functional.relu6(normalise(convolve(x, "_conv_head"), "_bn1")).mean((2, 3))
    expected = (x @ state["_fc.weight"].T + state["_fc.bias"]).numpy()
    np.testing.assert_allclose(classifier.predict(photographs, verbose=0), expected, atol=1e-3)
