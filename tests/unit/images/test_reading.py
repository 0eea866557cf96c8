import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features
from tests.hostile_images import encode, png, tiff

from mesonet.errors import ImageError
from mesonet.images.reading import load_image, read_image
from mesonet.preprocessing import Preprocessing

_ROWS, _COLUMNS = np.mgrid[:20, :31]
_PIXELS = np.stack([_COLUMNS * 8, _ROWS * 12, (_COLUMNS * _ROWS) % 256], -1).astype(np.uint8)
PICTURE = Image.fromarray(_PIXELS)
GREY = PICTURE.convert("L")
ALPHA = Image.fromarray((_ROWS * 13).astype(np.uint8))


def frames(format_: str, **options) -> bytes:
    others = [PICTURE.rotate(180)]
    return encode(PICTURE, format_, save_all=True, append_images=others, **options)


FILES = {
    "jpeg": encode(PICTURE, "JPEG"),
    "progressive": encode(PICTURE, "JPEG", progressive=True),
    "cmyk": encode(PICTURE.convert("CMYK"), "JPEG"),
    "png": encode(PICTURE, "PNG"),
    "png-16": encode(Image.fromarray((_COLUMNS * 2000).astype(np.uint16)), "PNG"),
    "gif": encode(PICTURE.quantize(), "GIF"),
    "bmp": encode(PICTURE, "BMP"),
    "ppm": encode(PICTURE, "PPM"),
    "webp": encode(PICTURE, "WEBP"),
    "webp-lossless": encode(PICTURE, "WEBP", lossless=True),
    "tiff": encode(PICTURE, "TIFF"),
    "mpo": frames("MPO"),
    "apng": frames("PNG"),
} | ({"avif": encode(PICTURE, "AVIF")} if features.check("avif") else {})


def array(source, **options) -> np.ndarray:
    image = read_image(source, **options)
    assert type(image) is Image.Image
    assert image.mode == "RGB"
    assert image.info == {}
    return np.asarray(image)


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weight = alpha[..., None] / 255
    return colour * weight + 255 * (1 - weight)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("image", [PICTURE, GREY], ids=["rgb", "grey"])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_pixels_are_those_of_plain_pillow(tmp_path, format_, image, interpolation):
    path = tmp_path / "image"
    path.write_bytes(encode(image, format_))
    loaded = load_image(path, Preprocessing(size=50, interpolation=interpolation))
    resampling = Image.Resampling[interpolation.upper()]
    expected = np.asarray(Image.open(path).convert("RGB").resize((50, 50), resampling))
    assert loaded.dtype == np.uint8
    np.testing.assert_array_equal(loaded, expected)


def test_research_images_are_those_of_plain_pillow(shared):
    for path in sorted((shared / "data" / "mesonet").rglob("*.jpg"))[::400]:
        expected = np.asarray(Image.open(path).convert("RGB").resize((256, 256), 0))
        np.testing.assert_array_equal(load_image(path, Preprocessing()), expected)


UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p),
    9: lambda p: p,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
