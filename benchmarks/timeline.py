"""The timeline's archive: writing a batch of calls, and a statement over many; the floor is bare DuckDB with Arrow."""

from __future__ import annotations

import tempfile
from contextlib import closing
from math import inf
from pathlib import Path

import duckdb
import pyarrow

from benchmarks.bench import Bench
from benchmarks.measure import Row, bounded_row, stated, timed
from ftl_nb.rpc import event_pb2
from ftl_nb.services.timeline import Archive
from ftl_nb.services.timeline.reading import read

#: As many as the keeper writes at once under load.
BATCH, BATCHES = 4096, 10
_SLOWEST = "select verb, count(*), quantile_cont(duration, 0.99) from calls group by 1"


def measure(bench: Bench) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ftl-bench-") as name:
        archive = Archive(Path(name) / "ours", 10**6, 2**30, print)
        with closing(archive), closing(duckdb.connect(str(Path(name) / "bare.duckdb"))) as bare:
            return [_write(archive, bare), _ask(archive, bare)]


def _write(archive: Archive, bare: duckdb.DuckDBPyConnection) -> Row:
    ids = iter(range(10**9))
    blobs = pyarrow.array([_call(0).SerializeToString()] * BATCH)
    batch = pyarrow.table(
        {"verb": pyarrow.array(["shop.pay"] * BATCH), "duration": pyarrow.array([0.1] * BATCH), "event": blobs}
    )
    bare.register("batch", batch)
    bare.execute("create table calls as select * from batch")
    ours = timed(lambda: archive.write([_call(next(ids)) for _ in range(BATCH)]))(BATCHES)
    floor = timed(lambda: bare.execute("insert into calls select * from batch"))(BATCHES)
    what = f"{BATCH} call events into the archive of the timeline"
    return stated(
        bounded_row("timeline_write", what, ours, inf, floor, "floor: three columns of them into bare DuckDB")
    )


def _ask(archive: Archive, bare: duckdb.DuckDBPyConnection) -> Row:
    ours = timed(lambda: b"".join(read(archive, _SLOWEST, lambda stop: None)))(BATCHES)
    floor = timed(lambda: bare.sql(_SLOWEST).to_arrow_reader().read_all())(BATCHES)
    what = f"the slowest of {BATCH * BATCHES:,} calls by verb, as SQL"
    return stated(bounded_row("timeline_sql", what, ours, inf, floor, "floor: the same in bare DuckDB"))


def _call(number: int) -> event_pb2.Event:
    event = event_pb2.Event(id=number)
    event.timestamp.GetCurrentTime()
    event.call.destination_verb_ref.module, event.call.destination_verb_ref.name = "shop", f"pay{number % 10}"
    event.call.request_key, event.call.request = f"req-ingress-bench-{number}", '{"sku":"tea","quantity":2}'
    event.call.duration.FromMicroseconds(number % 1000)
    return event
