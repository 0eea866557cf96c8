"""One run: items in, parts out, whoever scores them."""

from collections.abc import Callable, Iterable, Iterator

from mesonet.bulk.items import Item
from mesonet.bulk.outcome import Outcome
from mesonet.bulk.parquet import Row, Table, to_table
from mesonet.bulk.parts import Parts
from mesonet.bulk.scoring import Scorer
from mesonet.parallel import batched

Shard = tuple[int, list[Item]]
Scored = tuple[int, Table]
Engine = Callable[[Iterable[Shard]], Iterator[Scored]]
"""Scores shards, in any order, and gives a table of rows for each under its number."""

_COUNTED = ("label", "verdict", "outcome")


def run(
    engine: Engine,
    items: Iterable[Item],
    parts: Parts,
    *,
    shard_size: int,
    max_error_share: float | None = None,
) -> Outcome:
    """Score items, a shard at a time, and write the part of each when it is complete.

    Args:
        engine: what scores a shard.
        items: taken as they are needed.
        parts: where they go; items that are there already are to be left out before.
        shard_size: items of a shard.
        max_error_share: the run ends when more than this share of at least 100 rows are errors.

    Raises:
        InputError: too many errors.
    """
    outcome = Outcome()
    for number, table in engine(enumerate(batched(items, shard_size), start=parts.first)):
        parts.write(number, table)
        wanted = [name for name in _COUNTED if name in table.column_names]
        for row in table.select([*wanted, "error"]).to_pylist():
            word = next((row[name] for name in wanted if row[name]), "unreadable")
            outcome.add(word, row["error"] is not None)
        outcome.check_errors(max_error_share)
    return outcome


def local_engine(scorer: Scorer, advance: Callable[[int], object]) -> Engine:
    """Score in this process.

    Args:
        scorer: what scores.
        advance: told of each row.
    """

    def score(shards: Iterable[Shard]) -> Iterator[Scored]:
        for number, items in shards:
            rows: list[Row] = []
            for row in scorer.rows(items):
                rows.append(row)
                advance(1)
            yield number, to_table(rows, scorer.schema)

    return score
