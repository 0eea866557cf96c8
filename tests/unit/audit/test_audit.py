"""What an audit finds in folders made for it, and that it finds nothing where nothing is."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from mesonet.audit import Severity, audit
from mesonet.errors import DataError


def picture(seed, size=96):
    """A picture like no other: tinted blobs with detail."""
    rng = np.random.default_rng(seed)
    blobs, detail, tint = (
        Image.fromarray(rng.integers(0, 256, shape, np.uint8))
        .resize((size, size), Image.Resampling.BICUBIC)
        .convert("RGB")
        for shape in ((6, 6), (30, 30), (4, 4, 3))
    )
    return Image.blend(Image.blend(blobs, detail, 0.35), tint, 0.25)


def write(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def folder(root, count=12, start=0, name="{}.jpg", **options):
    """Two classes of ``count`` pictures that have nothing in common."""
    for label, kind in enumerate(("fake", "real")):
        for number in range(count):
            seed = start + 1000 * label + number
            write(root / kind / name.format(seed), picture(seed), **options)
    return root


def kinds(result):
    return {finding.kind for finding in result.findings}


def only(result):
    assert len(result.findings) == 1, result.findings
    return result.findings[0]


def edited(image):
    """Re-encoded later, re-framed by a few per cent, and with a part exchanged."""
    image = image.copy()
    image.paste(picture(99_999).resize((30, 30)), (35, 50))
    return image.crop((4, 2, 94, 92)).resize((80, 80))


def test_nothing_is_found_in_clean_folders(tmp_path):
    train = folder(tmp_path / "train", 40)
    test = folder(tmp_path / "test", 15, start=5000)
    for result in (audit(train), audit(train, test)):
        assert result.findings == ()
        assert not result.has_leaks
        assert "Nothing found" in result.verdict


def test_nothing_is_found_in_clean_groups(tmp_path):
    """Frames of one video are alike, and are expected to be."""
    for label, kind in enumerate(("fake", "real")):
        for video in range(12):
            still = picture(100 * label + video)
            for frame in range(3):
                image = still.crop((frame, 0, 90 + frame, 90))
                write(tmp_path / kind / f"{label}{video}_{frame}.jpg", image)
    assert audit(tmp_path, groups="video").findings == ()
    assert kinds(audit(tmp_path)) == {"frames without groups", "look-alikes"}


def test_summary_tells_what_the_folders_hold(tmp_path):
    train = folder(tmp_path / "train", 3)
    write(train / "real" / "big.png", picture(77, 120))
    summary = audit(train).summary
    assert summary == (
        f"{train}: 7 images (3 fake, 4 real); JPEG, PNG, 96 x 96 px to 120 x 120 px",
    )
    grouped = audit(train, groups=lambda path: path.parts[0]).summary[0]
    assert "in 2 groups of 3 to 4 (median 4)" in grouped


def test_copies_on_both_sides(tmp_path):
    train, test = folder(tmp_path / "train"), folder(tmp_path / "test", start=5000)
    shutil.copy(train / "fake" / "3.jpg", test / "fake" / "renamed.jpg")
    pixels = Image.open(train / "real" / "1004.jpg")
    write(test / "real" / "other.bmp", pixels)
    finding = only(audit(train, test))
    assert finding.kind == "copies on both sides"
    assert finding.severity is Severity.LEAK
    assert finding.count == 2
    assert "2 (7.7 %)" in finding.text
    assert "would read 81.5 %" in finding.effect
    assert set(finding.images) == {
        (str(train / "fake" / "3.jpg"), str(test / "fake" / "renamed.jpg")),
        (str(train / "real" / "1004.jpg"), str(test / "real" / "other.bmp")),
    }


def test_a_copy_in_the_other_class_of_the_other_side(tmp_path):
    train, test = folder(tmp_path / "train"), folder(tmp_path / "test", start=5000)
    shutil.copy(train / "fake" / "3.jpg", test / "real" / "3.jpg")
    assert "1 of them in the other class only" in only(audit(train, test)).text


@pytest.mark.parametrize(
    "change",
    [
        edited,
        ImageOps.mirror,
        lambda image: image.resize((50, 50)),
        lambda image: image.convert("L"),
        lambda image: image.point(lambda value: 0.7 * value + 20),
    ],
    ids=["edited", "mirrored", "small", "grey", "dark"],
)
def test_look_alikes_on_both_sides(tmp_path, change):
    train, test = folder(tmp_path / "train"), folder(tmp_path / "test", start=5000)
    write(test / "fake" / "known.jpg", change(picture(5)), quality=60)
    finding = only(audit(train, test))
    assert (finding.kind, finding.severity, finding.count) == (
        "look-alikes on both sides",
        Severity.LEAK,
        1,
    )
    assert finding.images == ((str(train / "fake" / "5.jpg"), str(test / "fake" / "known.jpg")),)


def test_many_like_frames_do_not_hide_their_copy_on_the_other_side(tmp_path):
    train, test = folder(tmp_path / "train"), folder(tmp_path / "test", start=5000)
    still = picture(7)
    for number in range(10):
        corner = number / 3
        box = (corner, corner, corner + 90, corner + 90)
        write(train / "real" / f"a{number}.jpg", still.resize((90, 90), box=box))
        write(test / "real" / f"b{number}.jpg", still.resize((80, 80), box=box))
    result = audit(train, test)
    finding = next(f for f in result.findings if f.kind == "look-alikes on both sides")
    assert finding.count == 10


def test_groups_on_both_sides(tmp_path):
    train = folder(tmp_path / "train", name="{}_0.jpg")
    test = folder(tmp_path / "test", start=5000, name="{}_0.jpg")
    assert audit(train, test, groups="video").findings == ()
    write(test / "real" / "3_9.jpg", picture(8000))
    finding = only(audit(train, test, groups="video"))
    assert (finding.kind, finding.severity) == ("groups on both sides", Severity.LEAK)
    assert "1 group is on both sides, such as 3; 1 of the 25 images" in finding.text
    assert finding.images == ((str(train / "fake" / "3_0.jpg"), str(test / "real" / "3_9.jpg")),)


def test_pairs_of_people_are_chained_through_both_sides(tmp_path):
    """The fake 1_2 names the person of the real video 2, which lies on the other side."""
    train, test = tmp_path / "train", tmp_path / "test"
    for root, fake, real in ((train, "1_2", "8"), (test, "9_7", "2")):
        for number in range(3):
            write(root / "fake" / f"{fake}_{number}.jpg", picture(len(fake + real) + number))
            write(root / "real" / f"{real}_{number}.jpg", picture(int(real) * 100 + number))
    assert "groups on both sides" in kinds(audit(train, test, groups="pair"))


def test_groups_of_the_other_folder_may_come_from_elsewhere(tmp_path):
    train = folder(tmp_path / "train", name="{}_0.jpg")
    test = folder(tmp_path / "test", start=5000)
    table = tmp_path / "groups.csv"
    names = sorted(path.relative_to(test).as_posix() for path in test.rglob("*.jpg"))
    table.write_text("file,group\n" + "\n".join(f"{name},new {name}" for name in names))
    assert audit(train, test, groups="video", against_groups=table).findings == ()
    table.write_text(table.read_text().replace("new fake/5003.jpg", "3"))
    found = only(audit(train, test, groups="video", against_groups=table))
    assert found.kind == "groups on both sides"
    with pytest.raises(ValueError, match="need that folder"):
        audit(train, groups="video", against_groups=table)


def test_a_picture_in_both_classes(tmp_path):
    root = folder(tmp_path)
    shutil.copy(root / "fake" / "3.jpg", root / "real" / "3.jpg")
    result = audit(root)
    leak = result.of(Severity.LEAK)
    assert [(finding.kind, finding.count) for finding in leak] == [("contradictions", 2)]
    assert result.verdict.startswith("1 leak and ")


def test_copies_in_a_class(tmp_path):
    root = folder(tmp_path)
    shutil.copy(root / "fake" / "3.jpg", root / "fake" / "again.jpg")
    write(root / "fake" / "once more.bmp", Image.open(root / "fake" / "3.jpg"))
    found = {finding.kind: finding for finding in audit(root).findings}
    assert "2 images too many (1 as equal files)" in found["copies"].text
    assert found["copies"].severity is Severity.WARNING
    grouped = audit(root, groups=lambda path: "all" if path.stem[0] in "3ao" else path.stem)
    assert {f.kind: f.severity for f in grouped.findings}["copies"] is Severity.NOTE
    assert not grouped.has_leaks


def test_look_alikes_of_one_folder_and_what_they_do_to_a_split(tmp_path):
    root = folder(tmp_path)
    write(root / "real" / "source.jpg", edited(picture(5)))
    finding = only(audit(root))
    assert (finding.kind, finding.severity) == ("look-alikes", Severity.WARNING)
    assert "2 of 25 images" in finding.text
    assert "1 of the clusters hold images of both classes" in finding.text
    assert "6.4 % a twin of the other class" in finding.effect  # 2 / 25 * 0.8
    assert "honest" not in finding.effect


def test_look_alikes_in_different_groups_are_a_leak(tmp_path):
    root = folder(tmp_path)
    write(root / "fake" / "twin.jpg", edited(picture(5)))
    assert only(audit(root, groups=lambda path: path.stem)).kind == "look-alikes across groups"
    together = audit(root, groups=lambda path: "5" if path.stem == "twin" else path.stem)
    assert together.findings == ()


def test_unreadable_images_are_named_and_left_out(tmp_path):
    root = folder(tmp_path)
    (root / "fake" / "empty.jpg").touch()
    whole = (root / "real" / "1001.jpg").read_bytes()
    (root / "real" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    finding = only(audit(root))
    assert (finding.kind, finding.severity, finding.count) == ("unreadable", Severity.WARNING, 2)
    assert finding.images == (
        (f"{root / 'fake' / 'empty.jpg'}: the file is empty",),
        (f"{root / 'real' / 'cut.jpg'}: the file is truncated",),
    )


def test_a_class_without_readable_images_is_an_error(tmp_path):
    root = folder(tmp_path)
    for path in (root / "real").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match="real: no image of this class can be read"):
        audit(root)


def test_uneven_classes(tmp_path):
    root = folder(tmp_path)
    for number in range(12):
        write(root / "real" / f"more{number}.jpg", picture(3000 + number))
    finding = only(audit(root))
    assert (finding.kind, finding.severity) == ("uneven classes", Severity.NOTE)
    assert "67 % of the images are real" in finding.text


def test_few_groups_and_a_large_one(tmp_path):
    root = folder(tmp_path)
    few = audit(root, groups=lambda path: path.stem[-1] if path.parts[0] == "fake" else path.stem)
    assert kinds(few) == set()
    few = audit(root, groups=lambda path: "one" if path.parts[0] == "fake" else path.stem)
    assert kinds(few) == {"few groups", "large group"}
    assert not few.has_leaks


def test_names_that_only_number_a_class_are_no_frames(tmp_path):
    root = folder(tmp_path)
    for kind in ("fake", "real"):
        for path in sorted((root / kind).iterdir()):
            path.rename(path.with_name(f"{kind}_{path.name}"))
    assert audit(root).findings == ()


def test_progress_counts_to_its_end(tmp_path):
    root = folder(tmp_path)
    write(root / "fake" / "twin.jpg", edited(picture(5)))
    seen = []
    audit(root, watch=lambda *step: seen.append(step))
    assert ("reading", 25, 25) in seen
    last = seen[-1]
    assert last[0] == "comparing"
    assert last[1] == last[2]
