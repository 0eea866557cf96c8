"""Forms that have come whole."""

from typing import Any, BinaryIO

from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

_TAIL = 1024


class WholeMultiPartParser(MultiPartParser):
    """Refuses a form that breaks off, of which Django's parser takes what there is."""

    def parse(
        self,
        stream: BinaryIO,
        media_type: str | None = None,
        parser_context: dict[str, Any] | None = None,
    ) -> DataAndFiles:
        """Read a form to its closing boundary.

        Raises:
            ParseError: there is none, or the form is malformed.
        """
        watched = _Watched(stream)
        parsed = super().parse(watched, media_type, parser_context)
        if not watched.tail.rstrip().endswith(b"--"):
            raise ParseError("The upload breaks off.")
        return parsed


class _Watched:
    """A stream that remembers its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.tail = (self.tail + data)[-_TAIL:]
        return data
