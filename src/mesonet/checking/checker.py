"""Photographs and clips in, a `Check` of each out."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.checking.explaining import NONE_PASSED, NOT_CALLED, explain_face
from mesonet.checking.likelihood import likelihood
from mesonet.checking.people import (
    make_person,
    most_suspicious,
    note_on_size,
    outcome_of,
    tested_person,
)
from mesonet.checking.pictures import Album
from mesonet.checking.record import Check, FileFacts, Person, SeenFace
from mesonet.checking.scale import Scale
from mesonet.checking.tracking import TrackedFace, TrackedFaces
from mesonet.detector import Detector
from mesonet.errors import ArgumentError, MediaError
from mesonet.faces import CenterFace, Face, FaceDetector
from mesonet.files import file_hash
from mesonet.fragility import CHANGES, changed_faces
from mesonet.media import Clip, Frame, Limits, MediaSource, Photo, open_medium
from mesonet.parallel import cores, map_ahead
from mesonet.preprocessing import Pixels
from mesonet.progress import Progress
from mesonet.provenance import read_provenance
from mesonet.weights import best_ready

FRAMES = 32


class Checker:
    """Looks for people in photographs and clips, and says what a detector makes of each.

    Everything is loaded once; threads may share a checker.

    Args:
        model: name of a released model, a model file, or a loaded detector; by default `thorough`
            where its weights are on this machine, else `standard`.
        faces: finds the faces; by default CenterFace.
        limits: what is read at most.
        frames: how many frames of a clip are looked at.
        quick: leave out the mild changes that tell whether the verdict on a photograph holds.
        explain: say where the score of a photograph's most suspicious person came from.

    Raises:
        mesonet.errors.ModelFileError: no such model, or a file that is refused.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Detector | None = None,
        *,
        faces: FaceDetector | None = None,
        limits: Limits | None = None,
        frames: int = FRAMES,
        quick: bool = False,
        explain: bool = False,
    ) -> None:
        if frames < 1:
            raise ArgumentError(f"at least one frame of a clip must be looked at, not {frames}")
        self.detector = (
            model if isinstance(model, Detector) else Detector.load(model or best_ready())
        )
        self.faces = faces or CenterFace()
        self.limits = limits or Limits()
        self.frames = frames
        self.quick = quick
        self.explain = explain
        self._scorers = ThreadPoolExecutor(cores(), thread_name_prefix="mesonet-scoring")

    def check(
        self,
        source: MediaSource,
        *,
        name: str | None = None,
        pictures: bool = False,
        progress: Progress | None = None,
    ) -> Check:
        """Check one photograph or clip. What is wrong with it is said in the record.

        Args:
            source: path of a file, or the bytes of one.
            name: what the record calls it; by default its path.
            pictures: keep small pictures of what was looked at.
            progress: told how many frames of a clip have been looked at, and how many there are.
        """
        path = name or ("medium" if isinstance(source, bytes) else os.fspath(source))
        try:
            facts = _identity(source, self.limits)
            medium = open_medium(source, path, self.limits)
            if isinstance(medium, Photo):
                check = self._photo(path, medium, facts, pictures)
            else:
                check = self._clip(path, medium, facts, pictures, progress)
            return replace(check, provenance=read_provenance(source))
        except MediaError as error:
            return self.unreadable(path, error.reason, facts)

    def unreadable(self, path: str, reason: str, facts: FileFacts | None = None) -> Check:
        """The record of a medium that cannot be read, and why."""
        return Check(
            path=path,
            kind=None,
            outcome="unreadable",
            verdict=None,
            fake_probability=None,
            file=facts or FileFacts(),
            model=self.detector.name,
            scale=Scale.of(self.detector.info),
            notes=(reason,),
        )

    def check_all(
        self, sources: Iterable[MediaSource], *, pictures: bool = False
    ) -> Iterator[Check]:
        """Check many media in parallel, in their order, a few ahead of the consumer."""
        yield from map_ahead(partial(self.check, pictures=pictures), sources, cores())

    def _photo(self, path: str, photo: Photo, facts: FileFacts, pictures: bool) -> Check:
        height, width = photo.pixels.shape[:2]
        facts = replace(facts, format=photo.format, width=width, height=height)
        tracked = self._tracked(pictures)
        tracked.add(Frame(0, 0.0, 0, photo.pixels), self.faces.find(photo.pixels))
        check = self._conclude(tracked, path, facts, photo=photo.pixels)
        return self._explained(check, photo.pixels) if self.explain else check

    def _clip(
        self,
        path: str,
        clip: Clip,
        facts: FileFacts,
        pictures: bool,
        progress: Progress | None,
    ) -> Check:
        tracked = self._tracked(pictures)
        total = min(self.frames, clip.facts.frames)
        for frame, faces in map_ahead(self._faces_of, clip.frames(self.frames), cores()):
            tracked.add(frame, faces)
            if progress:
                progress(min(len(tracked.frames), total), total)
        facts = replace(
            facts,
            format=clip.facts.format,
            codec=clip.facts.codec,
            width=tracked.size[0],
            height=tracked.size[1],
            duration=clip.facts.duration,
            frames=clip.facts.frames,
        )
        check = self._conclude(tracked, path, facts)
        return replace(check, cuts=tuple(clip.cuts), notes=(*check.notes, *clip.problems))

    def _faces_of(self, frame: Frame) -> tuple[Frame, list[Face]]:
        return frame, self.faces.find(frame.pixels, quick=True)

    def _tracked(self, pictures: bool) -> TrackedFaces:
        return TrackedFaces(self.detector.info.preprocessing, Album(pictures))

    def _explained(self, check: Check, photo: Pixels) -> Check:
        """Explain the score of the most suspicious person."""
        suspect = most_suspicious(check.people)
        if suspect is None or suspect.fake_probability is None:
            return check
        if suspect.fake_probability < check.scale.threshold:
            return replace(check, notes=(*check.notes, NOT_CALLED))
        found, maps = explain_face(self.detector, photo, suspect.best_face)
        if not found:
            return replace(check, notes=(*check.notes, NONE_PASSED))
        people = tuple(
            replace(person, explanations=found) if person is suspect else person
            for person in check.people
        )
        pictures = check.pictures and replace(check.pictures, maps=maps)
        return replace(check, people=people, pictures=pictures)

    def _conclude(
        self, tracked: TrackedFaces, path: str, facts: FileFacts, *, photo: Pixels | None = None
    ) -> Check:
        """Score the faces of the largest people, and gather everything; without photo of a clip."""
        clip = photo is None
        scale = Scale.of(self.detector.info, clip=clip)
        kept, left_out = tracked.largest()
        prepared = [face.pixels for face in kept if face.pixels is not None]
        tested = [face for face in kept if face.pixels is not None and not self.quick]
        views = [] if photo is None else self._changed(photo, tested)
        scores = iter(self._scores([*prepared, *views]))
        tracks: dict[int, list[SeenFace]] = {}
        for face in kept:
            raw, calibrated = next(scores) if face.pixels is not None else (None, None)
            tracks.setdefault(face.track, []).append(
                SeenFace(
                    frame=face.frame,
                    time=face.time if clip else None,
                    box=face.face.box,
                    landmarks=face.face.landmarks,
                    quality=face.quality,
                    fake_probability=calibrated,
                    raw_score=raw,
                )
            )
        order = sorted(tracks, key=lambda track: (tracks[track][0].frame, tracks[track][0].box[0]))
        people = {
            track: make_person(number, tracks[track], scale, clip=clip)
            for number, track in enumerate(order, start=1)
        }
        if views:
            for face in tested:
                changed = [score for _, score in islice(scores, len(CHANGES))]
                people[face.track] = tested_person(people[face.track], changed, scale)
        people = {track: _weighed(person, scale) for track, person in people.items()}
        suspect = most_suspicious(list(people.values()))
        notes = [
            f"person {person.id}: {person.fragility.text.removesuffix('.')}"
            for person in people.values()
            if person.fragility and person.fragility.is_fragile
        ]
        notes += [
            f"person {person.id}: {note.removesuffix('.')}"
            for person in people.values()
            if (note := note_on_size(person, scale))
        ]
        if left_out:
            notes.append(f"{left_out} more people, with smaller faces, were not scored")
        return Check(
            path=path,
            kind="clip" if clip else "photo",
            outcome="scored" if suspect else outcome_of(list(people.values())),
            verdict=suspect.verdict if suspect else None,
            fake_probability=suspect.fake_probability if suspect else None,
            file=facts,
            model=self.detector.name,
            scale=scale,
            people=tuple(people.values()),
            people_left_out=left_out,
            frames_seen=tuple(tracked.frames) if clip else (),
            notes=tuple(notes),
            pictures=tracked.album.pictures(people, suspect),
        )

    def _changed(self, photo: Pixels, faces: Sequence[TrackedFace]) -> list[Pixels]:
        """What the detector sees of each face under each mild change, face by face."""
        preprocessing = self.detector.info.preprocessing
        return [
            preprocessing.resize(Image.fromarray(crop))
            for face in faces
            for crop in changed_faces(photo, face.face)
        ]

    def _scores(self, prepared: Sequence[Pixels]) -> list[tuple[float | None, float | None]]:
        """The raw and the calibrated score of faces; None where the model gives no number."""
        parts = [prepared[start :: cores()] for start in range(cores())]
        results: list[tuple[float | None, float | None]] = [(None, None)] * len(prepared)
        for start, raw in enumerate(self._scorers.map(self._raw_scores, parts)):
            calibrated = self.detector.info.calibrated(raw)
            results[start :: cores()] = [
                (float(score), float(value)) if np.isfinite(score) else (None, None)
                for score, value in zip(raw, calibrated, strict=True)
            ]
        return results

    def _raw_scores(self, prepared: Sequence[Pixels]) -> NDArray[np.float32]:
        if not prepared:
            return np.zeros(0, np.float32)
        return self.detector.raw_scores(self.detector.info.preprocessing.scale(np.stack(prepared)))


def _weighed(person: Person, scale: Scale) -> Person:
    """Add the likelihood ratio, where there is one."""
    if person.fake_probability is None:
        return person
    found = person.fragility
    band = (found.low, found.high) if found else None
    return replace(person, likelihood=likelihood(person.fake_probability, scale, band))


def _identity(source: MediaSource, limits: Limits) -> FileFacts:
    """Hash and size of a regular file that is not too large."""
    if isinstance(source, bytes):
        return FileFacts(hashlib.sha256(source).hexdigest(), len(source))
    path = Path(source)
    try:
        size = path.stat().st_size
        return FileFacts(file_hash(path) if size <= limits.bytes else None, size)
    except (OSError, ValueError):
        return FileFacts()
