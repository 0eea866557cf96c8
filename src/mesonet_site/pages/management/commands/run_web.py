"""Run the web server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mesonet_site import web


class Command(BaseCommand):
    """Answers requests until it is stopped."""

    help = "Run the web server"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")

    def handle(self, *, host: str, port: int, **_: Any) -> None:
        """Serve."""
        web.run(host, port)
