"""Which images show nearly the same picture: re-encoded, resized, re-framed, mirrored or edited.

Candidates come cheaply, as the images with the most similar 8 x 8 grid of colours, which is the
Colour Layout Descriptor of MPEG-7 (Kasutani & Yamada, ICIP 2001) before its quantisation. Each
candidate is then laid over the other and compared in its fine detail and its colours. Portraits
of two people agree in their grid and in the place of their eyes, but not in their hair and
background.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesonet.audit.survey import COLOUR_SIZE, GREY_SIZE, Ints
from mesonet.parallel import cores
from mesonet.progress import Progress

Floats = NDArray[np.float32]

_LAYOUT_SIZE = 8
_LAYOUT_CORRELATION = 0.6
_NEIGHBOURS = 3
_MIRRORED_NEIGHBOURS = 1
_SIMILARITIES = 2**24  # in memory at a time, as float32
_CHUNK = 512

_SCALES = (24, 22, 26, 20, 28)  # of the middle 24 px of one image within the 32 px of the other
_COARSE = (32, 1.5, 5.0)  # size, sigma and noise of the detail
_MIDDLE = (64, 3.0, 5.0)
_FINE = (GREY_SIZE, 1.5, 3.0)
_COARSE_DETAIL = 0.45  # least mean square; portraits have more
_FINE_DETAIL = 0.2
_COARSE_CORRELATION = 0.5
_MIDDLE_CORRELATION = 0.75
_FINE_CORRELATION = 0.65
_COLOUR_CORRELATION = 0.8
_COLOUR_DIFFERENCE = 3.0
_SCALE_RANGE = (0.8, 1.25)
_MOST_STRETCH = 1.06
_MOST_ROTATION = 5.0
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 25, 1e-3)


def join(clusters: Ints, first: Ints, second: Ints) -> Ints:
    """Merge clusters that are linked.

    Args:
        clusters: cluster of each image, the lowest index among its images, shape ``(n,)``.
        first: one end of each link, an index.
        second: the other end.

    Returns:
        The merged clusters, numbered in the same way.
    """
    images = np.arange(len(clusters))
    ends = np.concatenate([images, first]), np.concatenate([clusters, second])
    links = coo_array((np.ones(len(ends[0])), ends), shape=(len(images), len(images)))
    _, component = connected_components(links, directed=False)
    _, lowest = np.unique(component, return_index=True)
    joined: Ints = lowest[component]
    return joined


class Copies(NamedTuple):
    """Small copies of an image, RGB and grey values 0..255.

    Attributes:
        colours: shape ``(32, 32, 3)``.
        grey: shape ``(128, 128)``.
    """

    colours: NDArray[np.uint8]
    grey: NDArray[np.uint8]

    def mirrored(self) -> "Copies":
        """The copies of the mirrored image."""
        return Copies(*(np.ascontiguousarray(copy[:, ::-1]) for copy in self))


def same_picture(first: Copies, second: Copies) -> bool:
    """Tell whether two images show one picture, up to its framing and edits.

    The middle of the second is searched for in the first, at several scales, by the correlation
    of their local detail. The place found is refined to an affine one with the enhanced
    correlation coefficient (Evangelidis & Psarakis, TPAMI 2008), and the correlations there of
    the finest detail and of the colours decide. Framings may differ by about a sixth of the side,
    and hardly in rotation and proportions. Drawings and other plain pictures would match too
    easily in what detail they have: they are the same only if their colours are, in one framing.
    """
    one, other = (_detail(copies.grey, *_COARSE) for copies in (first, second))
    if _is_plain(one, other, _COARSE_DETAIL):
        return _have_equal_colours(first, second)
    score, place = _find(one, other)
    if score < _COARSE_CORRELATION:
        return False
    one, other = (_detail(copies.grey, *_MIDDLE) for copies in (first, second))
    score, place = _refine(one, other, _scaled(place, 2))
    if score < _MIDDLE_CORRELATION:
        return False
    one, other = (_detail(copies.grey, *_FINE) for copies in (first, second))
    if _is_plain(one, other, _FINE_DETAIL):
        return _have_equal_colours(first, second)
    score, place = _refine(one, other, _scaled(place, 2))
    if score < _FINE_CORRELATION or not _is_reframing(place):
        return False
    place = _scaled(place, COLOUR_SIZE / GREY_SIZE)
    return _correlation_at(first.colours, second.colours, place) >= _COLOUR_CORRELATION


def _is_plain(one: Floats, other: Floats, least_detail: float) -> bool:
    return bool(min(np.mean(one**2), np.mean(other**2)) < least_detail)


def _have_equal_colours(first: Copies, second: Copies) -> bool:
    difference = np.abs(first.colours.astype(np.int16) - second.colours)
    return bool(difference.mean() <= _COLOUR_DIFFERENCE)


def _detail(grey: NDArray[np.uint8], size: int, sigma: float, noise: float) -> Floats:
    """What is left without the shading of scale ``sigma``, at about the same contrast everywhere.

    Contrasts far below ``noise`` grey values stay weak, so that the mean square tells what share
    of the image has detail.
    """
    small = cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    high = small - cv2.GaussianBlur(small, (0, 0), sigma)
    energy = cv2.GaussianBlur(high * high, (0, 0), 2 * sigma)
    return np.asarray(high / np.sqrt(energy + noise**2), np.float32)


def _find(first: Floats, second: Floats) -> tuple[float, Floats]:
    """Correlation and place, as an affine matrix into ``first``, of the middle of ``second``."""
    margin = (len(second) - _SCALES[0]) // 2
    middle = second[margin:-margin, margin:-margin]
    best, place = -1.0, (0.0, 0.0, 1.0)
    for size in _SCALES:
        scaled = cv2.resize(middle, (size, size), interpolation=cv2.INTER_AREA)
        found = cv2.matchTemplate(first, scaled, cv2.TM_CCOEFF_NORMED)
        _, score, _, (x, y) = cv2.minMaxLoc(found)
        if score > best:
            scale = size / _SCALES[0]
            best, place = score, (x - margin * scale, y - margin * scale, scale)
    x0, y0, scale = place
    return best, np.array([[scale, 0, x0], [0, scale, y0]], np.float32)


def _refine(first: Floats, second: Floats, place: Floats) -> tuple[float, Floats]:
    try:
        score, refined = cv2.findTransformECC(
            second, first, place, cv2.MOTION_AFFINE, _STOP, None, 3
        )
    except cv2.error:  # it does not converge, as happens with different pictures
        return -1.0, place
    return float(score), np.asarray(refined, np.float32)


def _is_reframing(place: Floats) -> bool:
    """Tell whether an affine place is nearly a scaling, by not too much."""
    larger, smaller = np.linalg.svd(place[:, :2].astype(np.float64), compute_uv=False)
    rotation = np.degrees(np.arctan2(place[1, 0] - place[0, 1], place[0, 0] + place[1, 1]))
    return bool(
        _SCALE_RANGE[0] <= smaller
        and larger <= _SCALE_RANGE[1]
        and larger <= _MOST_STRETCH * smaller
        and abs(rotation) <= _MOST_ROTATION
    )


def _scaled(place: Floats, factor: float) -> Floats:
    """The same place among copies that are larger by ``factor``."""
    return np.asarray(place * np.array([1, 1, factor], np.float32), np.float32)


def _correlation_at(first: NDArray[np.uint8], second: NDArray[np.uint8], place: Floats) -> float:
    """Correlation of the second image with what lies at its place in the first."""
    size = second.shape[1::-1]
    laid = cv2.warpAffine(first, place, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    inside = cv2.warpAffine(
        np.ones(first.shape[:2], np.uint8),
        place,
        size,
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    ).astype(bool)
    one, other = laid[inside].astype(np.float64), second[inside].astype(np.float64)
    if min(one.size, other.size) == 0 or min(one.std(), other.std()) == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def cluster_look_alikes(
    colours: NDArray[np.uint8],
    greys: NDArray[np.uint8],
    clusters: Ints,
    parts: Ints,
    groups: Ints,
    progress: Progress | None = None,
) -> Ints:
    """Join the images that show nearly the same picture.

    Every image is compared with its nearest neighbours in each part, so that the many frames of a
    video do not hide its copy in another part.

    Args:
        colours: RGB copies, shape ``(n, 32, 32, 3)``.
        greys: grey copies, shape ``(n, 128, 128)``.
        clusters: what is joined already, shape ``(n,)``; see `join`.
        parts: part of each image, such as its class, shape ``(n,)``.
        groups: images of one group are not compared with each other, shape ``(n,)``.
        progress: called with the number of candidates that are compared.

    Returns:
        The clusters, joined further.
    """
    alone = np.flatnonzero(clusters == np.arange(len(clusters)))  # exact copies are joined already
    pairs, mirrored = _candidates(_layouts(colours[alone]), parts[alone], groups[alone])
    pairs = alone[pairs]
    compare = partial(_compare, colours, greys)
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(pairs), _CHUNK):
            chunk, flipped = pairs[start : start + _CHUNK], mirrored[start : start + _CHUNK]
            apart = clusters[chunk[:, 0]] != clusters[chunk[:, 1]]
            chunk, flipped = chunk[apart], flipped[apart]
            same = np.fromiter(pool.map(compare, chunk, flipped), bool, len(chunk))
            clusters = join(clusters, chunk[same, 0], chunk[same, 1])
            if progress:
                progress(min(start + _CHUNK, len(pairs)), len(pairs))
    return clusters


def _compare(
    colours: NDArray[np.uint8], greys: NDArray[np.uint8], pair: Ints, mirrored: bool
) -> bool:
    first, second = (Copies(colours[index], greys[index]) for index in pair)
    return same_picture(first, second.mirrored() if mirrored else second)


def _layouts(colours: NDArray[np.uint8]) -> Floats:
    """Mean colours of a grid, shape ``(n, 8, 8, 3)``."""
    count, size, _, channels = colours.shape
    cell = size // _LAYOUT_SIZE
    cells = colours.reshape(count, _LAYOUT_SIZE, cell, _LAYOUT_SIZE, cell, channels)
    return np.asarray(cells.mean(axis=(2, 4), dtype=np.float32))


def _candidates(layouts: Floats, parts: Ints, groups: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Pairs of indices, shape ``(m, 2)``, the likeliest first, and which of them are mirrored."""
    found = [
        np.array([*pair, mirrored, similarity])
        for mirrored in (False, True)
        for pair, similarity in _neighbours(layouts, parts, groups, mirrored)
    ]
    rows = np.array(found).reshape(-1, 4)
    _, once = np.unique(rows[:, :3], axis=0, return_index=True)
    rows = rows[once]
    rows = rows[np.argsort(-rows[:, 3], kind="stable")]
    return rows[:, :2].astype(np.int64), rows[:, 2].astype(bool)


