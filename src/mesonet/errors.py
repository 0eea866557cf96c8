"""What can go wrong with what mesonet is given, as one tree.

::

    MesonetError                    exit code of the command line
        InputError                  1   a file or folder that was named cannot be used
            MediaError                  a photograph or clip
                ImageError                  an image
            DataError                   a data folder, or a table about one
            ModelFileError              a model file
            CheckpointError             a PyTorch checkpoint
            StoreError                  a feature store
            ProvenanceError             a list of trusted certificates
            ReportError                 a report that is to be verified
        ArgumentError               1   an argument or option has a value that makes no sense
        ClusterError                4   a Ray cluster cannot go on
        MissingPackageError         4   an optional package is not installed

`InputError` and `ArgumentError` are a `ValueError`, too, and `MissingPackageError` is an
`ImportError`. The command line shows these errors as one line, and ends with

=====  =============================================================================
0      all is done
1      a file, folder or value that was given cannot be used; where there are others,
       such as further images, these are done
2      the command is not understood: see ``mesonet COMMAND --help``
3      ``mesonet audit`` found a leak
4      the system does not let it: a full disk, no network, a package that is missing
70     a fault in mesonet, with a traceback
130    interrupted
141    whoever read the output went away
143    told to end (SIGTERM)
=====  =============================================================================
"""

import os
from typing import ClassVar


class MesonetError(Exception):
    """Something that was given, or that is here, cannot be used.

    Attributes:
        path: the file, folder or pattern as it was named; empty where it is about none.
        reason: what is wrong, a sentence fragment that can follow the path.
        exit_code: what the command line ends with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(os.fspath(path), reason)
        self.path = os.fspath(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class InputError(MesonetError, ValueError):
    """A file or folder that was named cannot be used."""


class MediaError(InputError):
    """A photograph or clip cannot be read."""


class ImageError(MediaError):
    """An image cannot be found or read."""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DataError(InputError):
    """A data folder, or a table about its images, cannot be used as it is."""


class ModelFileError(InputError):
    """A model file is refused."""


class CheckpointError(InputError):
    """A PyTorch checkpoint is refused."""


class StoreError(InputError):
    """A feature store cannot be written or read as asked."""


class ProvenanceError(InputError):
    """A trust list cannot be had."""


class ReportError(InputError):
    """A report cannot be verified."""


class ArgumentError(MesonetError, ValueError):
    """An argument or an option has a value that makes no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__("", reason)
        self.args = (reason,)


class ClusterError(MesonetError):
    """The processes of a cluster cannot do what they should."""

    exit_code = 4

    def __init__(self, reason: str) -> None:
        super().__init__("", reason)
        self.args = (reason,)


class MissingPackageError(MesonetError, ImportError):  # type: ignore[misc]
    """A package that is optional is needed and not installed.

    Args:
        what: what needs it.
        extra: the extra of mesonet that brings it.
    """

    exit_code = 4

    def __init__(self, what: str, extra: str) -> None:
        super().__init__("", f"{what} needs: pip install 'mesonet[{extra}]'")
        self.args = (what, extra)
