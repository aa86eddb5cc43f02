"""Cells, deployments and changes as the workspace's messages have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ftl_nb import schema
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.rpc import workspace_pb2
from ftl_nb.schema import schema_pb2
from ftl_nb.services.build import Result
from ftl_nb.services.deployments import Deployment
from ftl_nb.services.plane import Plane

#: Of a digest, as many digits as tell it from others.
_DIGEST = re.compile(r"\b(sha256:[0-9a-f]{8})[0-9a-f]{56}\b")
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def cell_of(message: workspace_pb2.Cell) -> Cell:
    return Cell(
        message.id,
        message.kind,  # type: ignore[arg-type]
        message.label,
        message.text,
        json.loads(message.options or "{}"),
        message.database,
        message.engine,
    )


def _source_message(source: ModuleSource) -> workspace_pb2.ModuleSource:
    cells = [
        workspace_pb2.Cell(
            id=c.id,
            kind=c.kind,
            label=c.label,
            text=c.text,
            options=json.dumps(dict(c.options)),
            database=c.database,
            engine=c.engine,
        )
        for c in source.cells
    ]
    return workspace_pb2.ModuleSource(name=source.name, cells=cells)


def deployed_message(plane: Plane, deployment: Deployment) -> workspace_pb2.Deployed:
    module: schema_pb2.Module = schema.to_proto(plane.truth.with_runtime(deployment))
    return workspace_pb2.Deployed(schema=module, source=_source_message(deployment.source))


def change_messages(difference: schema.Diff) -> Iterable[workspace_pb2.Change]:
    for change in difference.changes:
        yield workspace_pb2.Change(
            sign=_SIGNS[change.kind],
            kind=change.decl_kind,
            name=change.name,
            detail=_DIGEST.sub(r"\1", "; ".join(change.reasons)),
            module=change.module,
            breaking=change.breaking,
            breaks=map(schema.to_proto, change.breaks),
            requires=change.requires,
            unreadable=map(schema.to_proto, change.unreadable),
        )


def response_of(status: str, result: Result, cell: Cell, plane: Plane) -> workspace_pb2.DefineResponse:
    deployed = [deployed_message(plane, d) for d in result.deployed]
    return workspace_pb2.DefineResponse(
        status=status,
        changes=change_messages(result.difference),
        notes=result.notes,
        deployed=deployed,
        label=cell.label,
    )
