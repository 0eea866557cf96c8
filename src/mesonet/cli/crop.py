"""``mesonet crop``: a folder of face crops from photographs and clips."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    media: Annotated[
        list[str],
        typer.Argument(
            metavar="MEDIA... OUT",
            help="Photographs, clips, folders or glob patterns; last the folder to write to.",
        ),
    ],
    frames: Annotated[int, typer.Option(min=1, help="Frames of a clip that are looked at.")] = 8,
    scale: Annotated[
        float, typer.Option(min=0.5, max=4, help="Side of the square, in longer sides of the face.")
    ] = 1.3,
) -> None:
    """Cut every face that is good enough, for training or evaluation.

    The faces are cut as `mesonet check` cuts them, and written as PNG. OUT is a class folder
    such as data/real; data/groups.csv keeps the faces of one photograph or clip together, and is
    what --groups takes. Media that cannot be read are named; the others are cut, and the
    exit code is 1.
    """
    import sys

    from mesonet.cli.output import print_left_out
    from mesonet.cli.progress import track
    from mesonet.cropping import crop_media
    from mesonet.errors import ArgumentError
    from mesonet.images.finding import find_images
    from mesonet.media import MEDIA_SUFFIXES

    if len(media) < 2:
        raise ArgumentError("name the photographs or clips first, and last the folder to write to")
    paths, problems = find_images(media[:-1], MEDIA_SUFFIXES)
    failed = len(problems)
    for problem in problems:
        print_left_out(str(problem))
    faces = without = 0
    crops = crop_media(paths, Path(media[-1]), frames=frames, scale=scale)
    for result in track(crops, len(paths), "cutting"):
        if result.error:
            failed += 1
            print_left_out(f"{result.path}: {result.error}")
        else:
            faces += result.faces
            without += not result.faces
    print(
        f"{faces} faces of {len(paths)} photographs and clips; "
        f"{without} had none that is good enough",
        file=sys.stderr,
    )
    if failed or not paths:
        raise typer.Exit(1)
