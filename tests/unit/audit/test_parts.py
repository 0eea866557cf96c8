"""The parts of an audit: facts of files, shortcuts, look-alikes."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps, PngImagePlugin

from mesonet.audit import composition
from mesonet.audit.facts import Facts, read_facts
from mesonet.audit.lookalikes import Copies, join, same_picture
from mesonet.audit.shortcuts import find_shortcuts
from mesonet.errors import ImageError

PLAIN = Facts(96, 96, 5000, "PNG", "RGB", (), "", None)


def saved(image, file_format="JPEG", **options):
    data = io.BytesIO()
    image.save(data, file_format, **options)
    return data.getvalue()


def noise(seed, size=64):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8))


@pytest.mark.parametrize("quality", [25, 50, 75, 90, 99])
def test_jpeg_quality_is_recognised(quality):
    facts = read_facts(saved(noise(0), quality=quality))
    assert abs(facts.jpeg.quality - quality) <= 1


def test_tables_of_one_quality_are_told_apart():
    own = [list(range(1, 65)), [7] * 64]
    swapped = [list(range(64, 0, -1)), [7] * 64]
    first, second = (read_facts(saved(noise(0), qtables=tables)).jpeg for tables in (own, swapped))
    assert first.quality == second.quality
    assert first.table_name != second.table_name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"subsampling": "4:4:4"}, ("4:4:4", False)),
        ({"subsampling": "4:2:0", "progressive": True}, ("4:2:0", True)),
    ],
)
def test_jpeg_coding(options, expected):
    jpeg = read_facts(saved(noise(0), **options)).jpeg
    assert (jpeg.subsampling, jpeg.progressive) == expected


def test_grey_jpeg_has_no_subsampling():
    facts = read_facts(saved(noise(0).convert("L")))
    assert (facts.mode, facts.jpeg.subsampling) == ("L", "no colour channels")


def test_metadata_and_software():
    exif = Image.Exif()
    exif[0x0131] = "Editor 2.1"
    facts = read_facts(saved(noise(0), exif=exif, comment=b"hello", icc_profile=b"colours"))
    assert facts.metadata == ("EXIF", "ICC profile", "comment")
    assert facts.software == "Editor 2.1"
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Painter")
    facts = read_facts(saved(noise(0), "PNG", pnginfo=text))
    assert (facts.software, facts.jpeg, facts.metadata) == ("Painter", None, ())


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_metadata_is_no_error():
    data = saved(noise(0), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_facts(data).software == ""


def jpeg_facts(**options):
    return read_facts(saved(noise(0), **options))


@pytest.mark.parametrize(
    ("fake", "real", "name"),
    [
        (PLAIN, replace(PLAIN, format="WEBP"), "file format"),
        (PLAIN, replace(PLAIN, mode="RGBA"), "colour mode"),
        (PLAIN, replace(PLAIN, metadata=("EXIF",)), "metadata in the file"),
        (PLAIN, replace(PLAIN, software="Editor"), "software named in the file"),
        (jpeg_facts(subsampling=0), jpeg_facts(subsampling=2), "JPEG colour subsampling"),
        (jpeg_facts(), jpeg_facts(progressive=True), "JPEG coding"),
        (jpeg_facts(quality=75), jpeg_facts(quality=80), "JPEG quality"),
    ],
)
def test_a_property_that_one_class_has_is_found(fake, real, name):
    like = {"file_size": 5000, "width": 96, "height": 96}
    facts = [replace(fake, **like)] * 30 + [replace(real, **like)] * 30
    labels = np.repeat([1, 0], 30)
    found = find_shortcuts(facts, labels, np.arange(60))
    assert [shortcut.name for shortcut in found] == [name]
    assert found[0].balanced_accuracy == 1
    assert set(found[0].shares) == {0.0, 1.0}


def test_a_property_that_one_class_has_more_often_is_found():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 200)
    sizes = np.where(labels, rng.normal(5000, 400, 400), rng.normal(4500, 400, 400)).astype(int)
    facts = [replace(PLAIN, file_size=int(size)) for size in sizes]
    (found,) = find_shortcuts(facts, labels, np.arange(400))
    assert found.name.startswith("file size")
    assert 0.65 < found.balanced_accuracy < 0.8  # the best rule of all has .734


def test_groups_are_the_pieces_of_evidence():
    """Eight videos a class, each of its own size, tell nothing of other videos."""
    labels = np.repeat([0, 1], 400)
    groups = np.arange(800) // 50
    facts = [replace(PLAIN, width=100 + 10 * int(group)) for group in groups]
    assert find_shortcuts(facts, labels, np.arange(800))
    assert find_shortcuts(facts, labels, groups) == []


def test_no_false_alarm_where_classes_are_alike():
    alarms = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        facts = [
            replace(PLAIN, width=int(w), file_size=int(s), format=("PNG", "JPEG")[int(f)])
            for w, s, f in rng.integers((60, 3000, 0), (200, 9000, 2), (120, 3))
        ]
        labels = np.repeat([0, 1], 60)
        alarms += bool(find_shortcuts(facts, labels, rng.integers(0, 50, 120)))
    assert alarms == 0


def picture(seed):
    small = np.random.default_rng(seed).integers(0, 256, (24, 24), np.uint8)
    return Image.fromarray(small).resize((128, 128), Image.Resampling.BICUBIC).convert("RGB")


def copies(image):
    colours = image.resize((32, 32), Image.Resampling.BOX)
    return Copies(np.asarray(colours), np.asarray(image.convert("L")))


def test_shifts_scales_and_exchanged_parts_are_the_same_picture():
    original = picture(0)
    changed = original.transform((128, 128), Image.Transform.AFFINE, (0.92, 0, 8, 0, 0.92, 3))
    changed.paste(picture(1).crop((0, 0, 40, 40)), (50, 60))
    assert same_picture(copies(original), copies(changed))
    assert same_picture(copies(changed), copies(original))
    assert not same_picture(copies(changed), copies(original).mirrored())


def test_different_pictures_are_not_the_same():
    small = [copies(picture(seed)) for seed in range(16)]
    assert not any(same_picture(a, b) for n, a in enumerate(small) for b in small[:n])


def test_one_pattern_in_other_colours_is_another_picture():
    pattern = picture(0).convert("L")
    red, blue = (ImageOps.colorize(pattern, "black", colour) for colour in ("red", "blue"))
    assert not same_picture(copies(red), copies(blue))
    assert same_picture(copies(red), copies(red.point(lambda value: 0.8 * value + 20)))


def drawing(width, height, skin, background):
    image = Image.new("RGB", (128, 128), background)
    draw = ImageDraw.Draw(image)
    draw.ellipse((64 - width, 64 - height, 64 + width, 64 + height), skin)
    for x in (48, 80):
        draw.ellipse((x - 6, 50, x + 6, 60), "black")
    return image


def test_drawings_and_flat_pictures_are_the_same_only_in_equal_colours():
    face = drawing(38, 46, "tan", "navy")
    others = [
        drawing(35, 43, "tan", "teal"),
        drawing(38, 46, "gold", "purple"),
        Image.new("RGB", (128, 128), "navy"),
        picture(0),
    ]
    assert not any(same_picture(copies(face), copies(other)) for other in others)
    data = io.BytesIO()
    face.save(data, "JPEG", quality=70)
    assert same_picture(copies(face), copies(Image.open(data)))
    white, black = (Image.new("RGB", (128, 128), name) for name in ("white", "black"))
    assert not same_picture(copies(white), copies(black))


links = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


@given(links, links)
def test_joined_clusters_are_the_connected_components(first, second):
    clusters = np.arange(20)
    for pairs in (first, second):
        ends = np.array(pairs, np.int64).reshape(-1, 2)
        clusters = join(clusters, ends[:, 0], ends[:, 1])
    expected = [{index} for index in range(20)]
    for one, other in first + second:
        union = expected[one] | expected[other]
        for index in union:
            expected[index] = union
    assert clusters.tolist() == [min(members) for members in expected]


def test_folders_that_cannot_be_searched_are_told():
    assert not list(composition.unlisted([]))
    (finding,) = composition.unlisted([ImageError("data/real/locked", "permission denied")])
    assert (finding.kind, finding.severity, finding.count) == ("unreadable", "warning", 1)
    assert finding.images == (("data/real/locked: permission denied",),)
