"""Checking photographs and clips."""
