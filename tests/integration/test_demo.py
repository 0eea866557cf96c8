import re
from dataclasses import replace

import pytest
from tests.images import write_picture

from mesonet.demo.report import Item, write_report
from mesonet.demo.samples import make_samples
from mesonet.detector import Detector, Failure
from mesonet.model_info import Calibration

pytestmark = pytest.mark.slow


def test_samples_are_one_real_face_and_different_forgeries_of_it(tmp_path):
    pytest.importorskip("skimage")
    items = make_samples(tmp_path)
    assert [item.is_fake for item in items] == [False] + [True] * 5
    assert len({item.path.read_bytes() for item in items}) == 6
    for item, again in zip(items, make_samples(tmp_path / "again"), strict=True):
        assert item.path.read_bytes() == again.path.read_bytes()


def test_report_is_one_page_with_pictures_truth_and_layers(tmp_path, tiny_model):
    detector = Detector.load(tiny_model)
    (tmp_path / "<b>.jpg").write_bytes(b"broken")
    items = [
        Item(write_picture(tmp_path / "one.png"), is_fake=False),
        Item(write_picture(tmp_path / "two.png", 1), "<script>alert(1)</script>", is_fake=True),
        Item(tmp_path / "<b>.jpg"),
    ]
    results = write_report(tmp_path / "report.html", detector, items, layers=[0, 3])
    assert isinstance(results[2], Failure)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count("data:image/png;base64,") == 4
    assert "Not scored: not an image" in page
    assert "<script>" not in page
    assert "&lt;b&gt;.jpg" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    right = sum(
        (result.label == "deepfake") == item.is_fake
        for item, result in zip(items[:2], results[:2], strict=True)
    )
    assert f"Of 2 images whose truth is known, {right} are called right." in page
    assert page.count("the model is wrong") == 2 - right


def test_the_report_shows_what_is_uncertain(tmp_path, tiny_model):
    detector = Detector.load(tiny_model)
    detector.info = replace(
        detector.info,
        calibration=Calibration(1.0, 0.1),
        threshold=0.5,
        band=(0.0, 0.9999),
        error_rate=0.05,
    )
    items = [Item(write_picture(tmp_path / "one.png"), is_fake=True)]
    (verdict,) = write_report(tmp_path / "report.html", detector, items)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ': <span class="uncertain">uncertain</span>' in page
    assert '<u style="left:0.0%;width:100.0%"></u>' in page
    assert f"score is {verdict.raw_score:.3f}" in page
    assert f"Fake probability {verdict.fake_probability:.3f}, calibrated" in page
    assert "at most 5.0% of the verdicts" in page
    assert "0 are called right and 1 left open." in page
    assert "the model is wrong" not in page


def test_an_unknown_layer_leaves_no_half_written_page(tmp_path, tiny_model):
    items = [Item(write_picture(tmp_path / "one.png"))]
    with pytest.raises(ValueError, match="no layer 9"):
        write_report(tmp_path / "report.html", Detector.load(tiny_model), items, layers=[9])
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]
