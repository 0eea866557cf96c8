"""Data, views, batches, words and head of the released detectors."""

import numpy as np
import pytest
from PIL import Image
from recipes.detector.batches import BATCH, ROUNDS, STEPS, Batches, round_of
from recipes.detector.encode import NamedBatches
from recipes.detector.generalisation import compare, format_table
from recipes.detector.head import fit_kernel, mix
from recipes.detector.release import describe, training_data
from recipes.detector.sets import GROUPING, PARTS, Sample, part_of, samples
from recipes.detector.views import draw
from sklearn.metrics import roc_auc_score

from mesonet.files import file_hash
from mesonet.model_info import ModelInfo

FACE = (20.0, 16.0, 24.0, 30.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """All five sets, with three images of each class and a gradient for a face."""
    root = tmp_path_factory.mktemp("sets")
    y, x = np.mgrid[:64, :64]
    for number, name in enumerate(GROUPING):
        rows = ["file,group"]
        for label in ("real", "fake"):
            folder = root / name / label
            folder.mkdir(parents=True)
            for image in range(3):
                pixels = np.stack([3 * x, 3 * y, x + 40 * image + 10 * number], -1)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{image}_{image}.jpg")
                rows.append(f"{label}/{image}_{image}.jpg,{image}")
        (root / name / "groups.csv").write_text("\n".join(rows))
    return root


def test_a_group_lies_in_one_part_whatever_else_there_is(data):
    found = samples(data)
    assert len(found) == 30
    parts = {}
    for sample in found:
        assert parts.setdefault(sample.group, sample.part) == sample.part == part_of(sample.group)
    assert [s.fake for s in found if s.set == "dfdc"] == [True] * 3 + [False] * 3


def test_parts_have_about_the_shares_that_are_wanted():
    parts = [part_of(f"set/{number}") for number in range(4000)]
    shares = [parts.count(part) / len(parts) for part in PARTS]
    assert np.allclose(shares, (0.7, 0.1, 0.2), atol=0.03)


def test_a_blended_view_differs_from_the_plain_one_only_by_the_blending(data):
    image = np.asarray(Image.open(data / "ffpp" / "real" / "0_0.jpg"))
    differing = 0
    for number in range(12):
        plain = draw(image, FACE, 48, (0, number))
        blended = draw(image, FACE, 48, (0, number), source=(image, FACE))
        assert np.array_equal(plain, draw(image, FACE, 48, (0, number)))
        assert plain.shape == blended.shape == (48, 48, 3)
        differing += not np.array_equal(plain, blended)
        corners = np.s_[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert np.abs(plain[corners].astype(int) - blended[corners]).mean() < 30
    assert differing >= 10


def test_parts_of_another_face_are_blended_in(data):
    image, other = (
        np.asarray(Image.open(data / "ciplab" / "real" / f"{n}_{n}.jpg")) for n in (0, 2)
    )
    itself = draw(image, FACE, 48, (0, 1), source=(image, FACE))
    swapped = draw(image, FACE, 48, (0, 1), source=(other, FACE))
    assert swapped.shape == (48, 48, 3)
    assert not np.array_equal(itself, swapped)


def test_batches_are_balanced_and_the_same_by_their_number(data):
    found = samples(data)
    boxes = {sample.file: FACE for sample in found}
    batches = Batches(data, boxes, found, 32, seed=3)
    views, fake = batches(5)
    assert views.shape == (BATCH, 32, 32, 3)
    assert fake.sum() == BATCH / 2
    again, _ = batches(5)
    other, _ = batches(6)
    assert np.array_equal(views, again)
    assert not np.array_equal(views, other)


def test_a_release_knows_its_training_images(data):
    known = training_data(data)
    trained = [sample for sample in samples(data) if sample.part == "train"]
    assert known.images == len({file_hash(data / sample.file) for sample in trained}) > 0
    assert set(known.sets) == {sample.set for sample in trained}
    assert known.overlap([file_hash(data / trained[0].file)]).found == 1


def test_every_round_fills_its_batches(data):
    for stretch in ROUNDS:
        assert sum(stretch.per_set.values()) == BATCH
        assert set(stretch.swapped) <= set(stretch.per_set) == set(GROUPING)
    first, second = ROUNDS
    assert round_of(first.steps - 1) == (first, first.steps - 1)
    assert round_of(first.steps) == (second, 0)
    assert round_of(STEPS)[0] == first
    found = samples(data)
    _, fake = Batches(data, {s.file: FACE for s in found}, found, 32, seed=0)(first.steps)
    assert fake.sum() == BATCH / 2


def test_sources_of_generated_faces_are_told_by_name():
    assert Sample("synthetic/fake/sd21-x_(1).jpg", "g", "train").source == "sd21"
    assert Sample("dfdc/real/abc.jpg", "g", "train").source == "dfdc"


def test_a_release_has_words_for_faces_and_for_clips(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["file,group,raw_score"]
    for label, center in (("real", 0.3), ("fake", 0.7)):
        for image in range(250):
            score = np.clip(rng.normal(center, 0.15), 0.01, 0.99)
            name = f"ffpp/{label}/{image // 10}_{image % 10}.jpg"
            rows.append(f"{name},ffpp/{image // 10},{score:.4f}")
    scores = tmp_path / "scores.csv"
    scores.write_text("\n".join(rows))
    info = describe(ModelInfo(), scores)
    assert info.kinds
    assert (info.evidence.real, info.evidence.fake, info.evidence.unit) == (250, 250, "faces")
    of_clips = info.clip_evidence
    assert (of_clips.real, of_clips.fake, of_clips.unit) == (25, 25, "clips")
    assert of_clips.real_shares[0] > info.evidence.real_shares[0]


def test_a_head_learns_what_tokens_tell_and_uses_standard_where_they_do_not():
    rng = np.random.default_rng(0)
    fake = rng.random(300) < 0.5
    tokens = rng.normal(0, 1, (300, 12, 768)).astype(np.float32)
    tokens[fake, 9, :80] += 1
    head = fit_kernel(tokens[:200], fake[:200])
    decided = head.decide(tokens[200:])
    assert roc_auc_score(fake[200:], decided) > 0.9
    assert ((head.log_odds(tokens[200:], np.zeros(100)) > 0) == fake[200:]).mean() > 0.8
    standard = np.where(fake[200:], 1.0, -1.0) + rng.normal(0, 1, 100)
    mixed = mix(head, decided, standard, fake[200:])
    odds = mixed.log_odds(tokens[200:], standard)
    assert roc_auc_score(fake[200:], odds) >= roc_auc_score(fake[200:], standard)


def test_views_know_which_files_they_were_drawn_from(data):
    found = samples(data)
    batches = NamedBatches(data, {s.file: FACE for s in found}, found, 32, 0)
    for number in (1, 2):
        _, fake = batches(number)
        assert len(batches.files) == len(fake) == BATCH
        real_ones = [file for file, forged in zip(batches.files, fake, strict=True) if not forged]
        assert all("/real/" in file for file in real_ones)
    assert batches.files[0].startswith("mesonet/")


def test_a_kind_left_out_is_told_worse_than_one_that_is_known():
    asked = [Sample(f"ffpp/{c}/{n}.jpg", f"{n}", "test") for c in ("real", "f2f") for n in range(9)]
    scores = np.arange(18.0)
    found = compare("ffpp", asked, scores, -scores)
    assert (found.counts, found.known, found.unseen) == ((9, 9), 1.0, 0.0)
    assert format_table("set", [found]).endswith("| mean | | 1.000 | 0.000 |")
