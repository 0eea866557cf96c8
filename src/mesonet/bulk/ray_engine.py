"""Shards scored by the processes of a Ray cluster, with Ray Data.

Only paths and rows travel: a worker reads what it scores, and this process writes every part. So a
shard whose worker was lost runs again, and its rows come once.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import pyarrow as pa

from mesonet.bulk.items import Item
from mesonet.bulk.parquet import to_table
from mesonet.bulk.running import Engine, Scored, Shard
from mesonet.bulk.scoring import Scorer
from mesonet.errors import ClusterError, MissingPackageError, ModelFileError

try:
    import ray
    import ray.data
    import ray.exceptions
except ImportError as error:
    raise MissingPackageError("--engine ray", "ray") from error

_SHARDS_AHEAD = 100
_RETRIES = 1
_LOST = "every process that read it came to an end"
_ITEMS = pa.schema(
    {
        "number": pa.int64(),
        "path": pa.string(),
        "size": pa.int64(),
        "modified": pa.int64(),
        "error": pa.string(),
    }
)


def ray_engine(
    load: Callable[[], Scorer],
    scorer: Scorer,
    advance: Callable[[int], object],
    *,
    address: str | None = None,
    workers: int | None = None,
) -> Engine:
    """Score on a Ray cluster: each worker is a process with one core and a model of its own.

    Args:
        load: loads the model, in the worker.
        scorer: what it loads here; a worker that has another model or version ends the run.
        advance: told of the rows that have come.
        address: of the cluster; by default one is started on this machine for the time of the run.
        workers: processes; by default one for each core of the cluster.
    """

    def score(shards: Iterable[Shard]) -> Iterator[Scored]:
        if not address:
            os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own is 15
        started = {} if address else {"include_dashboard": False}
        ray.init(address, log_to_driver=False, logging_level="error", **started)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = False
            context.max_errored_blocks = -1
            count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            arguments = (load, scorer.description, os.getcwd())  # noqa: PTH109 - it travels
            source = iter(shards)
            while window := dict(islice(source, _SHARDS_AHEAD * count)):
                for number, table in _complete(window, scorer, count, arguments):
                    advance(len(table))
                    yield number, table
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ClusterError(f"the cluster could not go on: {reason}") from error
        finally:
            ray.shutdown()

    return score


def _complete(
    window: dict[int, list[Item]], scorer: Scorer, workers: int, arguments: Any
) -> Iterator[Scored]:
    """Score some shards. Of one that ends its workers, each item is tried by itself."""
    for number, table in _run(window.items(), workers, arguments):
        yield number, table
        del window[number]
    for number, items in window.items():
        alone = dict(_run([(place, [item]) for place, item in enumerate(items)], 1, arguments))
        for place in range(len(items)):
            if place not in alone:
                lost = replace(items[place], error=_LOST)
                alone[place] = to_table(list(scorer.rows([lost])), scorer.schema)
        yield number, pa.concat_tables([alone[place] for place in range(len(items))])


def _run(shards: Iterable[Shard], workers: int, arguments: Any) -> Iterator[Scored]:
    """Score shards, each in a task that runs again where its worker is lost."""
    blocks = [ray.put(_block(*shard)) for shard in shards]
    pool = ray.data.ActorPoolStrategy(
        size=min(workers, len(blocks)), max_tasks_in_flight_per_actor=1
    )
    with warnings.catch_warnings():  # there is no other way to bound the retries
        warnings.simplefilter("ignore", DeprecationWarning)
        scored = ray.data.from_arrow_refs(blocks).map_batches(
            _Worker,
            fn_constructor_args=arguments,
            batch_size=None,
            batch_format="pyarrow",
            compute=pool,
            num_cpus=1,
            ray_remote_args_fn=lambda: {"max_task_retries": _RETRIES},
        )
    for block in scored.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for row in block.to_pylist():
            yield row["number"], pa.ipc.open_stream(row["table"]).read_all()


def _block(number: int, items: list[Item]) -> pa.Table:
    rows = [{"number": number, **asdict(item)} for item in items]
    return pa.Table.from_pylist(rows, _ITEMS)


class _Worker:
    """A process of the cluster, with a model."""

    def __init__(
        self, load: Callable[[], Scorer], description: dict[str, Any], folder: str
    ) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"
        if os.path.isdir(folder):  # noqa: PTH112
            os.chdir(folder)  # paths are relative to it
        self._scorer = load()
        if self._scorer.description != description:
            raise ModelFileError(description["model"]["name"], "a worker has another version of it")

    def __call__(self, block: pa.Table) -> pa.Table:
        """Score a shard; give one row with its number and its table as bytes."""
        rows = block.drop_columns("number").to_pylist()
        found = list(self._scorer.rows([Item(**row) for row in rows]))
        table, sink = to_table(found, self._scorer.schema), pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return pa.table({"number": block["number"][:1], "table": [sink.getvalue().to_pybytes()]})
