"""Every service, described once as data; server handlers and client callables are both made from it.

A server: `serve(handlers(VerbService.call.served_by(call), VerbService.ping.served_by(ping)), …)`.
A client: `VerbService.call.on(channel)(request, timeout=2.0, metadata=context.to_metadata())`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar, cast

from google.protobuf.message import Message

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import (
    admin_pb2,
    deploymentcontext_pb2,
    ftl_pb2,
    lease_pb2,
    schemaservice_pb2,
    timeline_pb2,
    verb_pb2,
    workspace_pb2,
)
from ftl_nb.rpc.failures import abort
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import (
    BothStreamCall,
    Channel,
    ClientStreamCall,
    Context,
    FrameCall,
    Handler,
    MethodHandler,
    ServerStreamCall,
    UnaryCall,
)

Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)


@dataclass(frozen=True, slots=True)
class Served:
    """One method and what serves it."""

    service: str
    name: str
    handler: MethodHandler


@dataclass(frozen=True, slots=True)
class Method(Generic[Req, Res]):
    service: str
    name: str
    request: type[Req]
    response: type[Res]

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    def _codec(self) -> dict[str, Any]:
        return {
            "request_serializer": self.request.SerializeToString,
            "response_deserializer": self.response.FromString,
        }

    def _served(self, make: Callable[..., MethodHandler], serve: Callable[..., object]) -> Served:
        handler = make(
            serve,
            request_deserializer=self.request.FromString,
            response_serializer=self.response.SerializeToString,
        )
        return Served(self.service, self.name, handler)


@dataclass(frozen=True, slots=True)
class Unary(Method[Req, Res]):
    def on(self, channel: Channel) -> UnaryCall[Req, Res]:
        return cast("UnaryCall[Req, Res]", channel.unary_unary(self.path, **self._codec()))

    def served_by(self, serve: Callable[[Req, Context], Res]) -> Served:
        """An FtlError that `serve` raises reaches the caller as itself."""
        return self._served(grpc.unary_unary_rpc_method_handler, _failing(serve))


@dataclass(frozen=True, slots=True)
class ServerStream(Method[Req, Res]):
    def on(self, channel: Channel) -> ServerStreamCall[Req, Res]:
        return cast("ServerStreamCall[Req, Res]", channel.unary_stream(self.path, **self._codec()))

    def served_by(self, serve: Callable[[Req, Context], Iterable[Res]]) -> Served:
        return self._served(grpc.unary_stream_rpc_method_handler, _failing_stream(serve))


@dataclass(frozen=True, slots=True)
class ClientStream(Method[Req, Res]):
    def on(self, channel: Channel) -> ClientStreamCall[Req, Res]:
        return cast("ClientStreamCall[Req, Res]", channel.stream_unary(self.path, **self._codec()))

    def served_by(self, serve: Callable[[Iterator[Req], Context], Res]) -> Served:
        return self._served(grpc.stream_unary_rpc_method_handler, _failing(serve))


@dataclass(frozen=True, slots=True)
class BothStream(Method[Req, Res]):
    def on(self, channel: Channel) -> BothStreamCall[Req, Res]:
        return cast("BothStreamCall[Req, Res]", channel.stream_stream(self.path, **self._codec()))

    def served_by(self, serve: Callable[[Iterator[Req], Context], Iterable[Res]]) -> Served:
        return self._served(grpc.stream_stream_rpc_method_handler, _failing_stream(serve))


@dataclass(frozen=True, slots=True)
class FrameStream:
    """Both ways, in byte strings: gRPC's messages as they are, so that nothing is copied once more."""

    service: str
    name: str

    def on(self, channel: Channel) -> FrameCall:
        return cast("FrameCall", channel.stream_stream(f"/{self.service}/{self.name}"))

    def served_by(self, serve: Callable[[Iterator[bytes], Context], Iterable[bytes]]) -> Served:
        return Served(self.service, self.name, grpc.stream_stream_rpc_method_handler(_failing_stream(serve)))


def handlers(*served: Served) -> tuple[Handler, ...]:
    """What `serve` takes: one handler a service. A method that is not served answers UNIMPLEMENTED."""
    services: dict[str, dict[str, MethodHandler]] = {}
    for method in served:
        services.setdefault(method.service, {})[method.name] = method.handler
    return tuple(grpc.method_handlers_generic_handler(name, methods) for name, methods in services.items())


