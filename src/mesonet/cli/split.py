"""``mesonet split``: divide a dataset into training and test images."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Groups, Seed


def run(
    source: Annotated[
        Path, typer.Argument(help="Class folders, or parts such as train and validation of them.")
    ],
    destination: Annotated[Path, typer.Argument(help="New folder for train/ and test/.")],
    test: Annotated[float, typer.Option(help="Share of the images to hold out, 0..1.")] = 0.1,
    groups: Groups = None,
    seed: Seed = 0,
) -> None:
    """Copy a dataset into train/<class> and test/<class>, groups kept together."""
    from mesonet.datasets.splitting import split_dataset

    counts = split_dataset(source, destination, test, groups=groups, seed=seed)
    for part, classes in counts.items():
        print(f"{part}: {', '.join(f'{count} {name}' for name, count in classes.items())}")
