"""Registry of network architectures.

Every module of this package that calls `register` is found by itself: a new network is one
new module.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mesonet.architectures.pretrained import Published, PublishedByKeras, load_pretrained
from mesonet.backend import keras
from mesonet.errors import ArgumentError
from mesonet.preprocessing import Preprocessing

Builder = Callable[..., keras.Model]
Features = Callable[[keras.KerasTensor], keras.KerasTensor]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network that can be built by name.

    Attributes:
        name: the name it is asked for by.
        summary: one line for people who choose.
        build: makes the model from an input tensor and the network's own options.
        preprocessing: how its images are prepared unless somebody decides otherwise.
        features: of a backbone, the part that ends in a feature map; else None.
        published: of a backbone, where its ImageNet weights come from.
    """

    name: str
    summary: str
    build: Builder
    preprocessing: Preprocessing
    features: Features | None = None
    published: Published | PublishedByKeras | None = None


_REGISTRY: dict[str, Architecture] = {}


def register(
    name: str, *, summary: str, preprocessing: Preprocessing | None = None
) -> Callable[[Builder], Builder]:
    """Enter a builder ``build(ip, **options) -> keras.Model`` into the registry."""

    def enter(build: Builder) -> Builder:
        _REGISTRY[name] = Architecture(name, summary, build, preprocessing or Preprocessing())
        return build

    return enter


def register_backbone(
    name: str,
    *,
    summary: str,
    preprocessing: Preprocessing,
    published: Published | PublishedByKeras | None = None,
) -> Callable[[Features], Features]:
    """Enter a network that ends in a feature map into the registry.

    As an architecture it gets a small head: global average pooling, dropout and one sigmoid.
    """

    def enter(features: Features) -> Features:
        def build(
            ip: keras.KerasTensor, weights: str | Path | None = None, dropout: float = 0.2
        ) -> keras.Model:
            backbone = keras.Model(ip, features(ip), name=name)
            _load_weights(backbone, name, weights)
            layer = keras.layers.GlobalAveragePooling2D()(backbone.output)
            layer = keras.layers.Dropout(dropout)(layer)
            output = keras.layers.Dense(1, activation="sigmoid", name="head")(layer)
            return keras.Model(ip, output, name=name)

        _REGISTRY[name] = Architecture(name, summary, build, preprocessing, features, published)
        return features

    return enter


def _load_weights(backbone: keras.Model, name: str, weights: str | Path | None) -> None:
    if weights is None:
        return
    source = None if weights == "imagenet" else Path(weights)
    load_pretrained(backbone, name, _REGISTRY[name].published, source)


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
        raise ArgumentError(f"there is no architecture {name!r}; known are {known}")
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


def create_backbone(
    name: str, size: int | None = None, weights: str | Path | None = "imagenet"
) -> keras.Model:
    """Build a network that turns images into feature maps.

    Args:
        name: a backbone, one of `list_backbones`.
        size: height and width of its images in pixels, by default the backbone's own.
        weights: ``"imagenet"``, a file of weights, or None for random ones.

    Returns:
        A model from ``(batch, size, size, 3)`` to ``(batch, height, width, channels)``.

    Raises:
        ValueError: no backbone has this name, or the weights do not fit.
        OSError: the published weights cannot be had.
    """
    architecture = get_architecture(name)
    if architecture.features is None:
        known = ", ".join(list_backbones())
        raise ArgumentError(f"{name} is no backbone; known are {known}")
    size = size or architecture.preprocessing.size
    ip = keras.Input((size, size, 3))
    backbone = keras.Model(ip, architecture.features(ip), name=name)
    _load_weights(backbone, name, weights)
    return backbone


def list_backbones() -> list[str]:
    """Names of the architectures that can serve as a backbone, sorted."""
    return [name for name in list_architectures() if _REGISTRY[name].features]


def list_recognised() -> list[str]:
    """Names of the architectures that a file without a description is compared with, sorted.

    Backbones are large, and files of their own always say which they are.
    """
    return [name for name in list_architectures() if not _REGISTRY[name].features]
