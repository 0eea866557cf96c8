import json
import math
import re
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tests.clips import FACE, nobody, portrait, write_clip

import mesonet
from mesonet.checking import Checker, combine
from mesonet.checking.people import ENOUGH_PIXELS, most_suspicious
from mesonet.checking.scale import Scale
from mesonet.checking.tracking import Tracker
from mesonet.detector import Detector
from mesonet.evidence import WORDS, Evidence
from mesonet.explanations import exam_path
from mesonet.faces import Face, overlap
from mesonet.files import file_hash
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "check.schema.json").read_text())
EVIDENCE = Evidence(
    uncertain=0.2,
    some=0.5,
    strong=0.9,
    real_shares=(0.8, 0.15, 0.04, 0.01),
    fake_shares=(0.1, 0.2, 0.3, 0.4),
    real=1000,
    fake=900,
)


def brightness_detector(info: ModelInfo | None = None) -> Detector:
    """A detector to which a dark face looks real and a bright one forged."""
    info = info or ModelInfo(None, Preprocessing(32), ("fake", "real"), threshold=0.5)
    return Detector(
        "brightness",
        info,
        lambda images: (1 / (1 + np.exp(20 * (images.mean((1, 2, 3)) - 0.65)))).astype(np.float32),
        model_path=Path("brightness.keras"),
    )


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(brightness_detector())


def save(picture, path: Path) -> Path:
    Image.fromarray(picture).save(path)
    return path


def bright(picture):
    return np.clip(picture.astype(float) * 1.6 + 40, 0, 255).astype(np.uint8)


def test_every_person_of_a_photograph_is_judged_alone(checker, tmp_path):
    pair = np.hstack([portrait(), bright(portrait())])
    check = checker.check(save(pair, tmp_path / "pair.png"))
    assert (check.kind, check.outcome, check.people_left_out) == ("photo", "scored", 0)
    left, right = check.people
    assert overlap(left.box, FACE) > 0.6
    assert overlap(right.box, (FACE[0] + 512, *FACE[1:])) > 0.6
    assert left.fake_probability < right.fake_probability == check.fake_probability
    assert check.verdict == right.verdict == "some_evidence"
    assert (check.file.width, check.file.height, check.file.format) == (1024, 512, "png")
    alone = checker.check(save(portrait(), tmp_path / "alone.png"))
    assert alone.fake_probability == pytest.approx(left.fake_probability, abs=0.1)


def test_where_there_is_no_score_there_is_none(checker, tmp_path):
    dark = (portrait() // 8).astype(np.uint8)
    for picture, outcome, people in (
        (nobody(), "no_face", 0),
        (portrait(128), "face_too_small", 1),
        (dark, "dark", 1),
    ):
        check = checker.check(save(picture, tmp_path / "a.png"))
        assert (check.outcome, len(check.people)) == (outcome, people)
        for value in (check, *check.people):
            assert value.fake_probability is None
            assert value.verdict is None
    (tmp_path / "a.png").write_bytes(b"broken")
    broken = checker.check(tmp_path / "a.png")
    assert (broken.outcome, broken.kind, broken.file.bytes) == ("unreadable", None, 6)
    assert broken.fake_probability is None
    assert checker.check(tmp_path / "missing.png").notes == ("no such file or directory",)


def test_a_number_that_is_none_is_no_score(tmp_path):
    info = ModelInfo(None, Preprocessing(32), ("fake", "real"))
    detector = Detector(
        "nan", info, lambda images: np.full(len(images), np.nan, np.float32), model_path=Path("x")
    )
    check = Checker(detector).check(save(portrait(), tmp_path / "a.png"))
    assert (check.outcome, check.fake_probability, check.verdict) == ("unreadable", None, None)
    assert json.dumps(check.to_dict(), allow_nan=False)


def test_people_beyond_the_largest_twenty_are_counted(checker, tmp_path):
    class Rows:
        def find(self, image, *, quick=False):
            return [Face((10.0 * n, 0, 40 + n, 40 + n), 1.0) for n in range(25)]

    many = Checker(brightness_detector(), faces=Rows())
    check = many.check(save(portrait(), tmp_path / "a.png"))
    assert (len(check.people), check.people_left_out, check.outcome) == (20, 5, "scored")
    assert [person.id for person in check.people] == list(range(1, 21))
    assert min(person.box[2] for person in check.people) == 45


def test_a_person_of_a_clip_has_one_score_over_time(checker, tmp_path):
    pictures = [portrait()] * 12 + [bright(portrait())] * 12
    write_clip(tmp_path / "a.mp4", pictures)
    check = checker.check(tmp_path / "a.mp4", pictures=True)
    (person,) = check.people
    assert (check.kind, check.outcome) == ("clip", "scored")
    assert len(person.faces) == len(check.frames_seen) == 24
    scores = [face.fake_probability for face in person.faces]
    assert check.fake_probability == pytest.approx(combine(scores))
    assert person.share_above == pytest.approx(0.5)
    assert person.longest_run == 12
    assert [face.time for face in person.faces] == pytest.approx([n / 10 for n in range(24)])
    assert check.pictures.scene.shape == (512, 512, 3)
    assert set(check.pictures.crops) == {1}
    assert len(check.pictures.frames) == 24


def test_people_of_different_shots_stay_apart(checker, tmp_path):
    shots = [portrait()] * 10 + [nobody()] * 10 + [np.ascontiguousarray(portrait()[:, ::-1])] * 10
    write_clip(tmp_path / "a.mp4", shots)
    check = checker.check(tmp_path / "a.mp4")
    assert check.cuts == pytest.approx([1, 2])
    first, second = check.people
    assert max(face.frame for face in first.faces) < 10
    assert min(face.frame for face in second.faces) >= 20


def test_a_clip_without_a_face_or_with_half_its_frames(checker, tmp_path):
    write_clip(tmp_path / "a.mp4", [nobody()] * 8)
    assert checker.check(tmp_path / "a.mp4").outcome == "no_face"
    write_clip(tmp_path / "one.mp4", [portrait()])
    one = checker.check(tmp_path / "one.mp4")
    assert (one.kind, one.outcome, len(one.people[0].faces)) == ("clip", "scored", 1)
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:500])
    assert checker.check(tmp_path / "cut.mp4").outcome == "unreadable"


