"""The exam of explanations: do they point at what was forged?

Forgeries with known masks are made of real faces: self-blended images and parts of other people
(`mesonet.images.blending`). For composites made by hand, the parts that file names tell are taken.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.datasets.groups import spread_over_groups
from mesonet.detector import Detector
from mesonet.errors import DataError, ImageError
from mesonet.evaluation.benchmark.comparison import ROUNDS, interval
from mesonet.evaluation.benchmark.models import DataSet, Watch
from mesonet.explanations import (
    METHODS,
    FaceCrop,
    Map,
    explain,
    fake_log_odds,
    region_masks,
    usable,
)
from mesonet.explanations.exam import MARGIN
from mesonet.explanations.hiding import blurred
from mesonet.faces import CenterFace
from mesonet.images.blending import Blending
from mesonet.images.reading import read_image
from mesonet.progress import Progress

PRIOR = "face prior"
RANDOM = "random"
SELF_BLENDED = "self-blended"
PARTS = "parts of others"
CODED = "parts by file name"

_ALTERED = 0.05
_STEPS = 6
_PRIOR_WIDTH = 0.18
_CODE = slice(-4, None)
_TRIES = 6

Mask = NDArray[np.bool_]
Marks = dict[str, dict[str, float]]
"""What a question's answers are worth: figures of `mark` by method."""


@dataclass(frozen=True, slots=True)
class Question:
    """A forgery, and where it is.

    Attributes:
        kind: how it was made.
        group: what its face belongs to.
        face: the forged face.
        mask: True where it was altered, shape ``(size, size)``.
    """

    kind: str
    group: str
    face: FaceCrop
    mask: Mask


def self_made(
    detector: Detector, data: DataSet, count: int, *, seed: int = 0
) -> Iterator[Question]:
    """Self-blended faces and faces with parts of others, of a set's real images.

    Only forgeries that the detector calls so are asked about: a map of a score that is not there
    explains nothing. So there may be fewer than ``count`` of each kind.
    """
    rng = np.random.default_rng(seed)
    places = np.flatnonzero(~data.folder.is_fake)
    groups = [data.groups[place] for place in places.tolist()]
    finder = CenterFace()
    chosen = places[rng.permutation(spread_over_groups(groups, _TRIES * count, seed))]
    left = {SELF_BLENDED: count, PARTS: count}
    blending = Blending(share=1)
    before: FaceCrop | None = None
    for place in chosen.tolist():
        face = _face(detector, finder, data, place)
        if face is None:
            continue
        others = {SELF_BLENDED: None, PARTS: before}
        before = face
        for kind, other in others.items():
            if not left[kind] or (kind == PARTS and other is None):
                continue
            _, forged, mask = blending(face.pixels, rng, other.pixels if other else None)
            question = Question(
                kind,
                f"{data.name}/{data.groups[place]}",
                FaceCrop(forged, face.landmarks),
                mask > _ALTERED,
            )
            if called_fake(detector, question.face):
                left[kind] -= 1
                yield question
        if not any(left.values()):
            return


def coded(detector: Detector, data: DataSet, count: int, *, seed: int = 0) -> Iterator[Question]:
    """Composites whose file names end in four digits: left eye, right eye, nose, mouth replaced.

    Those in which everything, or nothing, was replaced say nothing about pointing. Left is taken as
    left in the picture.
    """
    names = data.folder.names
    places = np.array(
        [
            place
            for place in np.flatnonzero(data.folder.is_fake).tolist()
            if _parts(names[place].stem)
        ],
        np.intp,
    )
    groups = [data.groups[place] for place in places.tolist()]
    finder = CenterFace()
    chosen = places[spread_over_groups(groups, _TRIES * count, seed)]
    for place in np.random.default_rng(seed).permutation(chosen).tolist():
        face = _face(detector, finder, data, place)
        if face is None or face.landmarks is None or not called_fake(detector, face):
            continue
        masks = region_masks(face)
        left_eye, right_eye, nose, mouth = _parts(names[place].stem)
        middle = float(face.landmarks[:2, 0].mean())
        on_left = np.arange(face.size)[None, :] < middle
        eyes = masks["eyes"] > 0
        mask = (eyes & on_left & left_eye) | (eyes & ~on_left & right_eye)
        mask |= ((masks["nose"] > 0) & nose) | ((masks["mouth"] > 0) & mouth)
        yield Question(CODED, f"{data.name}/{data.groups[place]}", face, mask)
        count -= 1
        if not count:
            return


