"""Where uploaded files are kept, and when they go."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.deconstruct import deconstructible

from classifiers import conf


@deconstructible
class MLModelStorage(FileSystemStorage):
    """Keeps model files in ``MODEL_FOLDER``; they have no URL."""

    @property
    def base_location(self) -> str:
        """The folder, as the settings name it at the moment."""
        return str(conf.model_folder())

    @property
    def location(self) -> str:
        """Its absolute path."""
        return str(conf.model_folder().absolute())

    def _save(self, name: str, content: Any) -> str:
        """Write beside, then give the name, so that no half a file is ever found under it."""
        incomplete = f"{name}.{uuid4().hex}.partial"
        try:
            super()._save(incomplete, content)
            while True:
                try:
                    os.link(self.path(incomplete), self.path(name))
                except FileExistsError:
                    name = self.get_available_name(name)
                else:
                    return name
        finally:
            self.delete(incomplete)

    def url(self, *_: str | None) -> str:
        """Model files are not served.

        Raises:
            ValueError: always.
        """
        raise ValueError("model files are not accessible by URL")


@contextmanager
def temporary_copy(file: File, suffix: str) -> Iterator[Path]:
    """What a file holds, at a path of its own, for as long as the block lasts."""
    with tempfile.NamedTemporaryFile(suffix=suffix) as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)


def model_storage() -> Storage:
    """The storage named ``models`` in ``STORAGES`` where there is one, else `MLModelStorage`."""
    try:
        return storages["models"]
    except InvalidStorageError:
        return MLModelStorage()


def delete_on_commit(file: FieldFile, name: str | None, *, unless: str | None = None) -> None:
    """Delete a file from a field's storage when the transaction holds, if there is one.

    Args:
        file: the field, whose storage it is in.
        name: the file's name there.
        unless: the name that the field has now, under which nothing is deleted.
    """
    if name and name != unless:
        transaction.on_commit(partial(file.storage.delete, name))


def extension(filename: str) -> str:
    """The harmless part of an upload's extension, such as ``.h5``."""
    return re.sub(r"[^.a-z0-9]", "", PurePath(filename).suffix.lower())[:10]


def content_hash(file: FieldFile) -> str:
    """SHA-256 of a stored or uploaded file, which is left as it was found."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    if file._committed:
        file.close()
    else:
        file.seek(0)
    return digest.hexdigest()
