r"""What the head of `thorough` makes of kinds and generators that it was not fitted on.

    python -m recipes.detector.generalisation docs/benchmarks/generalisation.md \
        --tokens RUN/tokens --data DATA

The head is fitted again on the cached views without a set, a generator or a family of them, and
asked about test images. `standard` takes no part: it was trained on all of them. Tokens of the
images are kept beside those of the views, so that a second run takes a minute.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesonet.evaluation.metrics import auc, bootstrap_interval
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing
from mesonet.runtime import openvino_function
from mesonet.weights.clip import SIZE, build_encoder
from mesonet.weights.fetching import load_encoder_weights
from recipes.detector.head import PER_CLASS, fit_kernel
from recipes.detector.scores import choose
from recipes.detector.sets import GROUPING, Sample, part_of, samples

FAMILIES: tuple[tuple[str, ...], ...] = (
    ("stylegan",),
    ("stylegan2",),
    ("sd1",),
    ("sd21",),
    ("stylegan", "stylegan2"),
    ("sd1", "sd21"),
)
_KEPT = "test.npz"

TEXT = """
# Kinds that the head never saw

The head of `thorough` by itself, fitted again without a set, a generator or both generators of a
kind, with the settings that were chosen with all of them. Test images; image AUC, 95 % intervals
over groups. A generator's images are asked against all real ones of `synthetic`; its real images
stay in the fit. `standard`, which `thorough` adds, takes no part: each row would need a training
of its own, and was not measured.

    python -m recipes.detector.generalisation docs/benchmarks/generalisation.md \\
        --tokens RUN/tokens --data DATA
"""

Tokens = NDArray[np.float32]
_Scores = NDArray[np.floating]


def test_images(data: Path, per_source: int) -> list[Sample]:
    """Test images: some of each class and set, and of `synthetic` so many of each source."""
    found = samples(data)
    chosen = choose(found, "test", PER_CLASS)
    rng = np.random.default_rng(2)
    for source in sorted({s.source for s in found if s.set == "synthetic"}):
        those = [s for s in found if (s.source, s.part) == (source, "test")]
        have = sum(s.source == source for s in chosen)
        rest = [those[i] for i in rng.permutation(len(those)) if those[i] not in chosen]
        chosen += rest[: max(0, per_source - have)]
    return chosen


def encode_images(data: Path, chosen: Sequence[Sample], kept: Path) -> Tokens:
    """Class tokens of images, shape ``(n, 12, 768)``; what is not known yet is encoded and kept."""
    known: dict[str, Tokens] = {}
    if kept.is_file():
        with np.load(kept) as saved:
            known = dict(zip(saved["files"].tolist(), saved["tokens"], strict=True))
    missing = [s.file for s in chosen if s.file not in known]
    if missing:
        encode = openvino_function(build_encoder(load_encoder_weights()))
        preprocessing = Preprocessing(SIZE, "bilinear", "none")
        for number, file in enumerate(missing, start=1):
            pixels = load_image(data / file, preprocessing).astype(np.float32)
            known[file] = encode(pixels[None])[0]
            if number % 20 == 0 or number == len(missing):
                np.savez(kept, files=list(known), tokens=np.stack(list(known.values())))
                print(f"encoded {number} of {len(missing)} images", flush=True)
    return np.stack([known[s.file] for s in chosen])


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was left out, on how many images it was asked, and what came of it.

    Attributes:
        left_out: a set, or generators.
        counts: real and manipulated images.
        known: AUC of the head that was fitted on everything.
        unseen: AUC of the head that was fitted on the rest.
        interval: of `unseen`, 95 %, over groups.
    """

    left_out: str
    counts: tuple[int, int]
    known: float
    unseen: float
    interval: tuple[float, float]


def compare(left_out: str, asked: Sequence[Sample], known: _Scores, unseen: _Scores) -> Comparison:
    """Measure both heads on the same images."""
    fake = np.array([s.fake for s in asked])
    return Comparison(
        left_out,
        (int((~fake).sum()), int(fake.sum())),
        auc(fake, known),
        auc(fake, unseen),
        bootstrap_interval(auc, fake, unseen, [s.group for s in asked], rounds=500),
    )


def format_table(title: str, found: Sequence[Comparison]) -> str:
    """A table in Markdown, with the mean below."""
    lines = [
        f"| {title} | real, manipulated | fitted on it | left out |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {c.left_out} | {c.counts[0]}, {c.counts[1]} | {c.known:.3f} "
        f"| {c.unseen:.3f} ({c.interval[0]:.3f} to {c.interval[1]:.3f}) |"
        for c in found
    ]
    known, unseen = (np.mean([getattr(c, name) for c in found]) for name in ("known", "unseen"))
    return "\n".join([*lines, f"| mean | | {known:.3f} | {unseen:.3f} |"])


def main() -> None:
    """Fit without each set and generator, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--per-source", type=int, default=40)
    arguments = parser.parse_args()
    chosen = test_images(arguments.data, arguments.per_source)
    asked = encode_images(arguments.data, chosen, arguments.tokens / _KEPT)
    parts = [np.load(path) for path in sorted(arguments.tokens.glob("[0-9]*[0-9].npz"))]
    tokens = np.concatenate([part["tokens"] for part in parts]).astype(np.float32)
    fake = np.concatenate([part["fake"] for part in parts]) == 1
    files = np.concatenate([part["files"] for part in parts]).tolist()
    seen = [Sample(file, file, part_of(file)) for file in files]
    known = fit_kernel(tokens, fake).decide(asked)
    sources = np.array([s.source if s.fake else "" for s in seen])

    def without(left_out: NDArray[np.bool_]) -> NDArray[np.float32]:
        return fit_kernel(tokens[~left_out], fake[~left_out]).decide(asked)

    sets, generators = [], []
    for name in GROUPING:
        rows = [i for i, s in enumerate(chosen) if s.set == name]
        unseen = without(np.array([s.set == name for s in seen]))
        sets.append(compare(name, [chosen[i] for i in rows], known[rows], unseen[rows]))
    for family in FAMILIES:
        rows = [
            i
            for i, s in enumerate(chosen)
            if s.set == "synthetic" and (not s.fake or s.source in family)
        ]
        unseen = without(np.isin(sources, family))
        these = [chosen[i] for i in rows]
        generators.append(compare(", ".join(family), these, known[rows], unseen[rows]))
    single = [c for c in generators if "," not in c.left_out]
    families = [c for c in generators if "," in c.left_out]
    tables = (
        format_table("set", sets),
        format_table("generator", single),
        format_table("both of a kind", families),
    )
    arguments.page.write_text("\n\n".join([TEXT.strip(), *tables]) + "\n")
    print(*tables, sep="\n\n")


if __name__ == "__main__":
    main()
