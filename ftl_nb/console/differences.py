"""Differences of schemas as the cluster tells of them."""

from __future__ import annotations

from ftl_nb import schema
from ftl_nb.rpc import workspace_pb2

_KINDS = {"+": "added", "-": "removed", "~": "changed"}


def change_of(change: workspace_pb2.Change) -> schema.Change:
    """One difference, with what follows from it."""
    breaks, unreadable = (tuple(map(schema.from_proto, found)) for found in (change.breaks, change.unreadable))
    return schema.Change(
        _KINDS[change.sign],  # type: ignore[arg-type]
        change.module,
        change.name,
        change.kind,
        change.breaking,
        tuple(change.detail.split("; ")) if change.detail else (),
        breaks,
        tuple(change.requires),
        unreadable,
    )
