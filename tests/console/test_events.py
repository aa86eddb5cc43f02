"""Filters of the timeline as a statement, and an answer as a table, a frame and text."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from ftl_nb.console.events import Answer, Wanted
from ftl_nb.errors import FtlError
from ftl_nb.magics.arguments import Parser
from ftl_nb.magics.timeline import read, show_words
from ftl_nb.rpc import timeline_pb2
from ftl_nb.services.timeline import Archive, Keeper, Timeline
from ftl_nb.services.timeline.reading import read as answers

Entry = timeline_pb2.CreateEventsRequest.EventEntry


def entry(kind: str, **fields: object) -> Entry:
    made = Entry(**{kind: fields})  # type: ignore[arg-type]
    made.timestamp.GetCurrentTime()
    return made


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("timeline")
    keeper = Keeper(Archive(folder, 1000, 2**30, print), print, first=0.0)
    timeline = Timeline(keeper)
    timeline.add([entry("call", destination_verb_ref={"module": "shop", "name": "payBill"}, request_key="req-'1")])
    timeline.add([entry("call", destination_verb_ref={"module": "stock", "name": "take"}, error="none left")])
    timeline.add([entry("log", message="careful", log_level=13, attributes={"module": "shop", "verb": "shop.payBill"})])
    timeline.add([entry("log", message="details", log_level=5, attributes={"module": "shop"})])
    timeline.add([entry("lease", lease="shop/reindex", action="acquired", token=3)])
    timeline.settle()
    yield lambda sql: Answer(b"".join(answers(keeper.archive, sql, lambda stop: None)))
    keeper.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), ["call", "call", "log", "log", "lease"]),
        (Wanted(limit=2), ["log", "lease"]),
        (Wanted(types=("call", "lease")), ["call", "call", "lease"]),
        (Wanted(verb="shop"), ["call", "log", "log"]),
        (Wanted(verb="shop.pay_bill"), ["call", "log"]),
        (Wanted(request="req-'1"), ["call"]),
        (Wanted(level="warn", types=("log",)), ["log"]),
        (Wanted(errors=True), ["call"]),
        (Wanted(since="1h", verb="stock"), ["call"]),
        (Wanted(since="0s"), []),
    ],
    ids=str,
)
def test_filters_find(ask: Callable[[str], Answer], wanted: Wanted, found: list[str]) -> None:
    assert [row[1] for row in ask(wanted.sql()).rows()] == found


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(types=("calls",)), "'calls' is none of log, call"),
        (Wanted(level="loud"), "'loud' is none of trace"),
        (Wanted(since="ten minutes"), "no span of time"),
    ],
)
def test_a_filter_that_is_none_is_refused(wanted: Wanted, says: str) -> None:
    with pytest.raises(FtlError, match=says):
        wanted.sql()


def test_an_answer_is_a_table_a_frame_rows_and_text(ask: Callable[[str], Answer]) -> None:
    answer = ask("select lease, action, token, true as open from leases")
    assert answer.arrow().num_rows == len(answer) == 1
    assert answer.df()["token"].tolist() == [3]
    assert answer.rows() == [("shop/reindex", "acquired", 3, True)]
    assert str(answer) == "lease         action    token  open\nshop/reindex  acquired  3      True"
    assert "<td>shop/reindex</td>" in str(answer.html())
    assert str(ask("select 1 as one where false")) == "no rows"


def test_what_is_long_or_unprintable_does_not_break_the_table() -> None:
    table = pyarrow.table(
        {"text": pyarrow.array(["a\x1b[2J\nb", "x" * 70_000] + ["y"] * 100), "n": [0.123456789] * 102}
    )
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    text = str(Answer(sink.getvalue()))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 80
    assert text.endswith("… 52 more rows")
    assert "0.123457" in text


def test_times_are_shown_in_the_zone_that_the_statement_gives(ask: Callable[[str], Answer]) -> None:
    ((started,),) = ask("select max(started) from events").rows()
    assert abs((datetime.now(UTC) - started).total_seconds()) < 600


@pytest.mark.parametrize(
    ("line", "sql", "verb"),
    [
        ("--sql select 'a  b' as x, \"y\" from calls", "select 'a  b' as x, \"y\" from calls", ""),
        ("shop.pay --limit 3", "", "shop.pay"),
        ("", "", ""),
    ],
)
def test_a_statement_on_a_magics_line_is_taken_as_it_stands(line: str, sql: str, verb: str) -> None:
    parser = Parser("%ftl timeline", "")
    show_words(parser)
    words = read(parser, line)
    assert (words.sql, words.verb) == (sql, verb)
