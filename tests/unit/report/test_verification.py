import json
import re
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image
from tests.clips import portrait

from mesonet.checking import Checker
from mesonet.detector import Detector
from mesonet.errors import ReportError
from mesonet.model_info import ModelInfo
from mesonet.report import Report, verification
from mesonet.report.verification import Finding, verify_report


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A report and the photograph that it is about."""
    folder = tmp_path_factory.mktemp("case")
    photo, page = folder / "photo.jpg", folder / "case.html"
    Image.fromarray(portrait()).save(photo, quality=95)
    checker = Checker("meso4")
    with Report(page, checker=checker) as report:
        report.add(checker.check(photo, pictures=True))
    return page, photo


def unequal(findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if finding.equal is False]


def changed(page: Path, folder: Path, old: str, new: str) -> Path:
    text = page.read_text(encoding="utf-8")
    assert old in text
    copy = folder / "changed.html"
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def test_untouched_report_is_equal_in_everything(case: tuple[Path, Path]) -> None:
    findings = list(verify_report(case[0], [case[1]]))
    assert [finding.what for finding in findings] == [
        "record",
        "page",
        "model",
        "model's description",
        "versions",
        "medium",
        "result",
    ]
    assert all(finding.equal for finding in findings)


def test_changed_byte_of_the_medium_is_named(case: tuple[Path, Path], tmp_path: Path) -> None:
    data = bytearray(case[1].read_bytes())
    data[-20] ^= 1
    other = tmp_path / "photo.jpg"
    other.write_bytes(data)
    findings = list(verify_report(case[0], [other]))
    assert unequal(findings) == ["medium"]
    assert str(other) in findings[-1].text


def test_changed_number_of_the_record_is_named(case: tuple[Path, Path], tmp_path: Path) -> None:
    text = case[0].read_text(encoding="utf-8")
    number = re.search(r'"fake_probability": (0\.\d+)', text)
    assert number is not None
    last = "1" if number[1][3] != "1" else "2"
    page = changed(case[0], tmp_path, number[0], f"{number[0][: -len(number[1])]}0.{last}00")
    findings = list(verify_report(page, [case[1]]))
    assert unequal(findings) == ["record", "result"]
    assert "fake_probability: report 0." in findings[-1].text


def test_changed_words_of_the_page_are_named(case: tuple[Path, Path], tmp_path: Path) -> None:
    page = changed(case[0], tmp_path, "A score is no proof", "A score is a proof")
    assert unequal(list(verify_report(page, [case[1]]))) == ["page"]


def test_other_model_is_named_and_nothing_checked_again(case: tuple[Path, Path]) -> None:
    findings = list(verify_report(case[0], [case[1]], model="mesoinception4"))
    assert "model" in unequal(findings)
    assert findings[-1].what == "result"
    assert findings[-1].equal is None


def test_changed_byte_of_any_file_that_scores_come_from_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / name for name in ("head.npz", "standard.onnx", "encoder.npz")]
    for file in files:
        file.write_bytes(file.name.encode())

    def checker(*_: object, **__: object) -> Checker:
        detector = Detector("several", ModelInfo(), Mock(), model_path=files[0], scored_files=files)
        return Checker(detector, faces=Mock())

    monkeypatch.setattr(verification, "Checker", checker)
    with Report(tmp_path / "case.html", checker=checker()):
        pass
    assert not unequal(list(verify_report(tmp_path / "case.html", [])))
    files[1].write_bytes(b"other weights")
    (model,) = [f for f in verify_report(tmp_path / "case.html", []) if f.what == "model"]
    assert model.equal is False
    assert "files.standard.onnx" in model.text
    assert "files.encoder.npz" not in model.text


def test_what_matters_is_read_on_paper_too(case: tuple[Path, Path]) -> None:
    seen, _, rest = case[0].read_text(encoding="utf-8").partition('<script type="application/json"')
    record = json.loads(rest[rest.index("{") : rest.index("</script>")])
    assert "<details" not in seen
    for sha256 in (record["model"]["sha256"], record["settings_sha256"]):
        assert f"<td>{sha256}</tr>" in seen
    assert record["checks"][0]["file"]["sha256"] in seen
    for words in ("File and model", "How this can be checked", "openvino", "32 frames"):
        assert words in seen


def test_names_of_files_do_not_matter(case: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "renamed.jpg"
    copy.write_bytes(case[1].read_bytes())
    assert not unequal(list(verify_report(case[0], [copy])))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<p>hello</p>", "holds no record"),
        ('<script type="application/json" id="record">{"format": </script>', "cannot be read"),
        ('<script type="application/json" id="record">{"format": 7}</script>', "is no mesonet"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(text)
    with pytest.raises(ReportError, match=reason):
        list(verify_report(page, []))


def test_record_cannot_break_out_of_its_element(tmp_path: Path, case: tuple[Path, Path]) -> None:
    checker = Checker("meso4")
    page = tmp_path / "case.html"
    with Report(page, checker=checker) as report:
        report.add(checker.check(case[1].read_bytes(), name="</script><b>.jpg", pictures=True))
    text = page.read_text(encoding="utf-8")
    assert text.count("</script>") == 1
    record = re.search(r'id="record">(.*?)</script>', text, re.DOTALL)
    assert record is not None
    assert json.loads(record[1])["checks"][0]["path"] == "</script><b>.jpg"
    assert not unequal(list(verify_report(page, [case[1]])))
