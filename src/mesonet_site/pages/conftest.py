"""The tests of the pages stand on the fixtures of the server's."""

from tests.integration.server.conftest import *  # noqa: F403
