"""Where uploaded model files are kept."""

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