def test_exif_orientation(format_, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = UPRIGHT[orientation](array(encode(PICTURE, format_)))
    np.testing.assert_array_equal(array(encode(PICTURE, format_, exif=exif)), expected)


@pytest.mark.parametrize("exif", [b"junk", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05\x01"])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_unreadable_exif_does_not_matter(format_, exif):
    data = encode(PICTURE, format_, exif=b"Exif\0\0" + exif)
    np.testing.assert_array_equal(array(data), array(FILES[format_.lower()]))


def test_alpha_is_laid_over_white():
    rgba, la = PICTURE.copy(), GREY.copy()
    rgba.putalpha(ALPHA)
    la.putalpha(ALPHA)
    for image, opaque in ((rgba, PICTURE), (la, GREY)):
        expected = over_white(np.asarray(opaque.convert("RGB")), np.asarray(ALPHA))
        for format_ in ("PNG", "TIFF"):
            np.testing.assert_allclose(array(encode(image, format_)), expected, atol=1)


def test_palette_with_alpha_is_laid_over_white():
    image = Image.merge("PA", (PICTURE.quantize(), ALPHA))
    image.putpalette(PICTURE.quantize().getpalette())
    expected = over_white(np.asarray(PICTURE.quantize().convert("RGB")), np.asarray(ALPHA))
    np.testing.assert_allclose(array(encode(image, "TIFF")), expected, atol=1)


@pytest.mark.parametrize(("format_", "transparency"), [("GIF", 3), ("PNG", 3), ("PNG", bytes(8))])
def test_transparent_palette_entries_are_white(format_, transparency):
    image = PICTURE.quantize(16)
    data = encode(image, format_, transparency=transparency)
    expected = np.array(image.convert("RGB"))
    entries = np.asarray(image)
    hidden = entries < 8 if isinstance(transparency, bytes) else entries == 3
    assert hidden.any()
    expected[hidden] = 255
    np.testing.assert_array_equal(array(data), expected)


@pytest.mark.parametrize(("image", "key"), [(GREY, 0), (PICTURE, (0, 0, 0))], ids=["grey", "rgb"])
def test_transparent_colour_is_white(image, key):
    expected = np.array(image.convert("RGB"))
    expected[(expected == 0).all(-1)] = 255
    np.testing.assert_array_equal(array(encode(image, "PNG", transparency=key)), expected)


@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_plain_modes(mode):
    image = PICTURE.convert(mode)
    np.testing.assert_array_equal(array(encode(image, "PNG")), np.asarray(image.convert("RGB")))


_WIDE = (_COLUMNS * 2184).astype(np.uint16)  # 0 .. 65520


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(_WIDE), "PNG"),
        encode(Image.fromarray(_WIDE), "TIFF"),
        encode(Image.fromarray(_WIDE), "TIFF", compression="tiff_lzw"),
        encode(Image.frombytes("I;16B", (31, 20), _WIDE.astype(">u2").tobytes()), "TIFF"),
        encode(Image.fromarray(_WIDE.astype(np.int32)), "TIFF"),
        encode(Image.fromarray(_WIDE), "PPM"),
        tiff((65535 - _WIDE).tobytes(), t256=31, t257=20, t258=16, t262=0),
        png(31, 20, 16, 2, b"".join(b"\0" + r.astype(">u2").repeat(3).tobytes() for r in _WIDE)),
    ],
    ids=["png", "tiff", "lzw", "big-endian", "int32", "pgm", "white-is-zero", "rgb"],
)
def test_16_bits_are_scaled(data):
    pixels = array(data)
    np.testing.assert_allclose(pixels, (_WIDE / 257)[..., None].repeat(3, -1), atol=1)
    assert pixels.min() == 0
    assert pixels.max() == 255


def test_12_bits_are_scaled():
    pixels = array(tiff(bytes.fromhex("000fff800400"), t256=4, t257=1, t258=12))
    assert pixels[0, :, 0].tolist() == [0, 255, 128, 64]


def test_transparent_16_bit_grey_is_white():
    data = png(2, 1, 16, 0, b"\0\x12\x34\x12\x99", (b"tRNS", b"\x12\x34"))
    assert array(data)[0, :, 0].tolist() == [255, 0x12]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (_ROWS.astype(np.float32), "floating-point"),
        ((_ROWS * 10_000).astype(np.int32), "outside 0..65535"),
        ((_ROWS - 5).astype(np.int32), "outside 0..65535"),
    ],
)
def test_pixels_of_unknown_range_are_refused(pixels, reason):
    with pytest.raises(ImageError, match=reason):
        read_image(encode(Image.fromarray(pixels), "TIFF"))


def test_cmyk_jpeg_is_inverted_as_adobe_does():
    image = Image.new("CMYK", (16, 16), (135, 127, 127, 0))
    data = encode(image, "JPEG", quality=100)
    np.testing.assert_allclose(array(data)[0, 0], [120, 128, 128], atol=2)
    adobe = data.index(b"Adobe") + 11
    ycck = data[:adobe] + b"\2" + data[adobe + 1 :]  # its samples 120, 128, 128 are now YCbCr
    np.testing.assert_allclose(array(ycck)[0, 0], [135, 135, 135], atol=2)


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "MPO", "TIFF"])
def test_first_frame(format_):
    options = {"lossless": True} if format_ == "WEBP" else {}
    still = array(encode(PICTURE, format_, **options))
    np.testing.assert_array_equal(array(frames(format_, **options)), still)


