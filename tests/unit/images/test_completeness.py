import io

import pytest
from PIL import Image
from tests import hostile_images as hostile

from mesonet.errors import ImageError
from mesonet.images.reading import read_image

PARTIAL = {
    "jpeg": hostile.cut_jpeg(),
    "jpeg-late": hostile.cut_jpeg(0.99),
    "jpeg-grey": hostile.encode(hostile.noise().convert("L"), "JPEG")[:3000] + b"\xff\xd9",
    "jpeg-cmyk": hostile.encode(hostile.noise().convert("CMYK"), "JPEG")[:9000] + b"\xff\xd9",
    "gif": hostile.encode(hostile.noise().quantize(), "GIF")[:9000] + b"\0;",
    "tiff": hostile.tiff(bytes(20 * 150), t256=150, t257=200, t258=8, t278=20),
    "webp": hostile.encode(hostile.noise(), "WEBP")[:9000],
} | {f"png-{mode}": hostile.cut_png(mode) for mode in ("L", "RGB", "LA", "RGBA", "I;16")}


@pytest.mark.parametrize("kind", PARTIAL)
def test_a_partial_picture_is_refused(kind):
    with pytest.raises(ImageError, match="truncated|damaged"):
        read_image(PARTIAL[kind])


@pytest.mark.parametrize("colour", ["black", "white", "#808080"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "1"])
def test_a_whole_picture_of_one_colour_is_read(mode, kind, colour):
    image = Image.new("RGB", (31, 20), colour).convert(mode)
    try:
        data = hostile.encode(image, kind)
    except (OSError, ValueError):
        pytest.skip(f"there is no {kind} of mode {mode}")
    with Image.open(io.BytesIO(data)) as plain:
        assert read_image(data).tobytes() == plain.convert("RGB").tobytes()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_a_whole_jpeg_that_ends_in_grey_is_read(options):
    image = hostile.noise()
    image.paste("#808080", (0, 150, 150, 200))
    data = hostile.encode(image, "JPEG", **options)
    assert read_image(data).getpixel((149, 199)) == (128, 128, 128)
    assert read_image(data + bytes(50)).size == (150, 200)
