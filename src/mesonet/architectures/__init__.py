"""Registry of network architectures.

Every module of this package that calls `register` is found by itself: a new network is one
new module.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing

Builder = Callable[..., keras.Model]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network that can be built by name.

    Attributes:
        name: the name it is asked for by.
        summary: one line for people who choose.
        build: makes the model from an input tensor and the network's own options.
        preprocessing: how its images are prepared unless somebody decides otherwise.
    """

    name: str
    summary: str
    build: Builder
    preprocessing: Preprocessing


_REGISTRY: dict[str, Architecture] = {}


def register(
    name: str, *, summary: str, preprocessing: Preprocessing | None = None
) -> Callable[[Builder], Builder]:
    """Enter a builder ``build(ip, **options) -> keras.Model`` into the registry."""

    def enter(build: Builder) -> Builder:
        _REGISTRY[name] = Architecture(name, summary, build, preprocessing or Preprocessing())
        return build

    return enter


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)


def list_architectures() -> list[str]:
    """Names of all architectures, sorted."""
    _discover()
    return sorted(_REGISTRY)


def get_architecture(name: str) -> Architecture:
    """Look an architecture up.

    Raises:
        ValueError: no architecture has this name.
    """
    _discover()
    if name not in _REGISTRY:
        known = ", ".join(list_architectures())
        raise ValueError(f"there is no architecture {name!r}; known are {known}")
    return _REGISTRY[name]


def create_model(name: str, size: int | None = None, **options: Any) -> keras.Model:
    """Build an untrained network.

    Args:
        name: one of `list_architectures`.
        size: height and width of its images in pixels, by default the architecture's own.
        **options: the architecture's options, such as ``dropout``.

    Returns:
        A model from ``(batch, size, size, 3)`` to ``(batch, 1)``, the probability of class 1.

    Raises:
        ValueError: no architecture has this name.
    """
    architecture = get_architecture(name)
    size = size or architecture.preprocessing.size
    return architecture.build(keras.Input((size, size, 3)), **options)
