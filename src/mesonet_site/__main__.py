"""Management commands: ``python -m mesonet_site COMMAND``."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from mesonet_site import parent

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mesonet_site.settings")
    parent.follow()
    try:
        execute_from_command_line(["python -m mesonet_site", *sys.argv[1:]])
    except ImproperlyConfigured as error:
        sys.exit(f"mesonet: {error}")
