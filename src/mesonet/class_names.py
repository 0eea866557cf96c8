"""Which of two classes holds the real images, by their names."""

import re
from collections.abc import Sequence

_REAL_NAMES = frozenset({"real", "original", "originals", "authentic", "genuine", "pristine"})


def real_class(class_names: tuple[str, ...]) -> int:
    """Index of the class of real images, by a word of its name; else of the last class.

    The words are real, original, authentic, genuine and pristine, as in ``Celeb-real``.
    """
    named = named_real(class_names)
    return named[0] if len(named) == 1 else len(class_names) - 1


def named_real(class_names: Sequence[str]) -> list[int]:
    """Indices of the classes whose name says that their images are real."""
    names = [name.lower() for name in class_names]
    whole = [i for i, name in enumerate(names) if name in _REAL_NAMES]
    words = [
        i for i, name in enumerate(names) if _REAL_NAMES.intersection(re.split("[^a-z]", name))
    ]
    return whole or words
