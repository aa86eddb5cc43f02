"""The timeline: order of arrival, filters and paging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Thread

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ftl_nb.errors import FtlError
from ftl_nb.rpc import event_pb2, timeline_pb2
from ftl_nb.schema import schema_pb2
from ftl_nb.services.timeline import Timeline, TimelineServer

Entry = timeline_pb2.CreateEventsRequest.EventEntry
Filter = timeline_pb2.TimelineQuery.Filter
ASC, DESC = timeline_pb2.TimelineQuery.ORDER_ASC, timeline_pb2.TimelineQuery.ORDER_DESC


def log(at: int, text: str, *, level: int = 9, module: str = "shop", verb: str = "", key: str = "") -> Entry:
    entry = Entry(timestamp=Timestamp(seconds=at))
    entry.log.message, entry.log.log_level, entry.log.request_key = text, level, key
    entry.log.deployment_key = f"dpl-{module}"
    entry.log.attributes.update({"module": module, "verb": f"{module}.{verb}" if verb else ""})
    return entry


def call(at: int, to: str, *, source: str = "", key: str = "") -> Entry:
    entry = Entry(timestamp=Timestamp(seconds=at))
    module, _, name = to.partition(".")
    entry.call.destination_verb_ref.CopyFrom(schema_pb2.Ref(module=module, name=name))
    entry.call.request_key, entry.call.deployment_key = key, f"dpl-{module}"
    if source:
        caller, _, verb = source.partition(".")
        entry.call.source_verb_ref.CopyFrom(schema_pb2.Ref(module=caller, name=verb))
    return entry


def changeset(at: int, key: str) -> Entry:
    entry = Entry(timestamp=Timestamp(seconds=at))
    entry.changeset_created.key = key
    return entry


def filled() -> Timeline:
    """Ids 0 to 6."""
    timeline = Timeline()
    timeline.add(
        [
            log(10, "starting", level=5),
            call(11, "shop.checkout", key="req-1"),
            call(12, "stock.take", source="shop.checkout", key="req-1"),
            log(13, "low stock", level=13, module="stock", verb="take", key="req-1"),
            changeset(14, "chs-1"),
            call(15, "shop.refund", key="req-2"),
            log(16, "refunded", verb="refund", key="req-2"),
        ]
    )
    return timeline


def ids(timeline: Timeline, *filters: Filter, limit: int = 100, order: int = ASC) -> list[int]:
    query = timeline_pb2.TimelineQuery(filters=filters, limit=limit, order=order)  # type: ignore[arg-type]
    return [event.id for event in timeline.select(query)[0]]


def test_a_batch_is_numbered_in_the_order_of_its_timestamps() -> None:
    timeline = Timeline()
    timeline.add([log(3, "late"), log(1, "early")])
    timeline.add([log(2, "after")])
    events, _ = timeline.select(timeline_pb2.TimelineQuery(limit=9))
    assert [(e.id, e.log.message) for e in events] == [(0, "early"), (1, "late"), (2, "after")]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], [0, 1, 2, 3, 4, 5, 6]),
        ([Filter(log_level=timeline_pb2.TimelineQuery.LogLevelFilter(log_level=13))], [1, 2, 3, 4, 5]),  # type: ignore[arg-type]
        ([Filter(deployments=timeline_pb2.TimelineQuery.DeploymentFilter(deployments=["dpl-stock"]))], [2, 3, 4]),
        ([Filter(requests=timeline_pb2.TimelineQuery.RequestFilter(requests=["req-2"]))], [5, 6]),
        ([Filter(event_types=timeline_pb2.TimelineQuery.EventTypeFilter(event_types=[1, 8]))], [0, 3, 4, 6]),  # type: ignore[list-item]
        ([Filter(changesets=timeline_pb2.TimelineQuery.ChangesetFilter(changesets=["chs-1"]))], [4]),
        ([Filter(time=timeline_pb2.TimelineQuery.TimeFilter(newer_than=Timestamp(seconds=15)))], [5, 6]),
        ([Filter(time=timeline_pb2.TimelineQuery.TimeFilter(older_than=Timestamp(seconds=11)))], [0, 1]),
        ([Filter(id=timeline_pb2.TimelineQuery.IDFilter(lower_than=4, higher_than=2))], [2, 3, 4]),
        ([Filter(call=timeline_pb2.TimelineQuery.CallFilter(dest_module="shop"))], [0, 1, 3, 4, 5, 6]),
        ([Filter(call=timeline_pb2.TimelineQuery.CallFilter(dest_module="shop", dest_verb="refund"))], [0, 3, 4, 5, 6]),
        (
            [Filter(call=timeline_pb2.TimelineQuery.CallFilter(dest_module="stock", source_module="shop"))],
            [0, 2, 3, 4, 6],
        ),
        ([Filter(module=timeline_pb2.TimelineQuery.ModuleFilter(module="stock"))], [2, 3]),
        ([Filter(module=timeline_pb2.TimelineQuery.ModuleFilter(module="shop", verb="refund"))], [5, 6]),
    ],
    ids=str,
)
def test_filters(filters: Sequence[Filter], found: Sequence[int]) -> None:
    assert ids(filled(), *filters) == found


def test_filters_of_one_kind_are_alternatives_and_different_kinds_must_all_hold() -> None:
    shop = Filter(module=timeline_pb2.TimelineQuery.ModuleFilter(module="shop"))
    stock = Filter(module=timeline_pb2.TimelineQuery.ModuleFilter(module="stock"))
    calls = Filter(event_types=timeline_pb2.TimelineQuery.EventTypeFilter(event_types=[2]))  # type: ignore[list-item]
    assert ids(filled(), shop, stock) == [0, 1, 2, 3, 5, 6]
    assert ids(filled(), shop, stock, calls) == [1, 2, 5]


def pages(timeline: Timeline, order: int, bound: str) -> Iterable[list[int]]:
    """Every page of three, the next one asked for with the cursor as an id filter."""
    cursor: int | None = None
    while True:
        query = timeline_pb2.TimelineQuery(limit=3, order=order)  # type: ignore[arg-type]
        if cursor is not None:
            query.filters.add(id=timeline_pb2.TimelineQuery.IDFilter(**{bound: cursor}))
        events, cursor = timeline.select(query)
        yield [e.id for e in events]
        if cursor is None:
            return


def test_the_cursor_is_the_first_event_that_was_not_given() -> None:
    assert list(pages(filled(), ASC, "higher_than")) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(pages(filled(), DESC, "lower_than")) == [[6, 5, 4], [3, 2, 1], [0]]


def test_a_query_needs_a_limit() -> None:
    with pytest.raises(FtlError, match="limit above 0"):
        filled().select(timeline_pb2.TimelineQuery())


def test_only_the_newest_are_kept_under_their_own_ids() -> None:
    timeline = Timeline(kept=2)
    timeline.add([log(n, str(n)) for n in range(5)])
    assert ids(timeline) == [3, 4]
    assert timeline.last == 4


class Peer:
    """A call whose peer goes when `leave` is called."""

    def __init__(self) -> None:
        self.active = True

    def add_callback(self, callback: object) -> bool:
        self.callback = callback
        return True

    def is_active(self) -> bool:
        return self.active


def test_a_stream_gives_the_newest_in_order_and_then_what_comes() -> None:
    timeline, peer = filled(), Peer()
    request = timeline_pb2.StreamTimelineRequest(query=timeline_pb2.TimelineQuery(limit=2))
    stream = TimelineServer(timeline, lambda: 0.0).stream(request, peer)  # type: ignore[arg-type]
    assert [e.id for e in next(stream).events] == [5, 6]
    adding = Thread(target=lambda: timeline.add([log(20, "new")]))
    adding.start()
    assert [e.log.message for e in next(stream).events] == ["new"]
    adding.join()
    peer.active = False
    assert next(stream, None) is None


def test_old_events_of_one_type_are_deleted() -> None:
    timeline = filled()
    server = TimelineServer(timeline, lambda: 20.0)
    request = timeline_pb2.DeleteOldEventsRequest(event_type=event_pb2.EventType.EVENT_TYPE_CALL, age_seconds=7)
    assert server.delete(request, Peer()).deleted_count == 2  # type: ignore[arg-type]
    assert ids(timeline) == [0, 3, 4, 5, 6]
