"""A person's score over the time of a clip, as coordinates of a small drawing."""

from dataclasses import dataclass

from mesonet.checking import Check, Person

WIDTH, HEIGHT = 640, 120
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 20
_LINE_HEIGHT = 10


@dataclass(frozen=True, slots=True)
class Point:
    """A face that was scored, or that could not be."""

    x: float
    y: float
    frame: int
    time: float
    fake_probability: float | None


class Timeline:
    """Where everything lies in a drawing of `WIDTH` x `HEIGHT`.

    Attributes:
        points: the scored faces; those that could not be judged lie on the floor.
        lines: points of unbroken lines, as SVG wants them; a gap is a frame that was looked at
            without the person being seen well.
        cuts: where shots begin.
        ticks: places and texts of the time axis.
        levels: height, and value, of the words' limits; no value where it would lie over another.
    """

    width, height, left, right, bottom = WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM

    def __init__(self, check: Check, person: Person) -> None:
        last = check.frames_seen[-1][1] if check.frames_seen else 0.0
        self._duration = max(check.file.duration or 0.0, last, 1e-3)
        self.points = [
            Point(
                self._x(face.time or 0.0),
                self._y(face.fake_probability or 0.0),
                face.frame,
                face.time or 0.0,
                face.fake_probability,
            )
            for face in person.faces
        ]
        self.lines = self._lines(check)
        self.cuts = [self._x(time) for time in check.cuts]
        self.ticks = [
            (self._x(part * self._duration), _clock(part * self._duration))
            for part in (0, 0.25, 0.5, 0.75, 1)
        ]
        scale = check.scale
        limits = {scale.uncertain, scale.some, *([scale.strong] if scale.strong else [])}
        self.levels: list[tuple[float, str]] = []
        for y, limit in ((self._y(limit), limit) for limit in sorted(limits)):
            room = not self.levels or self.levels[-1][0] - y >= _LINE_HEIGHT
            self.levels.append((y, f"{limit:.2f}" if room else ""))

    def _lines(self, check: Check) -> list[str]:
        by_frame = {point.frame: point for point in self.points}
        lines: list[list[Point]] = [[]]
        for number, _ in check.frames_seen:
            point = by_frame.get(number)
            if point is not None and point.fake_probability is not None:
                lines[-1].append(point)
            elif lines[-1]:
                lines.append([])
        return [" ".join(f"{p.x:.1f},{p.y:.1f}" for p in line) for line in lines if len(line) > 1]

    def _x(self, time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(time / self._duration, 1.0)

    def _y(self, probability: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - probability)


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
