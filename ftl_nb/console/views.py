"""What the control plane answers, as views."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from ftl_nb import schema
from ftl_nb.console.differences import change_of
from ftl_nb.errors import FtlError
from ftl_nb.rpc import event_pb2, workspace_pb2
from ftl_nb.widgets import Changesets, LogLine, Logs, ModuleStatus, PastChange, Plan, Span, Status, Trace, decl_counts

_LEVELS = {1: "trace", 5: "debug", 9: "info", 13: "warn", 17: "error"}


def trace_view(response: workspace_pb2.TraceResponse, modules: Iterable[schema.Module], *, stable: bool) -> Trace:
    """The calls of one request, with what each wrote."""
    queries = {f"{m.name}.{d.name}": text for m in modules for d in m.decls if (text := _query(d))}
    events = list(response.events)
    logs = [e.log for e in events if e.WhichOneof("entry") == "log"]
    calls = [e.call for e in events if e.WhichOneof("entry") == "call"]
    streams = [e.stream for e in events if e.WhichOneof("entry") == "stream"]
    spans = [_span(call, queries, _lines_of(call.span_id, logs)) for call in calls]
    spans += [_stream_span(stream, _lines_of(stream.span_id, logs)) for stream in streams]
    return Trace(response.request_key, tuple(spans), stable)


def _lines_of(span: str, logs: Iterable[event_pb2.LogEvent]) -> tuple[LogLine, ...]:
    return tuple(log_line(log) for log in logs if log.attributes["span"] == span)


def _stream_span(stream: event_pb2.StreamEvent, logs: tuple[LogLine, ...]) -> Span:
    return Span(
        id=stream.span_id,
        parent_id=stream.parent_span_id,
        verb=f"{stream.verb_ref.module}.{stream.verb_ref.name}",
        kind="stream",
        start=stream.timestamp.ToNanoseconds() / 1e9,
        duration=stream.duration.ToNanoseconds() / 1e9,
        error=stream.error,
        deployment=stream.deployment_key,
        logs=logs,
        rows=stream.items,
        nbytes=stream.bytes,
    )


def _query(decl: schema.Decl) -> str:
    if not isinstance(decl, schema.Verb):
        return ""
    return next((m.query for m in decl.metadata if isinstance(m, schema.MetadataSQLQuery)), "")


def _verb(call: event_pb2.CallEvent) -> str:
    return f"{call.destination_verb_ref.module}.{call.destination_verb_ref.name}"


def _span(call: event_pb2.CallEvent, queries: dict[str, str], logs: tuple[LogLine, ...]) -> Span:
    verb = _verb(call)
    raw = call.kind == "sql" and verb not in queries
    return Span(
        id=call.span_id,
        parent_id=call.parent_span_id,
        verb=verb,
        kind=call.kind or "verb",  # type: ignore[arg-type]
        start=call.timestamp.ToNanoseconds() / 1e9,
        duration=call.duration.ToNanoseconds() / 1e9,
        request="" if raw else call.request,
        response=call.response,
        error=call.error,
        stack=call.stack,
        deployment=call.deployment_key,
        logs=logs,
        sql=call.request if raw else queries.get(verb, ""),
    )


def status_view(
    response: workspace_pb2.StatusResponse, modules: Iterable[schema.Module], run_here: Collection[str], own: str = ""
) -> Status:
    """Every module; `run_here` are those this session has defined or seen defined, `own` is this notebook's name."""
    known = {m.name: m for m in modules}
    # What is pending alone was run just now, and only a notebook has cells to run.
    here = {m.name for m in response.modules if m.name in run_here or not m.deployment or not own}
    rows = tuple(_module_status(m, known.get(m.name), m.name in here, own) for m in response.modules)
    pending = [f"{m.name}: {', '.join(m.pending)} pending (see %ftl plan)" for m in response.modules if m.pending]
    return Status(rows, tuple(pending))


def _module_status(
    status: workspace_pb2.ModuleStatus, module: schema.Module | None, run_here: bool, own: str
) -> ModuleStatus:
    word = "pending" if status.pending else "deployed"
    counts = decl_counts(module) if module is not None else ()
    return ModuleStatus(status.name, word, status.state, counts, _owner(status.owner, own), run_here)


def _owner(owner: str, own: str) -> str:
    return "this notebook" if own and owner == own else owner


def plan_view(response: workspace_pb2.PlanResponse) -> Plan:
    """What is pending and what it would change."""
    notes = [f"pending: {', '.join(response.pending) or 'nothing'}", *response.notes]
    if response.error:
        notes.append(str(FtlError.from_dict(json.loads(response.error))))
    empty = "no declaration would change" if response.pending else "nothing would change"
    return Plan(schema.Diff(tuple(map(change_of, response.changes))), tuple(notes), empty=empty)


def moved_view(done: str, changes: Iterable[workspace_pb2.Change], notes: Iterable[str]) -> Plan:
    """What has moved."""
    return Plan(schema.Diff(tuple(map(change_of, changes))), tuple(notes), done)


def changesets_view(response: workspace_pb2.ChangesetsResponse, own: str = "", *, stable: bool) -> Changesets:
    """The newest changesets, newest first; `own` is this notebook's name."""
    return Changesets(tuple(_past(past, own) for past in response.changesets), stable)


def _past(past: workspace_pb2.PastChangeset, own: str) -> PastChange:
    names = (*past.modules, *(f"-{name}" for name in past.removed))
    took = (past.ended - past.created) / 1e9 if past.ended else None
    note = past.error or (f"forced on {', '.join(past.forced)}" if past.forced else "")
    return PastChange(
        past.key,
        past.state,
        names,
        _owner(past.owner, own),
        datetime.fromtimestamp(past.created / 1e9, UTC),
        took,
        note,
    )


def logs_view(response: workspace_pb2.LogsResponse) -> Logs:
    """Log lines, oldest first."""
    return Logs(tuple(log_line(log) for log in response.logs))


def log_line(log: event_pb2.LogEvent) -> LogLine:
    source = log.attributes.get("verb") or log.attributes.get("module", "")
    when = datetime.fromtimestamp(log.timestamp.ToNanoseconds() / 1e9, UTC)
    return LogLine(_LEVELS.get(log.log_level, "info"), log.message, source, when)
