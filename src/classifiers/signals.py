"""What the app tells others."""

from django.dispatch import Signal

measurement_wanted = Signal()
"""Sent with the ``model_id`` of a model that is to be measured; a background task takes it up."""

worker_alive = Signal()
"""Sent by a background worker with each sign of life, every few seconds."""
