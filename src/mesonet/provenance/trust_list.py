"""Whose signatures are trusted: the C2PA's lists, with their date."""

import os
import re
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mesonet.errors import ProvenanceError
from mesonet.files import cache_folder, write_text

SOURCE = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list"
SIGNERS = "C2PA-TRUST-LIST.pem"
TIME_STAMPS = "C2PA-TSA-TRUST-LIST.pem"

_DATE = "date.txt"
_PACKAGED = Path(__file__).with_name("trust")
_MAX_BYTES = 5_000_000
_SECONDS = 30
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True)
class TrustList:
    """Certificates that chains have to end at.

    Attributes:
        signers: of manifests, PEM.
        time_stamps: of time stamp authorities, PEM.
        date: day from which the lists are.
        folder: where they were read.
    """

    signers: str
    time_stamps: str
    date: date
    folder: Path

    @property
    def count(self) -> int:
        """How many certificates of signers there are."""
        return len(_CERTIFICATE.findall(self.signers))

    def to_settings(self) -> dict[str, Any]:
        """What c2pa-python wants to be told."""
        return {
            "anchors": [
                {"trust_anchors": self.signers, "trust_kind": "manifest"},
                {"trust_anchors": self.time_stamps, "trust_kind": "tsa"},
            ]
        }


def trust_list() -> TrustList:
    """The lists that were fetched, if they are newer, else those of the package."""
    packaged = _read(_PACKAGED)
    try:
        fetched = _read(_fetched_folder())
    except (OSError, ValueError):
        return packaged
    return fetched if fetched.date > packaged.date else packaged


def update_trust_list(source: str = SOURCE) -> TrustList:
    """Fetch the lists of today; nothing is replaced unless both are whole.

    Args:
        source: address or folder that holds both files under their official names.

    Raises:
        ProvenanceError: a list cannot be fetched or holds no certificates.
    """
    texts = {name: _fetch(source, name) for name in (SIGNERS, TIME_STAMPS)}
    folder = _fetched_folder()
    folder.mkdir(parents=True, exist_ok=True)
    texts[_DATE] = datetime.now(UTC).date().isoformat() + "\n"
    for name, text in texts.items():  # the date comes last: it makes the lists count
        write_text(folder / name, text)
    return _read(folder)


def _fetched_folder() -> Path:
    return cache_folder() / "trust"


def _read(folder: Path) -> TrustList:
    texts = [(folder / name).read_text(encoding="utf-8") for name in (SIGNERS, TIME_STAMPS)]
    day = date.fromisoformat((folder / _DATE).read_text(encoding="utf-8").strip())
    return TrustList(texts[0], texts[1], day, folder)


def _fetch(source: str, name: str) -> str:
    place = f"{source.rstrip('/')}/{name}"
    try:
        if source.startswith("https://"):
            with urllib.request.urlopen(place, timeout=_SECONDS) as answer:  # noqa: S310 - https
                data = answer.read(_MAX_BYTES + 1)
        else:
            with Path(place).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        text = str(data, "utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ProvenanceError(place, f"no trust list could be fetched: {reason}") from error
    if len(data) > _MAX_BYTES or not _CERTIFICATE.search(text):
        raise ProvenanceError(place, "is no list of certificates")
    return text.replace(os.linesep, "\n")
