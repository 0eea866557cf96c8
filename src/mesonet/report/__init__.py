"""One self-contained, printable page of checks."""

from mesonet.report.page import Report, write_report

__all__ = ["Report", "write_report"]
