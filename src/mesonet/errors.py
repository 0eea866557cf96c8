"""What can be wrong with the things that mesonet is given, as one tree.

::

    MesonetError
        ImageError          an image that cannot be found or read
        DataError           a data folder that cannot be used as it is
        ModelFileError      a model file is refused
        CheckpointError     a PyTorch checkpoint is refused
        StoreError          a feature store that cannot be written or read as asked
"""

import os
from typing import ClassVar


class MesonetError(ValueError):
    """Something that was given cannot be used.

    Attributes:
        path: the file, folder or pattern as it was named.
        reason: what is wrong with it, a sentence fragment that can follow its name.
        exit_code: what the command line ends with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(path), reason)
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ImageError(MesonetError):
    """An image cannot be found or read."""


class DataError(MesonetError):
    """A data folder cannot be used as it is."""


class ModelFileError(MesonetError):
    """A model file is refused."""


class CheckpointError(MesonetError):
    """A PyTorch checkpoint is refused."""


class StoreError(MesonetError):
    """A feature store cannot be written or read as asked."""
