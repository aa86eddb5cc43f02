"""The admin service: what clients may ask of configuration, schema and logs, with the RPCs of the public protocol."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import suppress

from ftl_nb import schema
from ftl_nb.errors import fail
from ftl_nb.rpc import Context, Identity, admin_pb2, deploymentcontext_pb2, peer, timeline_pb2, workspace_pb2
from ftl_nb.rpc.services import AdminService, DeploymentContextService, RunnerService, Served
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema.names import camel
from ftl_nb.services.access import CLIENTS, PROCESSES, only, ping
from ftl_nb.services.deployments import Records
from ftl_nb.services.plane import Plane
from ftl_nb.services.timeline import TimelineServer

_IN_FORCE_MS = 2000


class Configs:
    """Config values in the store, and the streams that bring them to running verbs."""

    def __init__(self, records: Records, plane: Plane) -> None:
        import threading

        self._records = records
        self._plane = plane
        self._changed = threading.Condition()
        self._version = 0

    def get(self, request: admin_pb2.ConfigGetRequest, context: Context) -> admin_pb2.ConfigGetResponse:
        module, name = request.ref.module, camel(request.ref.name)
        found = self._records.configs(module).get(name)
        if found is None:
            raise fail("config-missing", name=f"{module}.{request.ref.name}" if module else request.ref.name)
        return admin_pb2.ConfigGetResponse(value=found)

    def set(self, request: admin_pb2.ConfigSetRequest, context: Context) -> admin_pb2.ConfigSetResponse:
        self._check(request.ref.module, request.ref.name, request.value)
        self._put(request.ref, request.value)
        return admin_pb2.ConfigSetResponse()

    def unset(self, request: admin_pb2.ConfigUnsetRequest, context: Context) -> admin_pb2.ConfigUnsetResponse:
        self._put(request.ref, None)
        return admin_pb2.ConfigUnsetResponse()

    def _put(self, ref: admin_pb2.ConfigRef, value: bytes | None) -> None:
        self._records.set_config(ref.module, camel(ref.name), value)
        with self._changed:
            self._version += 1
            self._changed.notify_all()
        for name in [ref.module] if ref.module else sorted(self._plane.truth.deployments):
            self._await_runner(name)

    def _await_runner(self, module: str) -> None:
        """The caller's next call sees the new value; a runner that is away will start with it."""
        deployment = self._plane.truth.deployment(module)
        endpoint = self._plane.truth.endpoint(deployment.key) if deployment is not None else ""
        if not endpoint:
            return
        request = workspace_pb2.AwaitConfigRequest(configs=self._records.configs(module), bound_ms=_IN_FORCE_MS)
        channel = self._plane.channels.to(endpoint, Identity.module(module, self._plane.realm))
        with suppress(grpc.RpcError):  # It died meanwhile: the next one starts with the value.
            RunnerService.await_config.on(channel)(request, timeout=_IN_FORCE_MS / 1000 + 1)

    def _check(self, module: str, name: str, value: bytes) -> None:
        """A value for a declared config is checked against its type before it is kept."""
        from ftl_nb.binding.classes import annotation_of
        from ftl_nb.schema.json import JsonError, codec

        deployment = self._plane.truth.deployment(module) if module else None
        decls = deployment.module.decls if deployment is not None else ()
        declared = next((d for d in decls if isinstance(d, schema.Config) and d.name == camel(name)), None)
        if declared is None:
            return
        try:
            codec(annotation_of(declared.type, self._classes)).decode(value)
        except JsonError as e:
            raise fail("config-invalid", name=f"{module}.{name}", type=str(declared.type), detail=str(e)) from None

    def _classes(self, module: str) -> object:
        from types import SimpleNamespace

        from ftl_nb.binding.classes import classes_of

        deployment = self._plane.truth.deployment(module)
        return SimpleNamespace(**classes_of(deployment.module, self._classes)) if deployment else SimpleNamespace()

    def list(self, request: admin_pb2.ConfigListRequest, context: Context) -> admin_pb2.ConfigListResponse:
        response = admin_pb2.ConfigListResponse()
        for path, value in sorted(self._records.all_configs().items()):
            module, _, name = path.partition("/")
            if request.module and module != request.module:
                continue
            shown = value if request.include_values else None
            response.configs.add(ref_path=name if module == "_" else f"{module}.{name}", value=shown)
        return response

    def follow(
        self, request: deploymentcontext_pb2.GetDeploymentContextRequest, context: Context
    ) -> Iterator[deploymentcontext_pb2.GetDeploymentContextResponse]:
        """The context of the calling module's deployment, and again after every change."""
        module = peer(context).names[0]
        context.add_callback(self._wake)
        while context.is_active():
            seen = self._version
            yield deploymentcontext_pb2.GetDeploymentContextResponse(
                module=module, deployment=request.deployment, configs=self._records.configs(module)
            )
            self._wait_beyond(seen, context)

    def _wait_beyond(self, seen: int, context: Context) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._version > seen or not context.is_active())

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Admin:
    """The facade that clients see; it keeps nothing of its own."""

    def __init__(self, plane: Plane, configs: Configs, timeline: TimelineServer) -> None:
        self._plane = plane
        self._configs = configs
        self._timeline = timeline

    def stream_logs(
        self, request: admin_pb2.StreamLogsRequest, context: Context
    ) -> Iterator[admin_pb2.StreamLogsResponse]:
        query = timeline_pb2.TimelineQuery()
        query.CopyFrom(request.query)
        query.filters.add().event_types.event_types.append(1)  # type: ignore[arg-type]
        for batch in self._timeline.stream(timeline_pb2.StreamTimelineRequest(query=query), context):
            yield admin_pb2.StreamLogsResponse(logs=[e.log for e in batch.events])

    def served_by(self) -> tuple[Served, ...]:
        a, truth = AdminService, self._plane.truth
        return (
            a.ping.served_by(only(CLIENTS, ping)),
            a.config_list.served_by(only(CLIENTS, self._configs.list)),
            a.config_get.served_by(only(CLIENTS, self._configs.get)),
            a.config_set.served_by(only(CLIENTS, self._configs.set)),
            a.config_unset.served_by(only(CLIENTS, self._configs.unset)),
            a.get_schema.served_by(only(CLIENTS, truth.get_schema)),
            a.pull_schema.served_by(only(CLIENTS, truth.pull_schema)),
            a.cluster_info.served_by(only(CLIENTS, self.cluster_info)),
            a.stream_logs.served_by(only(CLIENTS, self.stream_logs)),
            DeploymentContextService.ping.served_by(only(PROCESSES, ping)),
            DeploymentContextService.get_deployment_context.served_by(only(("module",), self._configs.follow)),
        )

    def cluster_info(self, request: admin_pb2.ClusterInfoRequest, context: Context) -> admin_pb2.ClusterInfoResponse:
        return admin_pb2.ClusterInfoResponse(os=sys.platform, arch=platform.machine())
