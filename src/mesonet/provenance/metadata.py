"""What EXIF, XMP, IPTC and PNG texts say of a photograph. Anyone can write them."""

import io
import os
import re
import struct
from dataclasses import asdict, dataclass
from typing import Any

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from mesonet.images.reading import FORMATS, without_warnings

# IPTC's kinds of source that name a generative model, in whole or in part
_AI_SOURCES = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "edited with a generative model",
    "compositeSynthetic": "put together with synthetic parts",
    "algorithmicMedia": "made by an algorithm",
}
# Names that programs write of themselves
_AI_SOFTWARE = re.compile(
    r"\b(adobe firefly|bing image creator|comfyui|dall[-·. ]?e|faceapp|faceswap|flux\.?1|gemini|"
    r"google ai|gpt-(?:4o|image)|grok|ideogram|imagen|invokeai|leonardo\.?ai|made with google ai|"
    r"midjourney|novelai|openai|reface|roop|deepfacelab|facefusion|runwayml|seedream|"
    r"stable ?diffusion)\b",
    re.IGNORECASE,
)
# Keys of PNG texts and XMP in which generators keep their settings
_PNG_SETTINGS = {"parameters", "prompt", "workflow", "sd-metadata", "invokeai_metadata", "dream"}
_XMP_AI_FIELDS = {
    "AISystemUsed": "names the AI system",
    "AIPromptInformation": "holds a prompt",
    "AIGC": "is labelled as AI-generated content",
}
_XMP_FIELDS = {
    "CreatorTool": "software",
    "CreateDate": "taken",
    "ModifyDate": "modified",
    "creator": "creator",
    "DigitalSourceType": "source_type",
}
_IPTC = {(2, 80): "creator", (2, 110): "credit", (2, 115): "source", (2, 116): "copyright"}
_MAX_TEXT = 300
_MAX_FIELD_BYTES = 1_000_000
_SETTINGS = re.compile(r"\bSteps: \d+, .*\b(?:Sampler|CFG scale|Seed): ", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of a photograph's metadata that matter to its history; None where not written.

    Attributes:
        camera: maker and model.
        lens: its name.
        software: what last wrote the file, as it says.
        taken: date and time as written, without a time zone in most cases.
        modified: date and time as written.
        has_position: whether there is a place; the place itself is not repeated.
        creator: who is named as the author.
        credit: IPTC's line of credit.
        source: IPTC's source.
        copyright: as written.
        source_type: kind of source after IPTC, such as ``"digitalCapture"``.
        ai_markers: what says that a generative model had a part in it, in words.
    """

    camera: str | None = None
    lens: str | None = None
    software: str | None = None
    taken: str | None = None
    modified: str | None = None
    has_position: bool = False
    creator: str | None = None
    credit: str | None = None
    source: str | None = None
    copyright: str | None = None
    source_type: str | None = None
    ai_markers: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it is written."""
        return self == Metadata()

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return asdict(self) | {"ai_markers": list(self.ai_markers)}


def read_metadata(source: str | os.PathLike[str] | bytes) -> Metadata | None:
    """Read a photograph's metadata without decoding it; None where it is no such file.

    Args:
        source: path of a file, or the bytes of one.
    """
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with without_warnings(), Image.open(stream, formats=FORMATS) as image:
            return _read(image)
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return None


def _read(image: ImageFile.ImageFile) -> Metadata:
    fields: dict[str, Any] = {}
    markers: list[str] = []
    for read in (_read_iptc, _read_xmp, _read_exif, _read_png_texts):
        try:
            found, marks = read(image)
        except (OSError, SyntaxError, LookupError, TypeError, ValueError, struct.error):
            continue  # damaged metadata is common, and the other kinds may be whole
        fields |= found
        markers += marks
    software = fields.get("software")
    if software and (named := _AI_SOFTWARE.search(software)):
        markers.append(f"the software names itself {named[0]}")
    kind = fields.get("source_type")
    if kind in _AI_SOURCES:
        markers.append(f"IPTC's kind of source: {_AI_SOURCES[kind]}")
    return Metadata(**fields, ai_markers=tuple(dict.fromkeys(markers)))


def _read_exif(image: Image.Image) -> tuple[dict[str, Any], list[str]]:
    exif = image.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    tags = ExifTags.Base
    camera = " ".join(filter(None, (_text(exif.get(tags.Make)), _text(exif.get(tags.Model)))))
    found = {
        "camera": camera or None,
        "lens": _text(details.get(tags.LensModel)),
        "software": _text(exif.get(tags.Software)),
        "taken": _text(details.get(tags.DateTimeOriginal)),
        "modified": _text(exif.get(tags.DateTime)),
        "creator": _text(exif.get(tags.Artist)),
        "copyright": _text(exif.get(tags.Copyright)),
    }
    comment = _text(details.get(tags.UserComment), whole=True) or ""
    markers = []
    if _SETTINGS.search(comment.replace("\0", "")):
        markers.append("the EXIF comment holds an image generator's settings")
    present: dict[str, Any] = {key: value for key, value in found.items() if value}
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        present["has_position"] = True
    return present, markers


def _read_xmp(image: Image.Image) -> tuple[dict[str, Any], list[str]]:
    raw = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = raw if isinstance(raw, str) else bytes(raw[:_MAX_FIELD_BYTES]).decode("utf-8", "replace")
    found = {ours: value for name, ours in _XMP_FIELDS.items() if (value := _xmp_value(text, name))}
    if kind := found.get("source_type"):
        found["source_type"] = kind.rpartition("/")[2]
    markers = [
        f"XMP {label}: {value}"
        for name, label in _XMP_AI_FIELDS.items()
        if (value := _xmp_value(text, name))
    ]
    return found, markers


def _xmp_value(text: str, name: str) -> str | None:
    """An XMP property's first value, be it an attribute, a text, a reference or a list."""
    pattern = (
        rf":{name}(?:\s+[\w:]+)?\s*(?:=\s*[\"']|>(?:\s*<rdf:(?:Seq|Bag|Alt|li)[^>]*>)*)\s*"
        r"([^\"'<>]+)"
    )
    match = re.search(pattern, text)
    return _text(match[1]) if match else None


def _read_iptc(image: ImageFile.ImageFile) -> tuple[dict[str, Any], list[str]]:
    records = IptcImagePlugin.getiptcinfo(image) or {}
    found = {}
    for key, ours in _IPTC.items():
        value = records.get(key)
        if text := _text(value[0] if isinstance(value, list) else value):
            found[ours] = text
    return found, []


def _read_png_texts(image: Image.Image) -> tuple[dict[str, Any], list[str]]:
    texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
    markers = [
        f"the PNG text {key!r} holds an image generator's settings"
        for key in texts
        if key.lower() in _PNG_SETTINGS
    ]
    software = _text(texts.get("Software"))
    return ({"software": software} if software else {}), markers


def _text(value: Any, *, whole: bool = False) -> str | None:
    if isinstance(value, bytes):
        value = value[:_MAX_FIELD_BYTES].decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    if whole:
        return value
    printable = "".join(c if c.isprintable() else " " for c in value.replace("\0", ""))
    return " ".join(printable.split())[:_MAX_TEXT] or None
