"""Tell real faces from manipulated ones.

Importing any part of the package selects TensorFlow as the Keras backend unless
``KERAS_BACKEND`` says otherwise, and keeps TensorFlow's start-up messages off the terminal.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
