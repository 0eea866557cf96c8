"""Where images wait until they are scored."""

from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages

from mesonet_site.api import conf


def upload_storage() -> Storage:
    """The storage named ``uploads`` in ``STORAGES`` where there is one, else ``UPLOAD_FOLDER``.

    Raises:
        ImproperlyConfigured: neither is set.
    """
    try:
        return storages["uploads"]
    except InvalidStorageError:
        return FileSystemStorage(conf.upload_folder(), base_url="")
