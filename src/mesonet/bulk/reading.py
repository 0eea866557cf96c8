"""Verdicts and checks of items, wherever they lie: a result for each, in order."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mesonet.bulk.items import Item
from mesonet.bulk.remote import fetched, is_remote, remote_image
from mesonet.detector import Detector, Failure, Verdict
from mesonet.errors import MediaError
from mesonet.parallel import cores, map_ahead

if TYPE_CHECKING:
    from mesonet.checking import Check, Checker


def verdicts(
    detector: Detector, items: Sequence[Item], **options: Any
) -> Iterator[Verdict | Failure]:
    """Give a verdict on each item; the options are those of `Detector.predict`."""
    paths = (item.path for item in items if item.error is None)
    sources = (remote_image(path) if is_remote(path) else path for path in paths)
    found = detector.predict(sources, **options)
    for item in items:
        yield next(found) if item.error is None else Failure(item.path, item.error)


def checks(
    checker: "Checker",
    items: Sequence[Item],
    *,
    pictures: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> "Iterator[Check]":
    """Check each item, a few ahead of the consumer.

    Args:
        checker: checks them.
        items: what is checked.
        pictures: keep small pictures of what was looked at.
        progress: told of a clip its path, how many frames were looked at, and how many there are.
    """
    yield from map_ahead(partial(_check, checker, pictures, progress), items, cores())


def _check(
    checker: "Checker",
    pictures: bool,
    progress: Callable[[str, int, int], None] | None,
    item: Item,
) -> "Check":
    if item.error is not None:
        return checker.unreadable(item.path, item.error)
    frames = progress and partial(progress, item.path)
    if not is_remote(item.path):
        return checker.check(item.path, pictures=pictures, progress=frames)
    try:
        with fetched(item.path, checker.limits.bytes) as copy:
            return checker.check(copy, name=item.path, pictures=pictures, progress=frames)
    except MediaError as error:
        return checker.unreadable(item.path, error.reason)
