"""Offer the weights that come with the library."""

from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand

from classifiers.models import MLModel
from mesonet.weights import list_released


class Command(BaseCommand):
    """Adds the released models that are not there yet."""

    help = "Register the weights that come with the library"

    def handle(self, **_: Any) -> None:
        """Add what is missing."""
        known = set(MLModel.objects.values_list("model_name", flat=True))
        for released in list_released():
            if released.name in known:
                continue
            with released.path.open("rb") as file:
                MLModel.objects.create(
                    model_name=released.name,
                    model_desc=released.summary[:200],
                    model_file=File(file, released.path.name),
                )
            self.stdout.write(f"{released.name} registered")