def _failing(serve: Callable[[Any, Context], Res]) -> Callable[[Any, Context], Res]:
    @wraps(serve)
    def served(request: Any, context: Context) -> Res:
        try:
            return serve(request, context)
        except FtlError as error:
            abort(context, error)
        except OSError as error:
            abort(context, _of_the_disk(error))

    return served


def _of_the_disk(error: OSError) -> FtlError:
    """A full disk is met wherever something is written. Raises any other error again."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return fail("disk-full", folder=error.filename or "The cluster's folder", detail=os.strerror(error.errno))


def _failing_stream(serve: Callable[[Any, Context], Iterable[Any]]) -> Callable[[Any, Context], Iterator[Any]]:
    @wraps(serve)
    def served(request: Any, context: Context) -> Iterator[Any]:
        try:
            yield from serve(request, context)
        except FtlError as error:
            abort(context, error)

    return served


_VERB = "xyz.block.ftl.v1.VerbService"
_SCHEMA = "xyz.block.ftl.v1.SchemaService"
_MIRROR = "xyz.block.ftl.v1.SchemaMirrorService"
_CONTEXT = "xyz.block.ftl.v1.DeploymentContextService"
_TIMELINE = "xyz.block.ftl.timeline.v1.TimelineService"
_LEASE = "xyz.block.ftl.lease.v1.LeaseService"
_ADMIN = "xyz.block.ftl.admin.v1.AdminService"
_WORKSPACE = "ftl_nb.v1.WorkspaceService"
_REGISTRY = "ftl_nb.v1.RegistryService"
_RUNNER = "ftl_nb.v1.RunnerService"
_DATABASE = "ftl_nb.v1.DatabaseService"
_STREAM = "ftl_nb.v1.StreamService"


def _ping(service: str) -> Unary[ftl_pb2.PingRequest, ftl_pb2.PingResponse]:
    return Unary(service, "Ping", ftl_pb2.PingRequest, ftl_pb2.PingResponse)


class VerbService:
    ping = _ping(_VERB)
    call = Unary(_VERB, "Call", verb_pb2.CallRequest, verb_pb2.CallResponse)


class StreamService:
    """Verbs whose request or response is a stream; see `frames`."""

    call = FrameStream(_STREAM, "Call")


class SchemaService:
    ping = _ping(_SCHEMA)
    get_schema = Unary(_SCHEMA, "GetSchema", schemaservice_pb2.GetSchemaRequest, schemaservice_pb2.GetSchemaResponse)
    pull_schema = ServerStream(
        _SCHEMA, "PullSchema", schemaservice_pb2.PullSchemaRequest, schemaservice_pb2.PullSchemaResponse
    )
    update_deployment_runtime = Unary(
        _SCHEMA,
        "UpdateDeploymentRuntime",
        schemaservice_pb2.UpdateDeploymentRuntimeRequest,
        schemaservice_pb2.UpdateDeploymentRuntimeResponse,
    )
    get_deployments = Unary(
        _SCHEMA, "GetDeployments", schemaservice_pb2.GetDeploymentsRequest, schemaservice_pb2.GetDeploymentsResponse
    )
    create_changeset = Unary(
        _SCHEMA, "CreateChangeset", schemaservice_pb2.CreateChangesetRequest, schemaservice_pb2.CreateChangesetResponse
    )
    prepare_changeset = Unary(
        _SCHEMA,
        "PrepareChangeset",
        schemaservice_pb2.PrepareChangesetRequest,
        schemaservice_pb2.PrepareChangesetResponse,
    )
    commit_changeset = Unary(
        _SCHEMA, "CommitChangeset", schemaservice_pb2.CommitChangesetRequest, schemaservice_pb2.CommitChangesetResponse
    )
    drain_changeset = Unary(
        _SCHEMA, "DrainChangeset", schemaservice_pb2.DrainChangesetRequest, schemaservice_pb2.DrainChangesetResponse
    )
    finalize_changeset = Unary(
        _SCHEMA,
        "FinalizeChangeset",
        schemaservice_pb2.FinalizeChangesetRequest,
        schemaservice_pb2.FinalizeChangesetResponse,
    )
    rollback_changeset = Unary(
        _SCHEMA,
        "RollbackChangeset",
        schemaservice_pb2.RollbackChangesetRequest,
        schemaservice_pb2.RollbackChangesetResponse,
    )
    fail_changeset = Unary(
        _SCHEMA, "FailChangeset", schemaservice_pb2.FailChangesetRequest, schemaservice_pb2.FailChangesetResponse
    )
    get_deployment = Unary(
        _SCHEMA, "GetDeployment", schemaservice_pb2.GetDeploymentRequest, schemaservice_pb2.GetDeploymentResponse
    )


class SchemaMirrorService:
    ping = _ping(_MIRROR)
    push_schema = ClientStream(
        _MIRROR, "PushSchema", schemaservice_pb2.PushSchemaRequest, schemaservice_pb2.PushSchemaResponse
    )


class DeploymentContextService:
    ping = _ping(_CONTEXT)
    get_deployment_context = ServerStream(
        _CONTEXT,
        "GetDeploymentContext",
        deploymentcontext_pb2.GetDeploymentContextRequest,
        deploymentcontext_pb2.GetDeploymentContextResponse,
    )


class TimelineService:
    ping = _ping(_TIMELINE)
    get_timeline = Unary(_TIMELINE, "GetTimeline", timeline_pb2.GetTimelineRequest, timeline_pb2.GetTimelineResponse)
    stream_timeline = ServerStream(
        _TIMELINE, "StreamTimeline", timeline_pb2.StreamTimelineRequest, timeline_pb2.StreamTimelineResponse
    )
    create_events = Unary(
        _TIMELINE, "CreateEvents", timeline_pb2.CreateEventsRequest, timeline_pb2.CreateEventsResponse
    )
    delete_old_events = Unary(
        _TIMELINE, "DeleteOldEvents", timeline_pb2.DeleteOldEventsRequest, timeline_pb2.DeleteOldEventsResponse
    )
    query_events = ServerStream(
        _TIMELINE, "QueryEvents", timeline_pb2.QueryEventsRequest, timeline_pb2.QueryEventsResponse
    )


class LeaseService:
    ping = _ping(_LEASE)
    acquire_lease = BothStream(_LEASE, "AcquireLease", lease_pb2.AcquireLeaseRequest, lease_pb2.AcquireLeaseResponse)


class AdminService:
    ping = _ping(_ADMIN)
    config_list = Unary(_ADMIN, "ConfigList", admin_pb2.ConfigListRequest, admin_pb2.ConfigListResponse)
    config_get = Unary(_ADMIN, "ConfigGet", admin_pb2.ConfigGetRequest, admin_pb2.ConfigGetResponse)
    config_set = Unary(_ADMIN, "ConfigSet", admin_pb2.ConfigSetRequest, admin_pb2.ConfigSetResponse)
    config_unset = Unary(_ADMIN, "ConfigUnset", admin_pb2.ConfigUnsetRequest, admin_pb2.ConfigUnsetResponse)
    secrets_list = Unary(_ADMIN, "SecretsList", admin_pb2.SecretsListRequest, admin_pb2.SecretsListResponse)
    secret_get = Unary(_ADMIN, "SecretGet", admin_pb2.SecretGetRequest, admin_pb2.SecretGetResponse)
    secret_set = Unary(_ADMIN, "SecretSet", admin_pb2.SecretSetRequest, admin_pb2.SecretSetResponse)
    secret_unset = Unary(_ADMIN, "SecretUnset", admin_pb2.SecretUnsetRequest, admin_pb2.SecretUnsetResponse)
    apply_changeset = ServerStream(
        _ADMIN, "ApplyChangeset", admin_pb2.ApplyChangesetRequest, admin_pb2.ApplyChangesetResponse
    )
    update_deployment_runtime = Unary(
        _ADMIN,
        "UpdateDeploymentRuntime",
        admin_pb2.UpdateDeploymentRuntimeRequest,
        admin_pb2.UpdateDeploymentRuntimeResponse,
    )
    get_schema = Unary(_ADMIN, "GetSchema", schemaservice_pb2.GetSchemaRequest, schemaservice_pb2.GetSchemaResponse)
    pull_schema = ServerStream(
        _ADMIN, "PullSchema", schemaservice_pb2.PullSchemaRequest, schemaservice_pb2.PullSchemaResponse
    )
    rollback_changeset = Unary(
        _ADMIN,
        "RollbackChangeset",
        schemaservice_pb2.RollbackChangesetRequest,
        schemaservice_pb2.RollbackChangesetResponse,
    )
    fail_changeset = Unary(
        _ADMIN, "FailChangeset", schemaservice_pb2.FailChangesetRequest, schemaservice_pb2.FailChangesetResponse
    )
    cluster_info = Unary(_ADMIN, "ClusterInfo", admin_pb2.ClusterInfoRequest, admin_pb2.ClusterInfoResponse)
    stream_logs = ServerStream(_ADMIN, "StreamLogs", admin_pb2.StreamLogsRequest, admin_pb2.StreamLogsResponse)


class WorkspaceService:
    ping = _ping(_WORKSPACE)
    define = Unary(_WORKSPACE, "Define", workspace_pb2.DefineRequest, workspace_pb2.DefineResponse)
    plan = Unary(_WORKSPACE, "Plan", workspace_pb2.PlanRequest, workspace_pb2.PlanResponse)
    apply = Unary(_WORKSPACE, "Apply", workspace_pb2.ApplyRequest, workspace_pb2.ApplyResponse)
    discard = Unary(_WORKSPACE, "Discard", workspace_pb2.DiscardRequest, workspace_pb2.DiscardResponse)
    changesets = Unary(_WORKSPACE, "Changesets", workspace_pb2.ChangesetsRequest, workspace_pb2.ChangesetsResponse)
    revert = Unary(_WORKSPACE, "Revert", workspace_pb2.RevertRequest, workspace_pb2.RevertResponse)
    remove = Unary(_WORKSPACE, "Remove", workspace_pb2.RemoveRequest, workspace_pb2.RemoveResponse)
    status = Unary(_WORKSPACE, "Status", workspace_pb2.StatusRequest, workspace_pb2.StatusResponse)
    check = Unary(_WORKSPACE, "Check", workspace_pb2.CheckRequest, workspace_pb2.CheckResponse)
    module = Unary(_WORKSPACE, "Module", workspace_pb2.ModuleRequest, workspace_pb2.ModuleResponse)
    restart = Unary(_WORKSPACE, "Restart", workspace_pb2.RestartRequest, workspace_pb2.RestartResponse)
    reset = Unary(_WORKSPACE, "Reset", workspace_pb2.ResetRequest, workspace_pb2.ResetResponse)
    trace = Unary(_WORKSPACE, "Trace", workspace_pb2.TraceRequest, workspace_pb2.TraceResponse)
    requests = Unary(_WORKSPACE, "Requests", workspace_pb2.RequestsRequest, workspace_pb2.RequestsResponse)
    logs = Unary(_WORKSPACE, "Logs", workspace_pb2.LogsRequest, workspace_pb2.LogsResponse)


class RegistryService:
    ping = _ping(_REGISTRY)
    register = Unary(_REGISTRY, "Register", workspace_pb2.RegisterRequest, workspace_pb2.RegisterResponse)
    renew = Unary(_REGISTRY, "Renew", workspace_pb2.RenewRequest, workspace_pb2.RenewResponse)


class RunnerService:
    ping = _ping(_RUNNER)
    drain = Unary(_RUNNER, "Drain", workspace_pb2.DrainRequest, workspace_pb2.DrainResponse)
    await_config = Unary(_RUNNER, "AwaitConfig", workspace_pb2.AwaitConfigRequest, workspace_pb2.AwaitConfigResponse)


class DatabaseService:
    ping = _ping(_DATABASE)
    describe = Unary(_DATABASE, "Describe", workspace_pb2.DescribeRequest, workspace_pb2.DescribeResponse)
    prepare = Unary(_DATABASE, "Prepare", workspace_pb2.PrepareRequest, workspace_pb2.PrepareResponse)
    commit = Unary(_DATABASE, "Commit", workspace_pb2.CommitRequest, workspace_pb2.CommitResponse)
    rollback = Unary(_DATABASE, "Rollback", workspace_pb2.RollbackRequest, workspace_pb2.RollbackResponse)
    statement = Unary(_DATABASE, "Statement", workspace_pb2.StatementRequest, workspace_pb2.StatementResponse)
