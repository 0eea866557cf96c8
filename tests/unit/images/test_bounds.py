import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tests import hostile_images as hostile

from mesonet.errors import ImageError
from mesonet.images.bounds import scan_ends
from mesonet.images.reading import read_image


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (hostile.endless_jpeg(100), "goes over its pixels 110 times"),
        (hostile.png(1, 50_000_000, 1, 0, b""), "a side of more than the 65,535 allowed"),
        (hostile.png(70_000, 1, 1, 0, b""), "70000 x 1 px, a side of more than"),
        (hostile.fax(2), "a side of more than"),
        (hostile.fax(3, 200, 30_000, 2_000), "a fax of 30,000 rows, but of 2,"),
        (hostile.fax(4, 8, 10_000), "a fax of 8 x 10000 px, which is no page"),
        (hostile.slow_ppm(), "slow to read; save it as PNG"),
    ],
    ids=["scans", "rows", "columns", "fax", "rows-of-nothing", "no-page", "ppm"],
)
def test_what_costs_too_much_is_refused_before_it_is_decoded(data, reason, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match=reason):
        read_image(data)


def test_scans_count_by_the_pixels_they_go_over(monkeypatch):
    monkeypatch.setattr("mesonet.images.bounds._MAX_SCANNED_PIXELS", 20 * 64 * 64)
    assert read_image(hostile.endless_jpeg(10)).size == (64, 64)
    with pytest.raises(ImageError, match="30 times"):
        read_image(hostile.endless_jpeg(20))


def test_arithmetic_coding_is_taken_in_small_files_only(monkeypatch):
    data = hostile.encode(hostile.noise(64, 64), "JPEG")
    coded = data.replace(b"\xff\xc0\x00\x11", b"\xff\xc9\x00\x11", 1)
    monkeypatch.setattr("mesonet.images.bounds._MAX_SLOW_BYTES", len(data) - 1)
    with pytest.raises(ImageError, match="slow to read; save it as PNG"):
        read_image(coded)
    read_image(data + coded)  # which is that of what follows the image


def test_what_follows_an_image_and_a_preview_within_it_are_no_scans_of_it():
    image = hostile.noise(64, 64)
    exif = Image.Exif()
    exif[0x927C] = b"\xff\xda" * 200
    for data in (
        hostile.encode(image, "JPEG", progressive=True) + b"\xff\xda" * 200,
        hostile.encode(image, "JPEG", exif=exif),
    ):
        assert data.count(b"\xff\xda") > 200
        assert len(list(scan_ends(data))) < 11
        assert read_image(data).size == (64, 64)


def test_ordinary_faxes_are_read():
    page = Image.fromarray((np.indices((300, 200)).sum(0) % 7 > 2).astype(np.uint8) * 255)
    for compression in ("group3", "group4", "tiff_ccitt"):
        data = hostile.encode(page.convert("1"), "TIFF", compression=compression)
        np.testing.assert_array_equal(np.asarray(read_image(data))[..., 0], np.asarray(page))


def test_no_decoder_writes_to_our_streams():
    program = """
from tests import hostile_images as hostile
from mesonet.errors import ImageError
from mesonet.images.reading import read_image
cut = hostile.encode(hostile.noise(), "TIFF", compression="tiff_lzw")
for data in [*(hostile.fax(kind, 100, 9_000) for kind in (2, 3, 4, 32771)),
             cut[:8] + bytes(len(cut) // 2) + cut[8 + len(cut) // 2 :],
             hostile.cut_jpeg(), hostile.cut_png()]:
    try:
        read_image(data)
    except ImageError:
        pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
