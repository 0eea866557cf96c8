"""The heads there are to choose from, by name, and the factors that a search tries."""

from mesonet.errors import ArgumentError
from mesonet.transfer.heads import Head, Logistic, Mlp
from mesonet.transfer.notebook import Notebook, NotebookSigmoid

HEADS: dict[str, Head] = {
    head.name: head for head in (Logistic(), Mlp(), Notebook(), NotebookSigmoid())
}

_L2 = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_L1_L2 = ((1e-4, 1e-2), (1e-4, 0.1), (1e-3, 1e-2), (1e-3, 0.1))

GRID: dict[str, tuple[Head, ...]] = {
    "logistic": tuple(Logistic(l2) for l2 in _L2),
    "mlp": tuple(Mlp(l2) for l2 in (0.1, 1.0)),
    "notebook": tuple(Notebook(l1, l2) for l1, l2 in _L1_L2),
    "notebook-sigmoid": tuple(NotebookSigmoid(l1, l2) for l1, l2 in _L1_L2),
}


def find_heads(names: list[str], *, search: bool) -> list[Head]:
    """Heads by name, with their usual factors or with all that a search tries.

    Raises:
        ValueError: there is no head of such a name.
    """
    heads: list[Head] = []
    for name in names:
        if name not in HEADS:
            raise ArgumentError(f"there is no head {name!r}; known are {', '.join(HEADS)}")
        heads += GRID[name] if search else (HEADS[name],)
    return heads
