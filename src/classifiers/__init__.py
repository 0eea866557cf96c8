"""A Django app that keeps, measures and runs trained detectors."""
