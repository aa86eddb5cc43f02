"""The archive: what is written comes back the same, in bounded size, over restarts, broken files and full disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftl_nb.errors import FtlError
from ftl_nb.rpc import event_pb2, timeline_pb2
from ftl_nb.services.timeline import Archive, Keeper, Timeline, keeper
from ftl_nb.services.timeline.archive import ArchiveFailed
from ftl_nb.services.timeline.reading import read
from services.test_timeline import ASC, DESC, Entry, call, changeset, ids, log

MANY, LARGE = 10**6, 2**30
Query = timeline_pb2.TimelineQuery


class Kept:
    """Timelines over one folder, one after the other; `says` is what was said of the archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says: list[str] = []
        self._open: list[Keeper] = []

    def timeline(self, *, at_hand: int = 3, rows: int = MANY, size: int = LARGE) -> Timeline:
        made = Keeper(Archive(self.folder, rows, size, self.says.append), self.says.append, first=0.0)
        self._open.append(made)
        return Timeline(made, kept=at_hand)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path / "timeline")
    yield made
    made.close()


def table(timeline: Timeline, sql: str) -> list[dict[str, Any]]:
    timeline.settle()
    assert timeline.keeper is not None
    stream = b"".join(read(timeline.keeper.archive, sql, lambda stop: None))
    found: list[dict[str, Any]] = pyarrow.ipc.open_stream(stream).read_all().to_pylist()
    return found


def some(count: int = 10) -> list[Entry]:
    return [log(n, f"line {n}") for n in range(count)]


def test_what_is_not_at_hand_comes_from_the_archive_in_both_orders(kept: Kept) -> None:
    timeline = kept.timeline()
    timeline.add(some())
    assert ids(timeline) == list(range(10))
    assert ids(timeline, order=DESC) == list(range(9, -1, -1))
    events, cursor = timeline.select(Query(limit=4, order=DESC))
    assert ([e.id for e in events], cursor) == ([9, 8, 7, 6], 5)
    events, cursor = timeline.select(Query(limit=4, order=ASC))
    assert ([e.id for e in events], cursor) == ([0, 1, 2, 3], 4)


def every_type() -> list[Entry]:
    made = [
        log(1, "ein \x00 Wort\n\u2028", key="req-1"),
        call(2, "shop.checkout", source="web.cart", key="req-1"),
        changeset(3, "chs-1"),
    ]
    for number, kind in enumerate(f.name for f in Entry.DESCRIPTOR.oneofs_by_name["entry"].fields):
        entry = Entry(timestamp=Timestamp(seconds=10 + number, nanos=7))
        getattr(entry, kind).SetInParent()
        made.append(entry)
    made[1].call.request, made[1].call.response, made[1].call.stack = '{"a":1}', "[]", "Trace\nback"
    made[1].call.duration.FromMilliseconds(1500)
    return made


def test_an_event_of_every_type_comes_back_as_it_was(kept: Kept) -> None:
    here, there = Timeline(), kept.timeline(at_hand=0)
    for timeline in (here, there):
        timeline.add(every_type())
    assert there.select(Query(limit=99))[0] == here.select(Query(limit=99))[0]


def test_events_are_kept_over_a_restart_under_their_ids(kept: Kept) -> None:
    kept.timeline().add([*some(3), call(5, "shop.pay", key="req-ingress-a-1")])
    kept.close()
    timeline = kept.timeline()
    timeline.add([log(9, "after"), call(9, "shop.pay", key="req-ingress-a-2")])
    assert ids(timeline) == [0, 1, 2, 3, 4, 5]
    assert timeline.requests(9) == ["req-ingress-a-2", "req-ingress-a-1"]
    assert kept.says == []


def test_without_the_mark_of_the_next_id_the_archive_is_asked(kept: Kept) -> None:
    kept.timeline().add(some(3))
    kept.close()
    (kept.folder / "next").write_text("nonsense")
    assert kept.timeline().last == 2


def test_an_archive_whose_ids_are_ahead_is_put_aside(kept: Kept) -> None:
    kept.timeline().add(some(3))
    kept.close()
    (kept.folder / "next").write_text("1\n")
    timeline = kept.timeline()
    timeline.add([log(9, "after")])
    timeline.settle()
    assert ids(timeline) == [1]
    assert "higher than any" in kept.says[0]


@pytest.mark.parametrize("content", [b"no database at all", b"\0" * 20_000, None], ids=["text", "zeros", "cut"])
def test_a_broken_file_is_put_aside_with_a_sentence(kept: Kept, content: bytes | None) -> None:
    kept.timeline().add(some(500))
    kept.close()
    file = kept.folder / "events.duckdb"
    file.write_bytes(file.read_bytes()[:9000] if content is None else content)
    timeline = kept.timeline()
    timeline.add([log(9, "after")])
    timeline.settle()
    assert ids(timeline) == [500]
    assert len(kept.says) == 1
    assert "a new one is begun" in kept.says[0]
    assert len(list(kept.folder.glob("*.broken"))) == 1