def test_bad_media_have_a_named_outcome(checker, bad_media, flawed_media):
    for path, reason in bad_media.items():
        check = checker.check(path)
        assert (check.kind, check.outcome, check.people) == (None, "unreadable", ()), path
        assert (check.verdict, check.fake_probability) == (None, None)
        assert re.search(reason, check.notes[0])
        jsonschema.validate(check.to_dict(), SCHEMA)
    for path, reason in flawed_media.items():
        check = checker.check(path)
        jsonschema.validate(check.to_dict(), SCHEMA)
        assert (check.kind, check.outcome, check.fake_probability) == ("clip", "no_face", None)
        assert any(re.search(reason, note) for note in check.notes)


def test_many_media_come_in_order_and_the_bad_ones_too(checker, tmp_path):
    paths = [save(portrait(256 + 8 * n), tmp_path / f"{n}.png") for n in range(9)]
    paths[4].write_bytes(b"broken")
    checks = list(checker.check_all(iter(paths)))
    assert [check.path for check in checks] == [str(path) for path in paths]
    assert [check.outcome for check in checks].count("unreadable") == 1
    assert checks[4].outcome == "unreadable"
    assert checks[2] == checker.check(paths[2])


def test_only_a_few_media_are_read_ahead(checker, tmp_path):
    path = save(nobody(64), tmp_path / "a.png")
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield path

    checks = checker.check_all(endless())
    next(checks)
    checks.close()
    assert taken < 40


def test_the_function_is_the_checker(tmp_path):
    path = save(portrait(), tmp_path / "a.png")
    detector = brightness_detector()
    assert mesonet.check(path, model=detector) == mesonet.Checker(detector).check(path)
    assert mesonet.check(path.read_bytes(), model=detector).path == "medium"
    with pytest.raises(AttributeError):
        mesonet.nothing  # noqa: B018


@pytest.mark.parametrize("trim", [0, 0.1, 0.25])
def test_the_trimmed_mean_keeps_order_and_ignores_a_stray_frame(trim):
    assert combine([0.3], trim) == pytest.approx(0.3)
    assert combine([0.2] * 9, trim) == pytest.approx(0.2)
    low, high = combine([0.1, 0.2, 0.3] * 4, trim), combine([0.2, 0.3, 0.4] * 4, trim)
    assert 0.1 < low < high < 0.4
    if trim:
        assert combine([0.1] * 19 + [1.0], trim) == pytest.approx(0.1)
    assert math.isfinite(combine([0.0, 1.0], trim))


