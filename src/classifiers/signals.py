"""What the app tells others."""

from django.dispatch import Signal

worker_alive = Signal()
"""Sent by a background worker with each sign of life, every few seconds."""
