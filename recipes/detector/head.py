r"""Fit the head of `thorough` on class tokens, and mix it with `standard` on validation images.

    python -m recipes.detector.head HEAD.npz THOROUGH.csv --tokens TOKENS --data DATA \
        --standard recipes/detector/scores/standard-validation.csv

The validation images' tokens are kept beside those of the training views.
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from mesonet.images.reading import load_image
from mesonet.model_info import logit
from mesonet.preprocessing import Preprocessing
from mesonet.runtime import openvino_function
from mesonet.thorough import Head
from mesonet.weights.clip import SIZE, build_encoder
from mesonet.weights.fetching import load_encoder_weights
from recipes.detector.release import read_scores
from recipes.detector.scores import choose
from recipes.detector.sets import GROUPING, samples

BLOCKS = np.array([5, 7, 9, 11])
COST = 10.0
WIDTH = 1.0
PER_CLASS = 40


def fit_kernel(tokens: NDArray[np.float32], fake: NDArray[np.bool_]) -> Head:
    """A support vector machine with a Gaussian kernel on standardised tokens."""
    x = tokens[:, BLOCKS].reshape(len(tokens), -1)
    mean, deviation = x.mean(0), x.std(0)
    x = (x - mean) / deviation
    gamma = WIDTH / x.shape[1]
    squares = (x**2).sum(1)
    distances = squares[:, None] + squares - 2 * x @ x.T
    machine = SVC(C=COST, kernel="precomputed").fit(np.exp(-gamma * distances), fake)
    faces = x[machine.support_].astype(np.float16).astype(np.float32)
    coefficients = machine.dual_coef_[0].astype(np.float32)
    bias = float(machine.intercept_[0])
    return Head(BLOCKS, mean, deviation, faces, coefficients, gamma, (1.0, 0.0, bias))


def mix(
    head: Head,
    decided: NDArray[np.floating],
    standard: NDArray[np.floating],
    fake: NDArray[np.bool_],
) -> Head:
    """Weights of the kernel's decision and of the log odds of `standard`."""
    fit = LogisticRegression(C=1.0).fit(np.column_stack([decided, standard]), fake)
    (kernel, other), bias = fit.coef_[0], fit.intercept_[0]
    mixed = float(kernel), float(other), float(bias)
    return replace(head, mix=mixed)


def main() -> None:
    """Fit, mix, print the AUC of each set on validation images, write the head and its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("head", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--standard", type=Path, required=True)
    arguments = parser.parse_args()
    parts = [np.load(path) for path in sorted(arguments.tokens.glob("[0-9]*[0-9].npz"))]
    tokens = np.concatenate([part["tokens"] for part in parts]).astype(np.float32)
    head = fit_kernel(tokens, np.concatenate([part["fake"] for part in parts]) == 1)

    found = samples(arguments.data)
    chosen = choose(found, "validation", PER_CLASS)
    kept = arguments.tokens / "validation.npy"
    if not kept.is_file():
        encode = openvino_function(build_encoder(load_encoder_weights()))
        preprocessing = Preprocessing(SIZE, "bilinear", "none")
        images = [load_image(arguments.data / s.file, preprocessing) for s in chosen]
        np.save(kept, encode(np.stack(images).astype(np.float32)))
    files, _, _, raw = read_scores(arguments.standard)
    odds = dict(zip(files, logit(raw), strict=True))
    decided = head.decide(np.load(kept))
    standard = np.array([odds[sample.file] for sample in chosen])
    fake = np.array([sample.fake for sample in chosen])
    mixed = mix(head, decided, standard, fake)
    kernel, other, bias = mixed.mix
    for name in GROUPING:
        rows = np.array([sample.set == name for sample in chosen])
        aucs = [
            roc_auc_score(fake[rows], scores[rows])
            for scores in (decided, standard, kernel * decided + other * standard)
        ]
        print(name, *(f"{value:.3f}" for value in aucs))
    print(f"{len(mixed.faces)} faces; kernel {kernel:.3f}, standard {other:.3f}, bias {bias:.3f}")
    np.savez_compressed(
        arguments.head,
        blocks=mixed.blocks,
        mean=mixed.mean,
        deviation=mixed.deviation,
        faces=mixed.faces.astype(np.float16),
        coefficients=mixed.coefficients,
        gamma=mixed.gamma,
        mix=np.array(mixed.mix),
    )
    raw = 1 / (1 + np.exp(-mixed.log_odds(np.load(kept), standard)))
    with arguments.scores.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["file", "group", "raw_score"])
        lines.writerows(
            [s.file, s.group, f"{score:.6f}"] for s, score in zip(chosen, raw, strict=True)
        )


if __name__ == "__main__":
    main()