def _parts(stem: str) -> tuple[bool, ...]:
    code = stem[_CODE]
    known = len(code) == 4 and set(code) == {"0", "1"}
    return tuple(digit == "1" for digit in code) if known else ()


def _face(detector: Detector, finder: CenterFace, data: DataSet, place: int) -> FaceCrop | None:
    try:
        image = np.asarray(read_image(data.folder.paths[place]))
    except ImageError:
        return None
    faces = finder.find(image)
    return FaceCrop.cut(detector, image, faces[0]) if faces else None


def called_fake(detector: Detector, face: FaceCrop) -> bool:
    """Whether the detector's threshold calls a face manipulated."""
    prepared = detector.info.preprocessing.scale(face.pixels[None])
    return bool(detector.fake_probabilities(prepared)[0] >= detector.info.threshold)


def face_prior(face: FaceCrop) -> Map:
    """A map that knows nothing but where the face is: a Gaussian around the nose."""
    centre = np.full(2, face.size / 2) if face.landmarks is None else face.landmarks.mean(axis=0)
    y, x = np.indices((face.size, face.size), np.float32)
    distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.asarray(np.exp(-distance / (2 * (_PRIOR_WIDTH * face.size) ** 2)), np.float32)


def random_map(face: FaceCrop, rng: np.random.Generator) -> Map:
    """Smooth noise."""
    return np.asarray(
        cv2.resize(
            rng.random((8, 8), np.float32), (face.size, face.size), interpolation=cv2.INTER_CUBIC
        )
    )


def mark(detector: Detector, question: Question, found: Map) -> dict[str, float]:
    """What a map is worth on one question.

    Returns:
        ``pointing``: 1 where the largest value lies on what was altered (Zhang et al., IJCV 2018);
        ``energy``: share of the values above 0 that lies there; ``deletion`` and ``insertion``
        (Petsiuk et al., BMVC 2018): mean fake probability while the most important pixels are
        blurred first, which should be low, and while they come back first, which should be high.
    """
    hottest = np.unravel_index(int(found.argmax()), found.shape)
    carried = np.maximum(found, 0)
    total = float(carried.sum())
    order = np.argsort(-found, axis=None)
    rank = np.empty(order.size, np.float32)
    rank[order] = np.arange(order.size, dtype=np.float32) / order.size
    rank = rank.reshape(found.shape)[..., None]
    seen, hidden = question.face.pixels, blurred(question.face.pixels)
    steps = np.linspace(0, 1, _STEPS + 2)[1:-1]
    pictures = [np.where(rank < step, hidden, seen) for step in steps]
    pictures += [np.where(rank < step, seen, hidden) for step in steps]
    odds = fake_log_odds(detector, pictures)
    scores = detector.info.calibrated(1 / (1 + np.exp(-odds)))
    return {
        "pointing": float(question.mask[hottest]),
        "energy": float(carried[question.mask].sum()) / total if total else 0.0,
        "deletion": float(scores[:_STEPS].mean()),
        "insertion": float(scores[_STEPS:].mean()),
    }


