"""Where one shot ends and the next begins."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_MIN_CHANGE = 6.0
_MIN_RATIO = 3.0
_MAX_CORRELATION = 0.35
_LARGE_CHANGE = 35.0
_MAX_CORRELATION_OF_LARGE = 0.6
_MEMORY = 12


class CutDetector:
    """Tells hard cuts from motion, from flashes, and from a picture that changes in part.

    At a cut the brightness of the points of a frame changes much more than it did in the frames
    before, and hardly correlates with that of the last frame any more. Fades are no cuts.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=_MEMORY)

    def is_cut(self, luma: NDArray[np.uint8]) -> bool:
        """Tell whether a new shot begins with this frame.

        Args:
            luma: a small version of the frame, 0..255, always of the same shape.
        """
        frame, last = luma.astype(np.float32), self._last
        self._last = frame
        if last is None:
            return False
        change = float(np.abs(frame - last).mean())
        usual = float(np.median(self._changes)) if self._changes else 0.0
        limit = _MAX_CORRELATION_OF_LARGE if change > _LARGE_CHANGE else _MAX_CORRELATION
        cut = change > max(_MIN_CHANGE, _MIN_RATIO * usual) and _correlation(frame, last) < limit
        if cut:
            self._changes.clear()
        else:
            self._changes.append(change)
        return cut


def _correlation(frame: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlation of two pictures, -1..1; 0 where one of them is flat."""
    a, b = frame - frame.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1 else 0.0
