import shutil

import numpy as np
import pytest
from PIL import Image
from tests.images import write_picture

from mesonet.detector import Detector
from mesonet.errors import ModelFileError
from mesonet.images.finding import IMAGE_SUFFIXES, find_images
from mesonet.images.left_out import describe_left_out
from mesonet.images.reading import read_image
from mesonet.media import MEDIA_SUFFIXES


@pytest.fixture
def folder(tmp_path):
    write_picture(tmp_path / "fine.png")
    for name in ("a.pdf", "b.PDF", "c.pdf", "d.pdf", "clip.mp4", "drawing.svg", "labels.csv"):
        (tmp_path / name).write_bytes(b"x")
    write_picture(tmp_path / "made.jpg")
    shutil.move(tmp_path / "made.jpg", tmp_path / "photo")
    (tmp_path / "paper").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "phone").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "film").write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / "NOTES").write_text("text")
    return tmp_path


def test_what_a_folder_leaves_out_is_named_and_counted(folder):
    kinds = {line.split(":")[0]: line for line in describe_left_out([folder], IMAGE_SUFFIXES)}
    assert set(kinds) == {"5 PDF", "2 video", "1 SVG", "1 HEIC", "1 JPEG without suffix"}
    assert "a.pdf" in kinds["5 PDF"]
    assert ", ..." in kinds["5 PDF"]
    assert "mesonet check" in kinds["2 video"]
    assert str(folder / "photo") in kinds["1 JPEG without suffix"]


def test_clips_are_left_out_only_where_they_are_not_taken(folder):
    lines = " ".join(describe_left_out([folder], MEDIA_SUFFIXES))
    assert "clip.mp4" not in lines
    assert "film" in lines


def test_a_file_that_is_named_is_not_left_out(folder):
    photo = folder / "photo"
    assert describe_left_out([photo, folder / "missing"], IMAGE_SUFFIXES) == []
    assert find_images([photo]) == ([photo], [])
    assert read_image(photo).mode == "RGB"


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "http://example.org/?a=[1]"])
def test_an_address_is_explained(address):
    found, [error] = find_images([address])
    assert found == []
    assert "download" in error.reason


@pytest.mark.parametrize(
    ("name", "hint"),
    [("meso5", "did you mean meso4?"), ("Standart", "standard?"), ("zzz", "mesonet models")],
)
def test_a_misspelt_model_is_explained(name, hint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match=hint.replace("?", r"\?")):
        Detector.load(name)


def test_heic_is_read(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    picture = Image.linear_gradient("L").convert("RGB")
    heif.from_pillow(picture).save(tmp_path / "a.heic", quality=95)
    assert tmp_path / "a.heic" in find_images([tmp_path])[0]
    read = read_image(tmp_path / "a.heic")
    assert read.size == picture.size
    difference = np.abs(np.asarray(read, float) - np.asarray(picture, float))
    assert difference.mean() < 20
