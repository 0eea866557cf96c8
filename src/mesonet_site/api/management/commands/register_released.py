"""Offer the weights that come with the library."""

from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandParser

from classifiers.models import MLModel
from mesonet.files import file_hash
from mesonet.weights import DEFAULT, list_released
from mesonet_site.api.tasks import drop_stray_models


class Command(BaseCommand):
    """Adds the released models whose weights are on this machine, and that are not there yet."""

    help = "Register the weights that come with the library"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--replace``."""
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also replace models of the same name that hold another file",
        )

    def handle(self, *, replace: bool, **_: Any) -> None:
        """Add what is missing, and replace or name what differs."""
        ready = [released for released in list_released() if released.is_ready]
        for released in sorted(ready, key=lambda released: released.name != DEFAULT):
            model = MLModel.objects.filter(model_name=released.name).first()
            if model is None:
                drop_stray_models(released.name)
                model = MLModel(model_name=released.name)
            elif model.model_hash == file_hash(released.path):
                continue
            elif not replace:
                self.stderr.write(
                    f"{released.name}: another file is registered under this name; "
                    "register_released --replace takes the one of this version"
                )
                continue
            with released.path.open("rb") as file:
                model.model_desc = released.summary[:200]
                model.model_file = File(file, released.path.name)
                model.save()
            self.stdout.write(f"{released.name} registered")
