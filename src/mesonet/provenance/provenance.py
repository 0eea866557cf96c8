"""Everything that is known of a file's origin, as one record."""

import os
from dataclasses import dataclass
from typing import Any

from mesonet.provenance.content_credentials import ContentCredentials, read_credentials
from mesonet.provenance.metadata import Metadata, read_metadata
from mesonet.provenance.thumbnail import Thumbnail, compare_thumbnail
from mesonet.provenance.trust_list import TrustList

ABSENCE = (
    "That nothing is written proves nothing: most platforms strip it. What is written without a "
    "trusted signature can be written by anyone. None of it changes the verdict."
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a file says it comes from.

    Attributes:
        credentials: signed statements.
        metadata: of a photograph; None for clips and what cannot be read.
        thumbnail: the preview against the picture; None without a preview.
    """

    credentials: ContentCredentials
    metadata: Metadata | None = None
    thumbnail: Thumbnail | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "content_credentials": self.credentials.to_dict(),
            "metadata": self.metadata and self.metadata.to_dict(),
            "thumbnail": self.thumbnail and self.thumbnail.to_dict(),
            "caution": ABSENCE,
        }


def read_provenance(
    source: str | os.PathLike[str] | bytes, trust: TrustList | None = None
) -> Provenance:
    """Read what a photograph or clip says of its origin. Nothing is fetched.

    Args:
        source: path of a file, or the bytes of one.
        trust: whose signatures to trust; by default `mesonet.provenance.trust_list`.
    """
    return Provenance(
        read_credentials(source, trust), read_metadata(source), compare_thumbnail(source)
    )
