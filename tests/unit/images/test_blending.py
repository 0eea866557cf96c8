from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mesonet.data import ImageBatches
from mesonet.datasets.class_folders import ClassFolders
from mesonet.images.augmentation import Augmentation
from mesonet.images.blending import Blending
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing


def _face(seed: int, size: int = 64) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.booleans())
def test_a_forgery_equals_its_real_image_in_the_corners(seed: int, other: bool) -> None:
    rng = np.random.default_rng(seed)
    blending = Blending(smoothed=0.5)
    real, forged, mask = blending(_face(seed), rng, _face(seed + 1) if other else None)
    assert real.shape == forged.shape == (64, 64, 3)
    assert real.dtype == forged.dtype == np.uint8
    assert mask.shape == (64, 64)
    assert 0 <= mask.min() <= mask.max() <= 1
    changed = np.any(real != forged, axis=-1)
    assert not changed[mask == 0].any()
    assert not changed[:4, :4].any()
    assert not changed[-4:, -4:].any()


def test_forgeries_differ_from_their_real_images() -> None:
    rng = np.random.default_rng(0)
    pairs = [Blending()(_face(seed), rng) for seed in range(20)]
    assert all(np.any(real != forged) for real, forged, _ in pairs)


def test_smoothed_forgeries_lose_detail_inside_and_leave_the_real_image_alone() -> None:
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for _ in range(20):
        real, forged, mask = Blending(smoothed=1)(noisy, rng)
        np.testing.assert_array_equal(real, noisy)
        inside = mask > 0.9
        assert forged[inside].std() < noisy[inside].std()


def test_the_real_member_is_sometimes_changed_as_a_whole() -> None:
    rng = np.random.default_rng(0)
    changed = [np.any(Blending()(_face(1), rng)[0] != _face(1)) for _ in range(20)]
    assert 4 <= sum(changed) <= 16


def test_the_same_draw_gives_the_same_pair() -> None:
    first = Blending()(_face(1), np.random.default_rng(3))
    second = Blending()(_face(1), np.random.default_rng(3))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "wrong", [{"share": -0.1}, {"share": 1.1}, {"others": 2}, {"smoothed": -1}]
)
def test_shares_lie_between_none_and_all(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        Blending(**wrong)


class _Twins(Blending):
    def __call__(
        self,
        image: NDArray[np.uint8],
        rng: np.random.Generator,
        other: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
        assert (other is not None) == (self.others == 1)
        return image, image, np.zeros(image.shape[:2], np.float32)


@pytest.fixture
def data(tmp_path: Path) -> ClassFolders:
    for name, seeds in (("fake", range(3)), ("real", range(3, 8))):
        (tmp_path / name).mkdir()
        for seed in seeds:
            Image.fromarray(_face(seed)).save(tmp_path / name / f"{seed}.png")
    return ClassFolders.read(tmp_path)


@pytest.mark.parametrize("others", [0, 1])
def test_every_real_image_of_a_batch_brings_its_forgery(data: ClassFolders, others: float) -> None:
    augmentation = Augmentation(
        rotation_range=20, horizontal_flip=True, jpeg_quality_range=(40, 90)
    )
    batches = ImageBatches(
        data,
        8,
        preprocessing=Preprocessing(64),
        augmentation=augmentation,
        blending=_Twins(share=1, others=others),
    )
    images, labels = batches[0]
    assert labels.tolist() == [0] * 3 + [0, 1] * 5
    for forged, real in zip(images[3::2], images[4::2], strict=True):
        np.testing.assert_array_equal(forged, real)  # cropped and compressed alike


def test_without_blending_a_batch_is_what_it_was(data: ClassFolders) -> None:
    preprocessing = Preprocessing(64)
    images, labels = ImageBatches(data, 8, preprocessing=preprocessing)[0]
    expected = [preprocessing.scale(load_image(path, preprocessing)) for path in data.paths]
    np.testing.assert_array_equal(images, expected)
    assert labels.tolist() == [0] * 3 + [1] * 5


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (1.0, 20, 80)])
def test_forgeries_of_the_set_are_changed_as_often_as_real_images(
    data: ClassFolders, share: float, least: int, most: int
) -> None:
    forgeries = data.subset(data.is_fake)
    batches = ImageBatches(
        forgeries, 8, preprocessing=Preprocessing(64), blending=Blending(share=share)
    )
    plain = ImageBatches(forgeries, 8, preprocessing=Preprocessing(64))[0][0]
    changed = [
        np.any(image != before) for _ in range(33) for image, before in _pairs(batches, plain)
    ]
    assert len(changed) == 99
    assert least <= sum(changed) <= most


@pytest.mark.parametrize("smoothed", [0.0, 0.5])
def test_colours_and_sharpness_do_not_mark_an_image_as_forged(smoothed: float) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(40, 200, (32, 32, 3), dtype=np.uint8)
    blending = Blending(share=1.0, smoothed=smoothed)
    real = sum(np.any(blending(image, rng)[0] != image) for _ in range(400))
    forged = sum(np.any(blending.disguise(image, rng) != image) for _ in range(400))
    assert real == pytest.approx(200 * (1 - smoothed), abs=40)
    assert forged == pytest.approx(real, abs=50)


def _pairs(batches: ImageBatches, plain: NDArray[np.float32]) -> list[tuple[Any, Any]]:
    images, labels = next(batches)
    assert not labels.any()
    return list(zip(images, plain, strict=True))
