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

    @property
    def caution(self) -> str:
        """How to read all of it."""
        return ABSENCE

    def facts(self) -> list[tuple[str, str]]:
        """What is written, but for the credentials' state, as names and values for people."""
        credentials, metadata = self.credentials, self.metadata or Metadata()
        steps = "; ".join(
            " ".join(filter(None, (step.action, step.source_type, step.software, step.when)))
            for step in credentials.actions
        )
        preview = None
        if self.thumbnail:
            differs = self.thumbnail.differs
            preview = "shows something else than the picture" if differs else "shows the picture"
        values = {
            "signer": credentials.signer,
            "signed": credentials.signed_at,
            "trust list of": credentials.signer and str(credentials.trust_list),
            "written by": credentials.claim_generator,
            "actions": steps,
            "made by AI, says the signer": "yes" if credentials.made_by_ai else None,
            "made from": ", ".join(part.title or "untitled" for part in credentials.ingredients),
            "manifest's address": credentials.remote_url,
            "signs of AI": "; ".join(metadata.ai_markers),
            "camera": metadata.camera,
            "lens": metadata.lens,
            "software": metadata.software,
            "taken": metadata.taken,
            "changed": metadata.modified,
            "place": "is written in the file" if metadata.has_position else None,
            "creator": metadata.creator,
            "credit": metadata.credit,
            "source": metadata.source,
            "copyright": metadata.copyright,
            "kind of source": metadata.source_type,
            "embedded preview": preview,
        }
        return [(name, value) for name, value in values.items() if value]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "content_credentials": self.credentials.to_dict(),
            "metadata": self.metadata and self.metadata.to_dict(),
            "thumbnail": self.thumbnail and self.thumbnail.to_dict(),
            "caution": self.caution,
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
