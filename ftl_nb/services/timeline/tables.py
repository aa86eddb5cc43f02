"""The archive's table, and the views that a person queries."""

from __future__ import annotations

from ftl_nb.services.timeline.rows import COLUMNS

STORED = "stored"
_STARTED = "make_timestamptz(started_ns // 1000) as started"
_REF = "concat_ws('.', nullif(module, ''), nullif(verb, '')) as verb, module"
_SPAN = "trace_id, span_id, parent_span_id"
_COMMON = f"id, {_STARTED}"
_ENDED = "duration, nullif(error, '') as error"
_BY = "request_key, deployment"
_BODIES = f"{_SPAN}, request, response"
_TOPIC = 'subject as topic, first_number as "partition", second_number as "offset"'

#: Name, columns, condition. Times are TIMESTAMPTZ, durations seconds.
_CALLS = (
    f"{_COMMON}, {_ENDED}, {_REF}, concat_ws('.', nullif(source_module, ''), nullif(source_verb, '')) as source, kind, "
    f"{_BY}, {_BODIES}, stack"
)
_VIEWS = (
    (
        "events",
        f"{_COMMON}, type, {_ENDED}, {_REF}, kind, level, {_BY}, changeset, {_SPAN}, subject, action, message",
        "true",
    ),
    ("calls", _CALLS, "type = 'call'"),
    ("statements", _CALLS, "type = 'call' and kind = 'sql'"),
    (
        "spans",
        f"{_COMMON}, type, {_ENDED}, {_REF}, kind, {_BY}, {_SPAN}",
        "span_id <> '' and type in ('call', 'ingress', 'cron_scheduled', 'pubsub_publish', 'pubsub_consume', 'stream')",
    ),
    ("logs", f"{_COMMON}, level, message, {_REF}, nullif(error, '') as error, {_BY}, changeset", "type = 'log'"),
    (
        "ingress",
        f"{_COMMON}, {_ENDED}, {_REF}, action as method, subject as path, first_number as status, {_BY}, {_BODIES}",
        "type = 'ingress'",
    ),
    ("cron", f"{_COMMON}, {_ENDED}, {_REF}, subject as schedule, deployment", "type = 'cron_scheduled'"),
    (
        "published",
        f"{_COMMON}, {_ENDED}, {_REF}, {_TOPIC}, {_BY}, {_SPAN}, request",
        "type = 'pubsub_publish'",
    ),
    (
        "consumed",
        f"{_COMMON}, {_ENDED}, {_REF}, {_TOPIC}, {_BY}, {_SPAN}",
        "type = 'pubsub_consume'",
    ),
    (
        "changesets",
        f"{_COMMON}, changeset, action as state, subject as modules, nullif(error, '') as error",
        "type in ('changeset_created', 'changeset_state_changed')",
    ),
    (
        "deployments",
        f"{_COMMON}, deployment, action as element, subject as name, changeset",
        "type = 'deployment_runtime'",
    ),
    (
        "streams",
        f"{_COMMON}, {_ENDED}, {_REF}, first_number as items, second_number as bytes, {_BY}, {_SPAN}",
        "type = 'stream'",
    ),
    (
        "secrets",
        f"{_COMMON}, subject as secret, action, accessor, nullif(error, '') as error, {_BY}",
        "type = 'secret_access'",
    ),
    (
        "leases",
        f"{_COMMON}, subject as lease, action, first_number as token, nullif(error, '') as error, {_BY}",
        "type = 'lease'",
    ),
)
VIEWS = tuple(name for name, _, _ in _VIEWS)


def statements() -> list[str]:
    """What makes the table and the views where they are not."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    views = [
        f"create or replace view {name} as select {what} from {STORED} where {where}" for name, what, where in _VIEWS
    ]
    return [f"create table if not exists {STORED} ({columns})", *views]


def insertion(source: str) -> str:
    """Puts the rows of an Arrow table in, whose messages are in base64, and what is empty is null."""
    return f"insert into {STORED} select {', '.join(map(_value, COLUMNS))} from {source}"


def _value(name: str) -> str:
    if name == "event":
        return f"from_base64({name})"
    return f"coalesce({name}, '')" if COLUMNS[name] == "varchar" and name != "module" else name
