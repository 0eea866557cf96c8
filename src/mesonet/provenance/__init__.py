"""Facts about where a file comes from, beside the verdict and never mixed into it.

Their absence proves nothing: most platforms strip them, and anyone can write metadata.
"""

from mesonet.provenance.content_credentials import ContentCredentials, read_credentials
from mesonet.provenance.metadata import Metadata, read_metadata
from mesonet.provenance.provenance import ABSENCE, Provenance, read_provenance
from mesonet.provenance.thumbnail import Thumbnail, compare_thumbnail
from mesonet.provenance.trust_list import TrustList, trust_list, update_trust_list

__all__ = [
    "ABSENCE",
    "ContentCredentials",
    "Metadata",
    "Provenance",
    "Thumbnail",
    "TrustList",
    "compare_thumbnail",
    "read_credentials",
    "read_metadata",
    "read_provenance",
    "trust_list",
    "update_trust_list",
]