def test_the_oldest_go_first(kept: Kept) -> None:
    timeline = kept.timeline(rows=100)
    for start in range(0, 400, 40):
        timeline.add([log(start + n, "x") for n in range(40)])
        timeline.settle()
    found = ids(timeline, limit=999)
    assert found == list(range(found[0], 400))
    assert 100 <= len(found) <= 150


def test_the_file_does_not_outgrow_its_bound(kept: Kept) -> None:
    size = 4 * 2**20
    timeline = kept.timeline(size=size)
    noise = [f"{n * 7919 % 100_003:x}" for n in range(100_003)]
    for start in range(0, 3000, 100):
        timeline.add([log(n, " ".join(noise[n * 25 : n * 25 + 1500])) for n in range(start, start + 100)])
        timeline.settle()
    assert ids(timeline, order=DESC, limit=1) == [2999]
    assert (kept.folder / "events.duckdb").stat().st_size < 3 * size


def test_a_hundred_thousand_events_at_once_stay_within_bounds(kept: Kept) -> None:
    timeline = kept.timeline(at_hand=1000)
    for start in range(0, 100_000, 1000):
        timeline.add([log(n, "x") for n in range(start, start + 1000)])
    assert timeline.keeper is not None
    timeline.keeper.settle(timeline.last, timeout=60.0)
    (row,) = table(timeline, "select count(*) as rows, max(id) as last from logs")
    assert row["last"] == 99_999
    assert row["rows"] + timeline.keeper.lost == 100_000


def test_what_the_disk_does_not_take_is_counted_and_never_in_the_way(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "WAITING_EVENTS", 5)
    timeline = kept.timeline()
    assert timeline.keeper is not None
    archive = timeline.keeper.archive

    def full(events: Sequence[event_pb2.Event]) -> None:
        raise ArchiveFailed("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write", full)
        for n in range(20):
            timeline.add([log(n, "x")])
        timeline.settle()
        assert ids(timeline, order=DESC, limit=2) == [19, 18]
        assert kept.says == ["timeline: events are not kept meanwhile (No space left on device)"]
    timeline.add([log(21, "again")])
    timeline.keeper.close()
    assert 15 <= timeline.keeper.lost <= 16
    assert Archive(kept.folder, MANY, LARGE, kept.says.append).last_id() == 20


def test_a_file_that_another_process_holds_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    archive = Archive(tmp_path, MANY, LARGE, lambda text: None)
    archive.file.write_bytes(b"")

    def locked(*_: object, **__: object) -> None:
        raise duckdb.IOException("IO Error: Could not set lock on file: Conflicting lock is held")

    monkeypatch.setattr(duckdb, "connect", locked)
    with pytest.raises(ArchiveFailed, match="lock"):
        archive.last_id()
    assert archive.file.exists()


def test_garbage_is_left_out_and_clocks_may_jump(kept: Kept) -> None:
    timeline = kept.timeline(at_hand=0)
    jumps = [Entry(timestamp=Timestamp(seconds=s, nanos=n)) for s, n in ((2**62, 0), (-(2**62), -5), (0, 2**31 - 1))]
    for entry in jumps:
        entry.log.message = "when?"
    timeline.add([Entry(), Entry(timestamp=Timestamp(seconds=1)), *jumps])
    assert ids(timeline) == [0, 1, 2]
    time = Query.TimeFilter(newer_than=Timestamp(seconds=1))
    assert ids(timeline, Query.Filter(time=time)) == [1, 2]
    assert [r["message"] for r in table(timeline, "select message, id from logs")] == ["when?"] * 3


def test_old_events_are_deleted_from_the_archive_too(kept: Kept) -> None:
    timeline = kept.timeline()
    timeline.add([*some(5), *(call(n, "shop.pay") for n in range(10, 15))])
    assert timeline.delete("log", 3.0) == 3
    assert timeline.delete("call", 14.0) == 4
    assert ids(timeline) == [3, 4, 9]


# --- the filters of events at hand and those of the archive mean the same ---------------------------------------------

NAMES = st.sampled_from(["", "shop", "stock", "web"])
KEYS = st.sampled_from(["", "req-1", "req-2"])
TIMES = st.builds(Timestamp, seconds=st.integers(0, 3), nanos=st.integers(0, 2))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from([f.name for f in Entry.DESCRIPTOR.oneofs_by_name["entry"].fields]))
    entry = Entry(timestamp=draw(TIMES))
    body = getattr(entry, kind)
    body.SetInParent()
    for field in body.DESCRIPTOR.fields:
        if field.name in ("request_key", "deployment_key", "key", "changeset", "changeset_key"):
            setattr(body, field.name, draw(KEYS))
        elif field.name.endswith("verb_ref"):
            getattr(body, field.name).module, getattr(body, field.name).name = draw(NAMES), draw(NAMES)
        elif field.name in ("dest_verb_module", "dest_verb_name"):
            setattr(body, field.name, draw(NAMES))
    if kind == "log":
        body.log_level = draw(st.sampled_from([0, 1, 9, 17]))
        body.attributes.update({"module": draw(NAMES), "verb": f"{draw(NAMES)}.{draw(NAMES)}"})
    return entry


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


