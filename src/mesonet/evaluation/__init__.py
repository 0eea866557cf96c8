"""Measuring detectors: scores of a data folder, metrics at image and group level."""
