"""Models loaded once per process, found by the hash of their content."""

import gc
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.db.models.fields.files import FieldFile

from classifiers import conf
from classifiers.loading_check import check_loading
from classifiers.storage import extension, temporary_copy
from mesonet.detector import Detector
from mesonet.weights import released_file

_loaded: OrderedDict[str, Future[Detector]] = OrderedDict()
_lock = threading.Lock()


def get_detector(sha256: str, file: FieldFile) -> Detector:
    """The loaded detector of a model file; threads that ask at the same time load it once.

    The ``CLASSIFIERS_LOADED_MODELS`` models used last stay loaded.

    Args:
        sha256: hash of the file's content, by which a loaded detector is found.
        file: the stored model file.

    Raises:
        mesonet.errors.ModelFileError: the file is broken, is no model, or brings code.
    """
    with _lock:
        future = _loaded.get(sha256)
        mine = future is None
        if future is None:
            future = _loaded[sha256] = Future()
            while len(_loaded) > conf.loaded_models():
                _loaded.popitem(last=False)
        else:
            _loaded.move_to_end(sha256)
    if mine:
        try:
            gc.unfreeze()
            detector = _load(sha256, file)
            gc.collect()  # the networks that were dropped
            gc.freeze()  # a loaded network is not searched for garbage again and again
            future.set_result(detector)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            with _lock:
                if _loaded.get(sha256) is future:
                    del _loaded[sha256]
            future.set_exception(error)
    return future.result()


def try_loading(sha256: str, file: FieldFile) -> None:
    """Load a model file in a process of its own; see `classifiers.loading_check.check_loading`.

    Files that came with the library need no such check, and with ``CLASSIFIERS_LOAD_SECONDS`` 0
    there is none.

    Raises:
        mesonet.errors.ModelFileError: it cannot be loaded, or not in time.
    """
    if conf.load_seconds() and released_file(sha256) is None:
        with local_copy(file) as path:
            check_loading(path, conf.load_seconds())


def _load(sha256: str, file: FieldFile) -> Detector:
    if released := released_file(sha256):  # starts without Keras
        return Detector.load(released.name)
    kept = ExitStack()  # a copy is there for as long as the detector, which may read it again
    try:
        detector = Detector.load(kept.enter_context(local_copy(file)))
    except BaseException:
        kept.close()
        raise
    weakref.finalize(detector, kept.close)
    return detector


@contextmanager
def local_copy(file: FieldFile) -> Iterator[Path]:
    """The path of a stored file, or of a temporary copy where the storage has no paths."""
    try:
        path = Path(file.path)
    except NotImplementedError:
        with ExitStack() as kept:
            with file.open("rb") as source:
                copy = kept.enter_context(temporary_copy(source, extension(file.name or "")))
            yield copy
    else:
        yield path