FILTERS = st.one_of(
    st.builds(lambda n: Query.Filter(log_level={"log_level": n}), st.sampled_from([0, 9, 13])),  # type: ignore[arg-type]
    st.builds(lambda k: Query.Filter(deployments={"deployments": k}), st.lists(KEYS)),  # type: ignore[arg-type]
    st.builds(lambda k: Query.Filter(requests={"requests": k}), st.lists(KEYS)),  # type: ignore[arg-type]
    st.builds(lambda k: Query.Filter(changesets={"changesets": k}), st.lists(KEYS)),  # type: ignore[arg-type]
    st.builds(
        lambda t: Query.Filter(event_types={"event_types": t}),  # type: ignore[arg-type]
        st.lists(st.sampled_from([*event_pb2.EventType.values(), 5, 99])),
    ),
    st.builds(lambda f: Query.Filter(time=f), optional(older_than=TIMES, newer_than=TIMES)),
    st.builds(lambda f: Query.Filter(id=f), optional(lower_than=st.integers(-1, 9), higher_than=st.integers(-1, 9))),
    st.builds(
        lambda m, f: Query.Filter(call={"dest_module": m, **f}),  # type: ignore[arg-type]
        NAMES,
        optional(dest_verb=NAMES, source_module=NAMES),
    ),
    st.builds(lambda m, f: Query.Filter(module={"module": m, **f}), NAMES, optional(verb=NAMES)),  # type: ignore[arg-type]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(entries(), max_size=8), queries=st.lists(st.lists(FILTERS, max_size=4), min_size=5, max_size=9))
def test_the_archive_finds_what_is_found_at_hand(
    tmp_path_factory: pytest.TempPathFactory, batch: list[Entry], queries: list[list[Query.Filter]]
) -> None:
    kept = Kept(tmp_path_factory.mktemp("timeline"))
    here, there = Timeline(), kept.timeline(at_hand=0)
    here.add(batch)
    there.add(batch)
    try:
        for filters in queries:
            for order in (ASC, DESC):
                assert ids(there, *filters, order=order) == ids(here, *filters, order=order)
    finally:
        kept.close()


# --- statements -------------------------------------------------------------------------------------------------------


def test_a_statement_reads_calls_as_a_table(kept: Kept) -> None:
    timeline = kept.timeline()
    timeline.add(every_type())
    (row,) = table(timeline, "select verb, source, duration, error, request from calls where request <> ''")
    assert row == {
        "verb": "shop.checkout",
        "source": "web.cart",
        "duration": 1.5,
        "error": None,
        "request": '{"a":1}',
    }


@pytest.mark.parametrize("name", ["events", "calls", "statements", "spans", "logs", "ingress", "cron", "published"])
def test_every_view_can_be_read(kept: Kept, name: str) -> None:
    timeline = kept.timeline()
    timeline.add(every_type())
    assert isinstance(table(timeline, f"from {name}"), list)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "takes one statement"),
        ("select 1; select 2", "takes one statement"),
        ("drop table stored", "DROP is no SELECT"),
        ("insert into stored (id) values (9)", "INSERT is no SELECT"),
        ("with a as (insert into stored (id) values (9) returning id) from a", "read-only"),
        ("copy calls to '/tmp/calls.csv'", "COPY is no SELECT|disabled"),
        ("attach '/tmp/other.duckdb' as other", "ATTACH is no SELECT|disabled"),
        ("install httpfs", "no SELECT|disabled"),
        ("load httpfs", "no SELECT|disabled"),
        ("set memory_limit = '9GB'", "SET is no SELECT"),
        ("pragma database_size", "PRAGMA is no SELECT"),
        ("select * from read_text('/etc/passwd')", "disabled"),
        ("select * from glob('/etc/*')", "disabled"),
        ("select * from '/etc/passwd'", "does not exist"),
        ("from timeline", "does not exist"),
        ("select verbs from calls", "Candidate bindings"),
        ("select * frm calls", "syntax error"),
        ("select list(a.i) from range(100000000) a(i)", "more memory"),
        ("select error('\u2028 no')", "no"),
    ],
)
def test_a_statement_that_does_more_than_read_is_refused(kept: Kept, sql: str, says: str) -> None:
    timeline = kept.timeline()
    timeline.add(some())
    with pytest.raises(FtlError, match=says) as caught:
        table(timeline, sql)
    assert caught.value.slug == "timeline-query"
    assert "calls, " in caught.value.hint
    assert len(table(timeline, "from logs")) == 10


def test_a_statement_ends_when_its_caller_goes(kept: Kept) -> None:
    timeline = kept.timeline()
    timeline.add(some())
    timeline.settle()
    assert timeline.keeper is not None
    stops: list[Callable[[], None]] = []
    pieces = read(timeline.keeper.archive, "select i from range(10000000000) a(i)", stops.append)
    next(pieces)
    stops[0]()
    with pytest.raises(FtlError, match="took longer"):
        list(pieces)
