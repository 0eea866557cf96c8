"""How long jobs tell how far they are."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""