def run_exam(
    detector: Detector,
    data_sets: Sequence[DataSet],
    count: int,
    *,
    slow: bool,
    watch: Watch,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Examine every method that works with a detector.

    Args:
        detector: whose scores are explained.
        data_sets: whose real faces are forged, and whose file names are read.
        count: questions of each kind and set.
        slow: also examine the slow methods.
        watch: is told of the progress.
        kept: see `examine`.

    Returns:
        What `examine` returns, with the model's name and hash, and the sets; it is the record of
        `mesonet.explanations.exam`.

    Raises:
        DataError: the detector calls none of the forgeries so.
    """
    methods = [name for name in usable(detector) if slow or not METHODS[name].slow]
    questions: list[Question] = []
    for data in data_sets:
        for kind, make in (("forging", self_made), ("reading", coded)):
            goal = count * (2 if make is self_made else 1)
            for done, question in enumerate(make(detector, data, count), start=1):
                questions.append(question)
                watch(f"{kind} {data.name}", done, goal)
    if not questions:
        names = ", ".join(data.name for data in data_sets)
        raise DataError(names, f"{detector.name} calls none of the forgeries manipulated")

    def progress(done: int, total: int) -> None:
        watch(f"examining {detector.name}", done, total)

    return {
        "model": detector.name,
        "model_sha256": detector.sha256,
        "data": [data.name for data in data_sets],
    } | examine(detector, questions, methods, progress, kept)


def examine(
    detector: Detector,
    questions: Sequence[Question],
    methods: Sequence[str],
    progress: Progress,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Let every method, the face prior and noise answer every question.

    Args:
        detector: whose scores are explained.
        questions: forgeries.
        methods: names of the methods.
        progress: is told how many questions are answered.
        kept: where marks are kept as they are given, so that an exam that was interrupted goes on.

    Returns:
        By kind of forgery: ``count``, ``groups``, ``area`` (mean share that was altered), and by
        method every figure of `mark` with its interval over groups, and ``gain``, by how much its
        pointing is better than the face prior's; ``passed``, the methods whose gain on self-blended
        faces is at least `mesonet.explanations.exam.MARGIN`, best first.
    """
    marks = _KeptMarks(detector, methods, kept)
    rows: list[Marks] = []
    for done, question in enumerate(questions, start=1):
        known = marks.of(question)
        rows.append(known or marks.keep(question, _answer(detector, question, methods)))
        progress(done, len(questions))
    kinds = {}
    for kind in dict.fromkeys(question.kind for question in questions):
        chosen = [place for place, question in enumerate(questions) if question.kind == kind]
        kinds[kind] = _summary([questions[p] for p in chosen], [rows[p] for p in chosen])
    gains = {
        name: figures["gain"]["value"]
        for name, figures in kinds.get(SELF_BLENDED, {}).get("methods", {}).items()
        if name in methods and figures["gain"]["value"] is not None
    }
    passed = sorted((n for n in gains if gains[n] >= MARGIN), key=lambda n: -gains[n])
    return {"margin": MARGIN, "passed": passed, "kinds": kinds}


def _answer(detector: Detector, question: Question, methods: Sequence[str]) -> Marks:
    answers: dict[str, Callable[[FaceCrop], Map]] = {
        name: partial(explain, detector, method=name)
        for name in methods
        if question.face.landmarks is not None or not METHODS[name].needs_landmarks
    }
    seed = zlib.crc32(question.mask.tobytes())
    answers[PRIOR] = face_prior
    answers[RANDOM] = partial(random_map, rng=np.random.default_rng(seed))
    return {name: mark(detector, question, find(question.face)) for name, find in answers.items()}


class _KeptMarks:
    """Marks in a file, a line of JSON for each question; without a file nothing is kept."""

    def __init__(self, detector: Detector, methods: Sequence[str], path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Marks] = {}
        if path is None:
            return
        self._exam = f"{detector.sha256} {' '.join(methods)}"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    key, marks = json.loads(line)
                except ValueError:  # broken off while it was written
                    continue
                self._known[key] = marks

    def of(self, question: Question) -> Marks | None:
        """Marks that were given before."""
        return self._known.get(self._key(question)) if self._path else None

    def keep(self, question: Question, marks: Marks) -> Marks:
        """Write new marks down, and give them back."""
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps([self._key(question), marks])}\n")
        return marks

    def _key(self, question: Question) -> str:
        found = hashlib.sha256(self._exam.encode())
        found.update(question.face.pixels.tobytes())
        found.update(question.mask.tobytes())
        return found.hexdigest()


def _summary(questions: Sequence[Question], rows: Sequence[Marks]) -> dict[str, Any]:
    _, group = np.unique([question.group for question in questions], return_inverse=True)
    groups = int(group.max()) + 1
    draws = np.random.default_rng(0).multinomial(groups, [1 / groups] * groups, ROUNDS)
    weights = draws[:, group].astype(np.float64)
    names = [name for name in rows[0] if all(name in row for row in rows)]

    def figure(values: NDArray[np.float64]) -> dict[str, float | None]:
        with np.errstate(invalid="ignore"):
            return interval(float(values.mean()), weights @ values / weights.sum(axis=1))

    def values(name: str, what: str) -> NDArray[np.float64]:
        return np.array([row[name][what] for row in rows])

    return {
        "count": len(questions),
        "groups": groups,
        "area": float(np.mean([question.mask.mean() for question in questions])),
        "methods": {
            name: {what: figure(values(name, what)) for what in rows[0][name]}
            | {"gain": figure(values(name, "pointing") - values(PRIOR, "pointing"))}
            for name in names
        },
    }
