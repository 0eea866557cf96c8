"""Detectors compared on data sets, with a report."""
