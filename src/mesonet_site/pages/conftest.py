"""The tests of the pages stand on the fixtures of the server's."""

from collections.abc import Iterator

import pytest
from django.utils import translation
from tests.integration.server.conftest import *  # noqa: F403


@pytest.fixture(autouse=True)
def _default_language() -> Iterator[None]:
    """What a request in Spanish switches on does not last beyond its test."""
    yield
    translation.deactivate()
