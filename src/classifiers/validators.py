"""Checks of an uploaded model file, before anything is stored."""

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from classifiers import conf
from classifiers.storage import temporary_copy
from mesonet.errors import ModelFileError
from mesonet.inspection.model_files import inspect_model_file


def validate_model_file(file: File) -> None:
    """Refuse a file that is too large, is no model, or brings anything but data.

    Raises:
        ValidationError: with the reason.
    """
    if getattr(file, "_committed", False):
        return
    limit = conf.max_model_bytes()
    if (file.size or 0) > limit:
        raise ValidationError(
            f"The model file has {filesizeformat(file.size)}; "
            f"at most {filesizeformat(limit)} are allowed.",
            code="too_large",
        )
    with temporary_copy(file, ".model") as copy:
        file.seek(0)
        try:
            inspect_model_file(copy)
        except ModelFileError as error:
            raise ValidationError(f"The model file {error.reason}.", code="refused") from None
