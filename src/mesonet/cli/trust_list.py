"""``mesonet trust-list``: whose signatures of Content Credentials are trusted."""

from typing import Annotated

import typer


def run(
    update: Annotated[
        bool, typer.Option("--update", help="Fetch the C2PA's lists of today.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL|DIR", help="Update from another place that has both files."
        ),
    ] = None,
) -> None:
    """Show the date and place of the trust lists, or bring them up to date.

    Checks never fetch anything; this command does, only when it is told to.
    """
    from mesonet.provenance.trust_list import SOURCE, trust_list, update_trust_list

    lists = update_trust_list(source or SOURCE) if update or source else trust_list()
    print(f"{lists.count} certificates as of {lists.date:%Y-%m-%d}, in {lists.folder}")
