"""``mesonet layers``: pictures of what convolutional layers see."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Architecture, Model


def run(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Images, folders or glob patterns.")
    ],
    layers: Annotated[
        str,
        typer.Option("--layers", "-l", help="Layers from 0, such as 0,3; by default all."),
    ] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")] = Path(
        "layers"
    ),
    model: Model = None,
    architecture: Architecture = None,
) -> None:
    """Write one picture per image and convolutional layer, with a cell for every filter.

    Layers are numbered from 0, also in names: IMAGE_conv0.png.
    """
    import sys

    from mesonet.cli.progress import track
    from mesonet.detector import Detector
    from mesonet.errors import ImageError
    from mesonet.images.finding import find_images
    from mesonet.model import conv_layers, get_activation_model
    from mesonet.visualization import visualize_conv_layers

    try:
        chosen = [int(part) for part in layers.split(",")] if layers else []
    except ValueError:
        raise typer.BadParameter(f"--layers takes numbers such as 0,3, not {layers!r}") from None
    paths, problems = find_images(images)
    detector = Detector.load(model or Detector.default, architecture=architecture)
    chosen = chosen or list(range(len(conv_layers(detector.network))))
    get_activation_model(detector.network, chosen)
    output.mkdir(parents=True, exist_ok=True)
    written = set[Path]()
    for path in track(paths, len(paths), "drawing"):
        try:
            prepared = detector.prepare(path)[None]
        except ImageError as error:
            problems.append(error)
            continue
        figures = next(visualize_conv_layers(detector.network, prepared, chosen))
        stem = _unused_stem(path, written, output, chosen)
        for index, figure in zip(chosen, figures, strict=True):
            target = output / f"{stem}_conv{index}.png"
            figure.savefig(target)
            written.add(target)
    for problem in problems:
        print(f"mesonet: {problem}", file=sys.stderr)
    print(f"{len(written)} pictures in {output}")
    if problems:
        raise typer.Exit(1)


def _unused_stem(path: Path, written: set[Path], output: Path, layers: list[int]) -> str:
    """The image's stem, with its folder's name where two images share a stem."""
    stem = path.stem
    for folder in path.resolve().parents:
        if output / f"{stem}_conv{layers[0]}.png" not in written:
            break
        stem = f"{folder.name}_{stem}"
    return stem
