import re

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("skimage")

from mesonet.checking import Checker
from mesonet.cli import demo
from mesonet.demo.forgeries import FORGERIES
from mesonet.demo.samples import make_samples

pytestmark = pytest.mark.slow


def test_samples_have_one_real_face_and_different_forgeries_of_it(tmp_path):
    photograph, clip = make_samples(tmp_path)
    picture = np.asarray(Image.open(photograph.path))
    panels = [
        picture[part.top : part.top + 320, part.left : part.left + 320] for part in photograph.parts
    ]
    assert [part.forgery for part in photograph.parts] == [None, *FORGERIES]
    assert len({panel.tobytes() for panel in panels}) == 6
    for panel in panels[1:]:  # only the face was changed
        assert 0.02 < (panel != panels[0]).any(axis=2).mean() < 0.25
    assert [bool(part.forgery) for part in clip.parts] == [False, True]
    again = make_samples(tmp_path / "again")
    assert again[0].path.read_bytes() == photograph.path.read_bytes()


def test_the_page_says_what_is_true_of_everybody(tmp_path, capsys):
    demo.run(output=tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.html").stat().st_size < 1_500_000
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert page.count("In truth as it was photographed.") == 2
    assert page.count("In truth forged:") == 6
    assert page.count("Face of person") == 8
    printed = capsys.readouterr().out
    assert printed.count("forged: ") == 6
    assert "report.html" in printed


def test_the_clip_is_seen_as_two_shots(tmp_path):
    _, clip = make_samples(tmp_path)
    check = Checker().check(clip.path)
    assert check.cuts == pytest.approx([2.0])
    parts = clip.truths(check.people)
    assert [parts[person.id].forgery for person in check.people] == [None, "low-resolution swap"]
