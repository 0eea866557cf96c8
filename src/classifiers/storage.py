"""Where uploaded model files are kept."""

import os
from typing import Any
from uuid import uuid4

from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages
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
        partial = f"{name}.{uuid4().hex}.partial"
        try:
            super()._save(partial, content)
            while True:
                try:
                    os.link(self.path(partial), self.path(name))
                except FileExistsError:
                    name = self.get_available_name(name)
                else:
                    return name
        finally:
            self.delete(partial)

    def url(self, *_: str | None) -> str:
        """Model files are not served.

        Raises:
            ValueError: always.
        """
        raise ValueError("model files are not accessible by URL")


def model_storage() -> Storage:
    """The storage named ``models`` in ``STORAGES`` where there is one, else `MLModelStorage`."""
    try:
        return storages["models"]
    except InvalidStorageError:
        return MLModelStorage()