def test_tracks_follow_motion_and_do_not_swap_neighbours():
    tracker, history = Tracker(), []
    for step in range(10):
        left = Face((10 + 8.0 * step, 50, 40, 50), 1.0)
        right = Face((200 - 2.0 * step, 50, 40, 50), 1.0)
        faces = [left, right] if step % 2 else [right, left]
        numbers = dict(zip(("left", "right"), (left, right), strict=True))
        found = dict(zip(map(id, faces), tracker.link(0, faces), strict=True))
        names = {name: found[id(face)] for name, face in numbers.items()}
        history.append(names)
    assert all(names == history[0] for names in history)
    assert tracker.tracks == 2
    assert tracker.link(1, [left]) == [2]


def test_a_face_seen_once_does_not_decide_where_another_was_seen_often(checker):
    from mesonet.checking.people import make_person
    from mesonet.checking.record import SeenFace
    from mesonet.faces import Quality

    def person(number, scores):
        faces = [
            SeenFace(n, n / 10, (0, 0, 50, 50), (), Quality(50, 1, 100), score, score)
            for n, score in enumerate(scores)
        ]
        return make_person(number, faces, Scale(0.5, 0.4, 0.6), clip=True)

    often, once = person(1, [0.3] * 5), person(2, [0.99])
    assert most_suspicious([often, once]) is often
    assert most_suspicious([once]) is once
    assert most_suspicious([]) is None


def test_words_are_those_of_the_evidence():
    info = ModelInfo(evidence=EVIDENCE, kinds=("face swaps",))
    scale = Scale.of(info)
    words = [scale.word(p) for p in (0.0, 0.19, 0.2, 0.49, 0.5, 0.89, 0.9, 1.0)]
    assert words == [word for word in WORDS for _ in range(2)]
    assert scale.meaning("some_evidence").startswith(
        "Of 100 real faces 4 are called so, of 100 manipulated ones 30"
    )
    assert "face swaps" in scale.scope
    assert not Scale.of(info, clip=True).of_clips
    of_clips = Scale.of(ModelInfo(clip_evidence=EVIDENCE), clip=True)
    assert of_clips.of_clips
    assert ModelInfo.from_dict(json.loads(json.dumps(info.to_dict()))) == info


def test_without_evidence_nothing_is_strong_and_it_is_said():
    banded = Scale.of(ModelInfo(threshold=0.5, band=(0.3, 0.7), error_rate=0.1))
    assert [banded.word(p) for p in (0.29, 0.3, 0.7, 1.0)] == [
        *("no_evidence", "uncertain"),
        *("some_evidence", "some_evidence"),
    ]
    assert "not measured" in banded.meaning("some_evidence")
    plain = Scale.of(ModelInfo(threshold=0.5))
    assert [plain.word(p) for p in (0.49, 0.5)] == ["no_evidence", "some_evidence"]
    assert "not measured" in plain.meaning("no_evidence")


@pytest.mark.parametrize(
    "change",
    [
        {"uncertain": 0.6},
        {"strong": 1.5},
        {"real_shares": (0.5, 0.5, 0.5, 0.5)},
        {"fake_shares": (1.2, -0.2, 0, 0)},
        {"real": 0},
        {"unit": ""},
        {"some": "much"},
        {"fake_shares": None},
    ],
)
def test_evidence_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError):
        Evidence.from_dict(EVIDENCE.to_dict() | change)


@pytest.mark.shared
def test_the_people_of_real_clips(shared):
    checker = Checker(brightness_detector())
    checks = {path.stem: checker.check(path) for path in (shared / "clips").glob("*.mp4")}
    assert all(check.people and check.outcome == "scored" for check in checks.values())
    original, forged = checks["real-004"], checks["fake-neuraltextures-004_982"]
    assert len(original.people) == len(forged.people)
    stage = checks["real-stage"]
    assert len(stage.cuts) == 3
    starts = [0.0, *stage.cuts, math.inf]
    for person in stage.people:
        times = [face.time for face in person.faces]
        assert any(a <= times[0] and times[-1] < b for a, b in pairwise(starts))


def detail_detector(share: float) -> Detector:
    """Calls faces forged that have this share of the detail of the first, and the others real."""
    first: list[float] = []

    def run(images: np.ndarray) -> np.ndarray:
        detail = np.abs(np.diff(images, axis=2)).mean((1, 2, 3))
        first.append(detail[0])
        return np.where(detail >= share * first[0], 0.05, 0.95).astype(np.float32)

    info = ModelInfo(
        None, Preprocessing(64), ("fake", "real"), threshold=0.5, band=(0.4, 0.6), error_rate=0.05
    )
    return Detector("detail", info, run, model_path=Path("detail.keras"))


