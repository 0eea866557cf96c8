"""Forget what is older than the retention time."""

from typing import Any

from django.core.management.base import BaseCommand

from mesonet_site.api.tasks import clean_up


class Command(BaseCommand):
    """Deletes old detections and plots."""

    help = "Delete detections and plots older than RETENTION_DAYS"

    def handle(self, **_: Any) -> None:
        """Delete and count."""
        detections, plots = clean_up()
        self.stdout.write(f"{detections} detections and {plots} plots deleted")