def _neighbours(
    layouts: Floats, parts: Ints, groups: Ints, mirrored: bool
) -> Iterator[tuple[tuple[int, int], float]]:
    """Each image with its nearest ones of each part, the lower index first."""
    rows = _normalised(layouts)
    columns = _normalised(layouts[:, :, ::-1]) if mirrored else rows
    step = max(1, _SIMILARITIES // max(1, len(rows)))
    members = [np.flatnonzero(parts == part) for part in np.unique(parts)]
    for start in range(0, len(rows), step):
        similar = rows[start : start + step] @ columns.T
        similar[groups[start : start + step, None] == groups] = -1
        for part in members:
            within = similar[:, part]
            count = min(_MIRRORED_NEIGHBOURS if mirrored else _NEIGHBOURS, len(part))
            nearest = np.argpartition(-within, count - 1, axis=1)[:, :count]
            values = np.take_along_axis(within, nearest, axis=1)
            for row, column in np.argwhere(values >= _LAYOUT_CORRELATION):
                one, other = start + int(row), int(part[nearest[row, column]])
                yield (min(one, other), max(one, other)), float(values[row, column])


def _normalised(layouts: Floats) -> Floats:
    """Rows whose products are correlations; flat images give zeros."""
    rows = layouts.reshape(len(layouts), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))
