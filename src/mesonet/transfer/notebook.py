"""The heads of the MnasNet notebook: flatten, batch normalisation, dropout, two linear outputs."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mesonet.backend import keras
from mesonet.transfer.heads import (
    CurvePoint,
    DenseLayer,
    Features,
    FittedHead,
    Labels,
    dense_layer,
    flat,
)

_EVERY = 10


@dataclass(frozen=True)
class Notebook:
    """Softmax cross-entropy on two outputs, by Adam.

    Layers start as PyTorch starts them. The L2 factor acts as in ``torch.optim.Adam``: it is
    added to the gradient, which is half a squared norm in the loss.

    Attributes:
        l1: factor of the absolute values of all parameters.
        l2: factor of half the squares of all parameters.
        epochs: how often every row is seen.
        batch_size: rows per step.
        learning_rate: of Adam.
    """

    l1: float = 1e-3
    l2: float = 0.1
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    name: ClassVar[str] = "notebook"
    sigmoid: ClassVar[bool] = False

    def fit(
        self,
        features: Features,
        labels: Labels,
        *,
        seed: int = 0,
        validation: tuple[Features, Labels] | None = None,
    ) -> FittedHead:
        """See `mesonet.transfer.heads.Head.fit`. Rows are read batch by batch.

        With validation rows the curve has a point every 10 batches.
        """
        size = int(np.prod(features.shape[1:]))
        network = self._build(size, seed)
        rng = np.random.default_rng(seed)
        curve: list[CurvePoint] = []
        step = 0
        for epoch in range(self.epochs):
            order = rng.permutation(len(features))
            for batch, start in enumerate(range(0, len(order), self.batch_size), start=1):
                chosen = order[start : start + self.batch_size]
                loss = network.train_on_batch(flat(features[chosen]), labels[chosen])
                step += 1
                if validation is not None and batch % _EVERY == 0:
                    now = FittedHead(self._fold(network))
                    curve.append(
                        CurvePoint(
                            step,
                            epoch + 1,
                            batch,
                            float(loss),
                            _accuracy(now, features, labels),
                            _accuracy(now, *validation),
                        )
                    )
        return FittedHead(self._fold(network), tuple(curve))

    def _build(self, size: int, seed: int) -> keras.Model:
        def regularizer() -> keras.Regularizer:
            return keras.regularizers.L1L2(self.l1, self.l2 / 2)

        bound = size**-0.5
        linear = keras.layers.Dense(
            2,
            activation="sigmoid" if self.sigmoid else None,
            kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed),
            bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed + 1),
            kernel_regularizer=regularizer(),
            bias_regularizer=regularizer(),
        )
        normalise = keras.layers.BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            gamma_regularizer=regularizer(),
            beta_regularizer=regularizer(),
        )
        dropout = keras.layers.Dropout(0.5, seed=seed)
        softmax = keras.layers.Softmax()
        network = keras.Sequential([keras.Input((size,)), normalise, dropout, linear, softmax])
        network.compile(
            optimizer=keras.optimizers.Adam(self.learning_rate, epsilon=1e-8),
            loss="sparse_categorical_crossentropy",
        )
        return network

    def _fold(self, network: keras.Model) -> tuple[DenseLayer, ...]:
        """Batch normalisation in the first layer; the softmax as a sigmoid of a difference."""
        normalise, _, linear, _ = network.layers
        gamma, beta, mean, variance = (w.astype(np.float64) for w in normalise.get_weights())
        kernel, bias = (w.astype(np.float64) for w in linear.get_weights())
        factor = gamma / np.sqrt(variance + normalise.epsilon)
        bias = bias + (beta - mean * factor) @ kernel
        kernel = kernel * factor[:, None]
        difference = np.array([[-1.0], [1.0]])
        if self.sigmoid:
            return (
                dense_layer(kernel, bias, "sigmoid"),
                dense_layer(difference, np.zeros(1), "sigmoid"),
            )
        return (dense_layer(kernel @ difference, bias @ difference, "sigmoid"),)


@dataclass(frozen=True)
class NotebookSigmoid(Notebook):
    """The same with a sigmoid before the softmax, as the notebook has it for small images.

    The softmax of two values in 0..1 stays within .27 and .73, so the loss never gets small.
    """

    l1: float = 1e-4
    l2: float = 0.01
    epochs: int = 5
    batch_size: int = 64
    name: ClassVar[str] = "notebook-sigmoid"
    sigmoid: ClassVar[bool] = True


def _accuracy(head: FittedHead, features: Features, labels: Labels) -> float:
    return float(np.mean((head.predict_proba(features) >= 0.5) == labels))
