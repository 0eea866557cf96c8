"""What in a data folder would make a detector's figures too good."""

from mesonet.audit.audit import Audit, audit
from mesonet.audit.finding import Finding, Severity

__all__ = ["Audit", "Finding", "Severity", "audit"]
