"""Work in threads, in order, and only so far ahead of whoever wants the results."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def cores() -> int:
    """Number of processor cores this process may use, ``OMP_NUM_THREADS`` at most."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(found or 1, int(asked) if asked.isdecimal() else found or 1))


def batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Divide items into lists of a size; the last may be shorter."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def map_ahead(
    function: Callable[[_T], _R], items: Iterable[_T], workers: int, ahead: int | None = None
) -> Generator[_R, None, None]:
    """Apply a function to items in threads and yield the results in order.

    Closing the generator early stops its threads.

    Args:
        function: what is done to an item.
        items: taken one by one, as results are.
        workers: threads.
        ahead: how many results may wait or be worked on, by default two for each worker.
    """
    source = iter(items)
    pending: deque[Future[_R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="mesonet")
    tasks = (pool.submit(function, item) for item in source)
    try:
        pending.extend(islice(tasks, ahead or 2 * workers))
        while pending:
            result = pending.popleft().result()
            pending.extend(islice(tasks, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
