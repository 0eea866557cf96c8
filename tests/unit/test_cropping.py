import csv

import numpy as np
import pytest
from PIL import Image
from tests.clips import nobody, portrait, write_clip

from mesonet.cropping import crop_media
from mesonet.datasets.groups import group_keys
from mesonet.faces import CenterFace, crop_face


def test_faces_of_one_medium_stay_together(tmp_path):
    (tmp_path / "other").mkdir()
    Image.fromarray(portrait()).save(tmp_path / "a.png")
    Image.fromarray(portrait()[:, ::-1]).save(tmp_path / "other" / "a.png")
    Image.fromarray(nobody()).save(tmp_path / "b.png")
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    first, second = (Image.fromarray(portrait(256)).rotate(angle) for angle in (0, 1))
    first.save(tmp_path / "hours.webp", save_all=True, append_images=[second], duration=3_000_000)
    write_clip(tmp_path / "clip.mp4", [np.hstack([portrait(), portrait()])] * 6)
    names = ("a.png", "other/a.png", "b.png", "broken.jpg", "hours.webp", "clip.mp4")
    out = tmp_path / "data" / "real"
    results = list(crop_media([tmp_path / name for name in names], out, frames=3))
    assert [result.faces for result in results] == [1, 1, 0, 0, 0, 6]
    assert results[3].error
    assert "longer than" in results[4].error
    rows = list(csv.DictReader((tmp_path / "data" / "groups.csv").open()))
    files = [path.relative_to(tmp_path / "data") for path in out.glob("*.png")]
    assert sorted(row["file"] for row in rows) == sorted(map(str, files))
    assert sorted({row["group"] for row in rows}) == ["real/a", "real/a-2", "real/clip"]
    assert len(set(group_keys(files, str(tmp_path / "data" / "groups.csv")))) == 3
    list(crop_media([tmp_path / "a.png"], tmp_path / "data" / "fake"))
    rows = list(csv.DictReader((tmp_path / "data" / "groups.csv").open()))
    assert sorted({row["group"] for row in rows}) == ["fake/a", "real/a", "real/a-2", "real/clip"]
    (face,) = CenterFace().find(portrait())
    cut = np.asarray(Image.open(out / "a_00000_01.png"))
    assert np.array_equal(cut, crop_face(portrait(), face))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        list(crop_media([], tmp_path))
