"""Questions to the timeline: a statement over its tables, or filters that make one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ftl_nb.binding import dispatch
from ftl_nb.errors import fail
from ftl_nb.schema.names import camel
from ftl_nb.widgets import Display, Rows

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ftl_nb.client import Session
    from ftl_nb.widgets.html import Element

LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17}
TYPES = (
    *("log", "call", "ingress", "cron_scheduled", "pubsub_publish", "pubsub_consume", "changeset_created"),
    *("changeset_state_changed", "deployment_runtime", "stream", "secret_access", "lease"),
)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SHOWN = (
    "started, type, verb, round(duration * 1000, 3) as ms, "
    "coalesce(error, nullif(message, ''), nullif(concat_ws(' ', nullif(action, ''), nullif(subject, '')), '')) as says,"
    " request_key"
)


class Answer(Display):
    """The rows of a statement: `.df()`, `.arrow()`, `.rows()`; shown as a table."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    @cached_property
    def _table(self) -> Any:
        import pyarrow

        return pyarrow.ipc.open_stream(self._stream).read_all()

    def arrow(self) -> pa.Table:
        """All rows."""
        return self._table

    def df(self) -> pd.DataFrame:
        """All rows."""
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as Python values."""
        columns = [column.to_pylist() for column in self._table.columns]
        return list(zip(*columns, strict=True))

    def __len__(self) -> int:
        count: int = self._table.num_rows
        return count

    def _view(self) -> Rows:
        from ftl_nb.widgets.rows import ROWS_SHOWN

        shown = Answer(b"")
        shown.__dict__["_table"] = self._table.slice(0, ROWS_SHOWN)
        texts = tuple(tuple(map(_text, row)) for row in shown.rows())
        return Rows(tuple(self._table.column_names), texts, len(self))

    def plain(self) -> str:
        return self._view().plain()

    def html(self) -> Element:
        return self._view().html()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    # What is longer than a cell shows is not measured.
    return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3] if isinstance(value, datetime) else str(value)[:200]


def timeline(sql: str) -> Answer:
    """What a SELECT finds in the timeline of the cluster that this process uses: tables calls, logs, spans, events …

    Durations are seconds, times TIMESTAMPTZ. Raises FtlError `timeline-query`.
    """
    from ftl_nb.client import Session

    session = dispatch.connected()
    if not isinstance(session, Session):
        raise fail("usage", detail="A verb cannot read the timeline", hint_text="ask from a notebook or a script")
    return ask(session, sql)


def ask(session: Session, sql: str) -> Answer:
    """The same, of one session's cluster, once the session's last call is on the timeline whole."""
    from ftl_nb.rpc import workspace_pb2
    from ftl_nb.rpc.services import WorkspaceService

    last = session.last
    if last.request_key:
        request = workspace_pb2.TraceRequest(request_key=last.request_key, recorded=last.recorded)
        session.ask(WorkspaceService.trace, request)
    return Answer(session.query_timeline(sql))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of events; what is empty does not filter. `since` is a span such as 90s, 10m, 2h."""

    types: Sequence[str] = ()
    verb: str = ""
    request: str = ""
    level: str = ""
    since: str = ""
    errors: bool = False
    limit: int = 50

    def sql(self) -> str:
        """The newest events that pass all filters, oldest first. Raises FtlError `usage`."""
        where = " and ".join(self._conditions()) or "true"
        newest = f"select id, {_SHOWN} from events where {where} order by id desc limit {max(1, self.limit)}"
        return f"select * exclude (id) from ({newest}) order by id"

    def _conditions(self) -> list[str]:
        found = []
        if self.types:
            found.append(f"type in ({', '.join(_quoted(_known(t, TYPES)) for t in self.types)})")
        if self.verb:
            module, _, name = self.verb.partition(".")
            found.append(f"module = {_quoted(module)}")
            found += [f"verb = {_quoted(f'{module}.{camel(name)}')}"] if name else []
        if self.request:
            found.append(f"request_key = {_quoted(self.request)}")
        if self.level:
            found.append(f"(type <> 'log' or level >= {LEVELS[_known(self.level, tuple(LEVELS))]})")
        if self.since:
            found.append(f"started >= now() - to_seconds({_seconds(self.since)})")
        return [*found, "error is not null"] if self.errors else found


def _known(word: str, words: Sequence[str]) -> str:
    if word in words:
        return word
    from ftl_nb.rpc.hints import near

    raise fail("usage", detail=f"{word!r} is none of {', '.join(words)}", hint_text=near(word, list(words)))


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise fail("usage", detail=f"{text!r} is no span of time", hint_text="write 90s, 10m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
