"""Verdicts and checks of items, wherever they lie: a result for each, in order."""

from collections.abc import Iterator, Sequence
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
    checker: "Checker", items: Sequence[Item], *, pictures: bool = False
) -> "Iterator[Check]":
    """Check each item, a few ahead of the consumer."""
    yield from map_ahead(partial(_check, checker, pictures), items, cores())


def _check(checker: "Checker", pictures: bool, item: Item) -> "Check":
    if item.error is not None:
        return checker.unreadable(item.path, item.error)
    if not is_remote(item.path):
        return checker.check(item.path, pictures=pictures)
    try:
        with fetched(item.path, checker.limits.bytes) as copy:
            return checker.check(copy, name=item.path, pictures=pictures)
    except MediaError as error:
        return checker.unreadable(item.path, error.reason)
