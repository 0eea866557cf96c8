import io

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from mesonet.provenance import compare_thumbnail, read_metadata, read_provenance

PIXELS = np.indices((120, 160)).sum(0).astype(np.uint8)
PICTURE = Image.fromarray(PIXELS).convert("RGB")
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {attributes}>{children}
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def jpeg(picture: Image.Image = PICTURE, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def test_exif_tells_camera_software_and_dates() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Leica", "M11\0"
    exif[ExifTags.Base.Software] = "Darkroom\n4"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    found = read_metadata(jpeg(exif=exif))
    assert found is not None
    assert (found.camera, found.software) == ("Leica M11", "Darkroom 4")
    assert found.taken == "2026:01:02 03:04:05"
    assert found.has_position
    assert not found.ai_markers


def test_photographs_of_phones_tell_their_camera() -> None:
    pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Apple", "iPhone 15"
    stream = io.BytesIO()
    PICTURE.save(stream, "HEIF", exif=exif)
    found = read_metadata(stream.getvalue())
    assert found is not None
    assert found.camera == "Apple iPhone 15"


@pytest.mark.parametrize(
    ("attributes", "children"),
    [
        ('Iptc4xmpExt:DigitalSourceType="{}"', ""),
        ("", "<Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>"),
        ("", '<Iptc4xmpExt:DigitalSourceType rdf:resource="{}"/>'),
    ],
)
def test_iptc_source_type_is_a_marker_in_every_spelling(attributes: str, children: str) -> None:
    address = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    xmp = XMP.format(attributes=attributes, children=children).replace("{}", address)
    found = read_metadata(jpeg(xmp=xmp.encode()))
    assert found is not None
    assert found.source_type == "trainedAlgorithmicMedia"
    assert found.ai_markers == ("IPTC's kind of source: made by a generative model",)


def test_camera_source_type_is_no_marker() -> None:
    address = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    xmp = XMP.format(attributes=f'Iptc4xmpExt:DigitalSourceType="{address}"', children="")
    found = read_metadata(jpeg(xmp=xmp.encode()))
    assert found is not None
    assert (found.source_type, found.ai_markers) == ("digitalCapture", ())


def test_xmp_lists_and_ai_system() -> None:
    children = (
        "<dc:creator><rdf:Seq><rdf:li>Ana</rdf:li></rdf:Seq></dc:creator>"
        "<Iptc4xmpExt:AISystemUsed>Brush 2</Iptc4xmpExt:AISystemUsed>"
    )
    found = read_metadata(jpeg(xmp=XMP.format(attributes="", children=children).encode()))
    assert found is not None
    assert found.creator == "Ana"
    assert found.ai_markers == ("XMP names the AI system: Brush 2",)


def test_settings_of_generators_are_markers() -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a face, Steps: 20, Sampler: Euler, Seed: 1")
    stream = io.BytesIO()
    PICTURE.save(stream, "PNG", pnginfo=texts)
    found = read_metadata(stream.getvalue())
    assert found is not None
    assert found.ai_markers == ("the PNG text 'parameters' holds an image generator's settings",)


def test_software_that_names_itself() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Adobe Firefly 3"
    found = read_metadata(jpeg(exif=exif))
    assert found is not None
    assert found.ai_markers == ("the software names itself Adobe Firefly",)


def test_plain_picture_has_none_and_text_no_metadata() -> None:
    plain = read_metadata(jpeg())
    assert plain is not None
    assert plain.is_empty
    assert read_metadata(b"text") is None


def test_damaged_exif_leaves_the_rest() -> None:
    data = jpeg(exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(20))
    assert read_metadata(data) is not None
    assert compare_thumbnail(data) is None


def with_preview(picture: Image.Image, preview: Image.Image) -> bytes:
    small = jpeg(preview)
    entries = [(0x0103, 3, 6), (0x0201, 4, 0), (0x0202, 4, len(small))]
    start = 8 + 2 + 4 + 2 + 12 * len(entries) + 4
    exif = b"II*\0" + (8).to_bytes(4, "little") + bytes(2) + (14).to_bytes(4, "little")
    exif += len(entries).to_bytes(2, "little")
    for tag, kind, value in entries:
        value = start if tag == 0x0201 else value
        exif += tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        exif += (1).to_bytes(4, "little") + value.to_bytes(4, "little")
    return jpeg(picture, exif=b"Exif\0\0" + exif + bytes(4) + small)


def scene() -> Image.Image:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((640, 480), Image.Resampling.BICUBIC)


def test_preview_of_the_same_picture_agrees() -> None:
    picture = scene()
    found = compare_thumbnail(with_preview(picture, picture.resize((160, 120))))
    assert found is not None
    assert not found.differs


def test_preview_with_bars_agrees() -> None:
    picture = scene().crop((0, 60, 640, 420))
    preview = Image.new("RGB", (160, 120))
    preview.paste(picture.resize((160, 90)), (0, 15))
    found = compare_thumbnail(with_preview(picture, preview))
    assert found is not None
    assert not found.differs


def test_preview_from_before_a_change_differs() -> None:
    before = scene()
    after = before.copy()
    after.paste(before.crop((0, 0, 160, 160)).transpose(Image.Transpose.ROTATE_180), (300, 200))
    found = compare_thumbnail(with_preview(after, before.resize((160, 120))))
    assert found is not None
    assert found.differs


def test_everything_together_is_plain(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg())
    record = read_provenance(path).to_dict()
    assert record["metadata"]["ai_markers"] == []
    assert record["thumbnail"] is None
    assert "proves nothing" in record["caution"]
