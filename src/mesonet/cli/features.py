"""``mesonet features``: features of a frozen backbone, kept for many heads."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Groups, Seed


class Pooled(StrEnum):
    """What is kept of an image."""

    NONE = "none"
    MEAN = "mean"
    LAYERS = "layers"


def run(
    data_dir: Annotated[
        Path, typer.Argument(help="Folder with two class folders, such as real and df.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the feature store.")],
    backbone: Annotated[str, typer.Option(help="See 'mesonet models'.")] = "efficientnet_lite0",
    weights: Annotated[
        str, typer.Option(help="'imagenet', a file of weights, or 'none' for random ones.")
    ] = "imagenet",
    size: Annotated[
        int | None, typer.Option(min=1, help="Side of the images in px; by default the backbone's.")
    ] = None,
    pooling: Annotated[
        Pooled,
        typer.Option(
            help="Keep the whole feature map, its mean, or mean and deviation of a layer of "
            "every resolution."
        ),
    ] = Pooled.MEAN,
    augment: Annotated[
        int, typer.Option("--augment", min=0, help="Changed views of each image beside itself.")
    ] = 0,
    groups: Groups = None,
    seed: Seed = 0,
) -> None:
    """Run a backbone over a data folder once and keep its features.

    The store can be given to 'mesonet crossval' any number of times. The same command goes on
    where an interruption stopped it.
    """
    from mesonet.cli.transfer_steps import extract

    dataset = extract(
        data_dir,
        output,
        backbone=backbone,
        weights=weights,
        size=size,
        pooling=pooling.value,
        augment=augment,
        groups=groups,
        seed=seed,
    )
    shape = " x ".join(map(str, dataset.features.shape[1:]))
    print(f"{output}: {len(dataset)} images, {shape} values each")