@pytest.mark.parametrize("kind", FILES)
def test_a_truncated_file_is_refused_unless_all_pixels_are_there(kind):
    data, refused = FILES[kind], 0
    whole = array(data)
    for length in range(0, len(data), max(1, len(data) // 100)):
        try:
            np.testing.assert_array_equal(array(data[:length]), whole)
        except ImageError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_is_an_image_or_an_image_error(kind):
    draw = np.random.default_rng(len(kind))
    for _ in range(60):
        data = bytearray(FILES[kind])
        for position in draw.integers(len(data), size=draw.choice([1, 2, 5])):
            data[position] = draw.integers(256)
        try:
            array(bytes(data))
        except ImageError as error:
            assert error.path == "image"
            assert 5 < len(error.reason) < 80
            assert "0x" not in error.reason


_TEXT_BOMB = b"Comment\0\0" + zlib.compress(bytes(5_000_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"%PDF-1.7\n" + bytes(100), "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image"),
        (b"\xd7\xcd\xc6\x9a" + bytes(200), "not an image"),
        (b"SIMPLE  =                    T" + bytes(3000), "not an image"),
        (encode(PICTURE, "TGA"), "not an image"),
        (FILES["jpeg"][:40], "truncated|not an image"),
        (FILES["jpeg"][:-200], "truncated"),
        (FILES["png"].replace(b"IHDR", b"IHDX"), "damaged"),
        (png(0, 0, 8, 2), "damaged"),
        (png(20_000, 20_000, 8, 2), "pixels"),
        (png(9_990, 11_000, 8, 2), "9990 x 11000 px, more than the 100,000,000 allowed"),
        (png(2**31 - 1, 2**31 - 1, 8, 2), "pixels"),
        (png(1, 1, 8, 0, b"\0\0", (b"zTXt", _TEXT_BOMB)), "damaged"),
        (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\0;", "pixels"),
        (
            b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 30_000, 30_000, 1, 24, *[0] * 6),
            "pixels",
        ),
        (tiff(b"", t256=2**32 - 1, t257=2**32 - 1, t258=8), "pixels"),
        (tiff(b"", t256=8, t257=8, t258=8, t259=8, t322=16_000, t323=16_000, t324=8, t325=9), "px"),
        (b"II*\0\xff\xff\xff\xff", "not an image"),
        (b"P6 99999999 99999999 255\n", "pixels"),
        (b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(30), "damaged"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(data, name="upload")
    assert str(caught.value) == f"upload: {caught.value.reason}"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (struct.error("unpack requires 4 bytes"), "damaged or unreadable"),
        (SyntaxError("broken <_io.BytesIO object at 0x7f>"), "damaged or unreadable"),
        (IndexError(), "damaged or unreadable"),
        (zlib.error("Error -3"), "damaged or unreadable"),
        (RecursionError(), "damaged or unreadable"),
        (KeyError("AVIF"), "damaged or unreadable"),
        (OSError("image file is truncated (3 bytes not processed)"), "the file is truncated"),
        (MemoryError(), "not enough memory to read it"),
        (Image.DecompressionBombError("Image size"), "too many pixels"),
    ],
)
def test_whatever_pillow_raises(monkeypatch, error, reason):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageError) as caught:
        read_image(b"data")
    assert caught.value.reason == reason


def test_size_limits_hold_before_decoding(tmp_path, monkeypatch):
    assert array(FILES["png"], max_pixels=31 * 20).shape == (20, 31, 3)
    path = tmp_path / "a.png"
    path.write_bytes(FILES["png"])
    size = len(FILES["png"])
    assert array(path, max_bytes=size).shape == (20, 31, 3)

    def never(*arguments):
        raise AssertionError

    monkeypatch.setattr(Image.core, "new", never)
    monkeypatch.setattr(os, "open", never)
    with pytest.raises(ImageError, match=r"31 x 20 px, more than the 619 allowed"):
        read_image(FILES["png"], max_pixels=31 * 20 - 1)
    for source in (path, FILES["png"], io.BytesIO(FILES["png"])):
        with pytest.raises(ImageError, match=f"larger than the {size - 1} bytes allowed"):
            read_image(source, max_bytes=size - 1)