@pytest.fixture
def grainy(tmp_path):
    grain = np.random.default_rng(0).normal(0, 25, portrait().shape)
    return save(np.clip(portrait() + grain, 0, 255).astype(np.uint8), tmp_path / "grainy.png")


def test_verdict_that_mild_changes_move_is_uncertain_with_the_reason(grainy):
    steady = Checker(detail_detector(0)).check(grainy)
    assert steady.verdict == "some_evidence"
    assert not steady.people[0].fragility.is_fragile
    assert steady.notes == ()
    moved = Checker(detail_detector(0.95)).check(grainy)
    person = moved.people[0]
    assert person.fragility.is_fragile
    assert "slightly blurred" in person.fragility.turned_by
    assert (person.verdict, moved.verdict) == ("uncertain", "uncertain")
    assert moved.fake_probability == pytest.approx(0.95)
    assert moved.notes == (f"person 1: {person.fragility.text.removesuffix('.')}",)


def test_a_small_face_is_uncertain_where_a_large_one_is_evidence_and_the_reason_is_told(tmp_path):
    small = np.asarray(Image.fromarray(bright(portrait())).resize((160, 160)))
    check = Checker(brightness_detector(), quick=True).check(save(small, tmp_path / "small.png"))
    (person,) = check.people
    assert person.best_face.quality.size < ENOUGH_PIXELS
    assert check.fake_probability > 0.5
    assert check.verdict == person.verdict == "uncertain"
    assert "below 96 real faces are accused too often" in check.notes[0]
    small_and_dark = np.asarray(Image.fromarray(portrait()).resize((160, 160)))
    dark = Checker(brightness_detector(), quick=True).check(
        save(small_and_dark, tmp_path / "dark.png")
    )
    assert (dark.verdict, dark.notes) == ("no_evidence", ())


def test_quick_check_leaves_the_changes_out(grainy):
    quick = Checker(detail_detector(0.95), quick=True).check(grainy)
    assert (quick.verdict, quick.people[0].fragility) == ("some_evidence", None)


def test_where_changes_have_no_score_there_is_no_fragility(checker, tmp_path):
    calls = []

    def run(images):
        calls.append(len(images))
        return np.full(len(images), 0.2 if len(calls) == 1 else np.nan, np.float32)

    info = checker.detector.info
    once = Checker(Detector("once", info, run, model_path=Path("once.keras")))
    (person,) = once.check(save(portrait(), tmp_path / "a.png")).people
    assert sum(calls) > 1
    assert person.fake_probability is not None
    assert person.fragility is None


def test_record_tells_where_the_file_says_it_comes_from(checker, grainy):
    record = checker.check(grainy).to_dict()
    assert record["provenance"]["content_credentials"]["state"] in ("absent", "not_checked")
    assert record["provenance"]["metadata"]["ai_markers"] == []


def test_explanations_are_given_only_where_they_passed_their_exam(tmp_path):
    weights = tmp_path / "brightness.keras"
    weights.write_bytes(b"weights")
    brightness = brightness_detector()
    examined = Detector("brightness", brightness.info, brightness._runtime, model_path=weights)
    dark = Checker(examined, quick=True, explain=True).check(
        save(portrait(), tmp_path / "portrait.png")
    )
    assert "below the model's threshold" in dark.notes[0]
    photo = save(bright(portrait()), tmp_path / "bright.png")
    refused = Checker(examined, quick=True, explain=True).check(photo)
    assert refused.people[0].explanations == ()
    assert refused.notes == ("no explanation is given: none passed its exam on this model",)
    record = {"model_sha256": file_hash(weights), "passed": ["occlusion", "regions", "rise"]}
    exam_path(weights).write_text(json.dumps(record))
    check = Checker(examined, quick=True, explain=True).check(photo, pictures=True)
    occlusion, regions = check.people[0].explanations
    assert (occlusion.method, regions.method) == ("occlusion", "regions")
    assert "not where the forgery is" in occlusion.text
    assert set(regions.shares) == {"eyes", "nose", "mouth", "skin", "border", "background"}
    assert set(check.pictures.maps) == {"occlusion"}
    record = check.to_dict()
    assert record["people"][0]["explanations"][1]["shares"] == regions.shares
    jsonschema.validate(record, SCHEMA)
