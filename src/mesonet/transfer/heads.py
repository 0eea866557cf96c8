"""Small classifiers on features, all of which come out as a stack of dense layers.

A head is a description that can be fitted any number of times, each time from fresh weights. What
was fitted - standardisation and batch normalisation folded in - scores features, or goes behind
the backbone to make an ordinary detector.
"""

import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from mesonet.backend import keras
from mesonet.transfer.store import Rows

Features = NDArray[np.floating] | Rows
Labels = NDArray[np.integer]
Activation = Literal["linear", "relu", "sigmoid"]

_BATCH = 64


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """``activation(x @ kernel + bias)``; the kernel has shape ``(inputs, outputs)``."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: Activation = "linear"

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply the layer to rows of shape ``(n, inputs)``."""
        x = x @ self.kernel + self.bias
        if self.activation == "relu":
            return np.maximum(x, 0)
        return _sigmoid(x) if self.activation == "sigmoid" else x


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Where training stood after a batch.

    Attributes:
        step: batches so far.
        epoch: from 1.
        batch: within the epoch, from 1.
        loss: of that batch, regularisation included.
        accuracy: share of the training rows called right, 0..1, dropout switched off.
        validation_accuracy: the same of the validation rows.
    """

    step: int
    epoch: int
    batch: int
    loss: float
    accuracy: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A fitted head.

    Attributes:
        layers: applied one after the other to flattened features; the last gives P(class 1).
        curve: how training went, of heads that are trained batch by batch.
    """

    layers: tuple[DenseLayer, ...]
    curve: tuple[CurvePoint, ...] = ()

    def predict_proba(self, features: Features) -> NDArray[np.float64]:
        """P(class 1) of features of shape ``(n, ...)``; shape ``(n,)``, 0..1."""
        scores = [np.zeros(0)]
        for x in _batches(features):
            for layer in self.layers:
                x = layer(x)
            scores.append(x[:, 0].astype(np.float64))
        return np.concatenate(scores)

    def to_keras(self, extractor: keras.Model) -> keras.Model:
        """Put the head behind the network that made its features.

        Returns:
            A model of plain layers from prepared images of shape ``(n, size, size, 3)`` to
            P(class 1) of shape ``(n, 1)``. It shares the layers of ``extractor``.
        """
        output = extractor.output
        if len(output.shape) > 2:
            output = keras.layers.Flatten()(output)
        for layer in self.layers:
            dense = keras.layers.Dense(len(layer.bias), activation=layer.activation)
            output = dense(output)
            dense.set_weights([layer.kernel, layer.bias])
        return keras.Model(extractor.input, output, name=extractor.name)


class Head(Protocol):
    """What can be fitted to features.

    Attributes:
        name: the name it is asked for by.
    """

    name: ClassVar[str]

    def fit(
        self,
        features: Features,
        labels: Labels,
        *,
        seed: int = 0,
        validation: tuple[Features, Labels] | None = None,
    ) -> FittedHead:
        """Fit from fresh weights.

        Args:
            features: shape ``(n, ...)``.
            labels: 0 or 1, shape ``(n,)``, both present.
            seed: of everything that is drawn.
            validation: rows that are watched while training, where the head draws a curve;
                nothing is learned or chosen from them.
        """


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised features.

    Attributes:
        l2: factor of half the squared norm of the weights, beside the mean loss of a row.
    """

    l2: float = 1.0
    name: ClassVar[str] = "logistic"

    def fit(
        self,
        features: Features,
        labels: Labels,
        *,
        seed: int = 0,  # noqa: ARG002 - nothing is drawn
        validation: tuple[Features, Labels] | None = None,  # noqa: ARG002 - and no curve
    ) -> FittedHead:
        """See `Head.fit`."""
        scaler, x = _standardise(features)
        model = LogisticRegression(C=1 / (self.l2 * len(labels)), solver="newton-cg", max_iter=1000)
        return _linear(scaler, model.fit(x, labels))


@dataclass(frozen=True)
class Mlp:
    """One hidden layer of rectified units on standardised features.

    Attributes:
        l2: factor of half the squared norm of the weights, beside the mean loss of a row.
        hidden: number of hidden units.
        epochs: how often every row is seen.
        batch_size: rows per step.
    """

    l2: float = 1.0
    hidden: int = 32
    epochs: int = 30
    batch_size: int = 64
    name: ClassVar[str] = "mlp"

    def fit(
        self,
        features: Features,
        labels: Labels,
        *,
        seed: int = 0,
        validation: tuple[Features, Labels] | None = None,  # noqa: ARG002 - no curve
    ) -> FittedHead:
        """See `Head.fit`."""
        scaler, x = _standardise(features)
        batch = min(self.batch_size, len(labels))
        model = MLPClassifier(
            (self.hidden,),
            alpha=self.l2 * batch,  # which scikit-learn divides by the batch
            batch_size=batch,
            max_iter=self.epochs,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, labels)
        first = _fold_standardisation(scaler, model.coefs_[0], model.intercepts_[0], "relu")
        last = dense_layer(model.coefs_[1], model.intercepts_[1], "sigmoid")
        return FittedHead((first, last))


def dense_layer(kernel: Any, bias: Any, activation: Activation) -> DenseLayer:
    """A layer in single precision."""
    return DenseLayer(np.asarray(kernel, np.float32), np.asarray(bias, np.float32), activation)


def describe(head: Head) -> dict[str, Any]:
    """Name and settings of a head, ready for JSON."""
    return {"head": head.name, **asdict(head)}  # type: ignore[call-overload]


def flat(features: Features) -> NDArray[np.float32]:
    """All features in memory, shape ``(n, values)``."""
    x = np.asarray(features, np.float32)
    return x.reshape(len(x), -1)


def _batches(features: Features) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(features), _BATCH):
        yield flat(features[start : start + _BATCH])


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


def _standardise(features: Features) -> tuple[StandardScaler, NDArray[np.float32]]:
    x = flat(features)
    scaler = StandardScaler().fit(x)
    return scaler, scaler.transform(x)


def _fold_standardisation(
    scaler: StandardScaler, kernel: Any, bias: Any, activation: Activation
) -> DenseLayer:
    """A dense layer that does the standardisation, too."""
    folded = np.asarray(kernel, np.float64) / scaler.scale_[:, None]
    return dense_layer(folded, bias - scaler.mean_ @ folded, activation)


def _linear(scaler: StandardScaler, model: Any) -> FittedHead:
    """A linear classifier of scikit-learn that was fitted to standardised features."""
    return FittedHead((_fold_standardisation(scaler, model.coef_.T, model.intercept_, "sigmoid"),))
