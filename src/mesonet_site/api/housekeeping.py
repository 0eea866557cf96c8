"""What a background worker does beside its tasks."""

import time
from typing import Any

from django.dispatch import receiver

from classifiers.signals import worker_alive

_SECONDS_BETWEEN_CLEANING = 3600.0
_next_cleaning = 0.0


@receiver(worker_alive)
def tidy(**_: Any) -> None:
    """Queue lost detections, and every hour delete what is too old."""
    global _next_cleaning
    from mesonet_site.api.tasks import clean_up, queue_lost_detections

    queue_lost_detections()
    if time.monotonic() >= _next_cleaning:
        _next_cleaning = time.monotonic() + _SECONDS_BETWEEN_CLEANING
        clean_up()
