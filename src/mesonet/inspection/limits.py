"""How large anything in a model file may be, and how a file is refused."""

MAX_BYTES = 1 << 30
"""Most bytes of a model file, and of all its arrays in memory."""

MAX_JSON_BYTES = 4 << 20
"""Most bytes of a JSON text."""

MAX_VALUES = 1 << 29
"""Most values that an array, or a feature map of one image, may have."""

MAX_LAYERS = 1_200
"""Most layers, counting those of a nested model each time it is used; the largest networks of
`keras.applications` have some 1,000."""

MAX_SEQUENTIAL_LAYERS = 128
"""Most layers of a sequential model, which Keras builds anew for each of them."""

DAMAGED = "is cut short or damaged and cannot be read"
CODE = "which is code, and code in a model file is never run"


class RefusedError(Exception):
    """Why a model file is refused: a sentence fragment that follows the file's name."""
