"""The data in `services` says what the .proto files say, and serves as they say."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator

import pytest
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import (
    Channel,
    Channels,
    Context,
    Credentials,
    Identity,
    admin_pb2,
    deploymentcontext_pb2,
    from_control_error,
    handlers,
    lease_pb2,
    schemaservice_pb2,
    serve,
    services,
    stream_pb2,
    timeline_pb2,
    verb_pb2,
    workspace_pb2,
)
from ftl_nb.rpc.ftl_pb2 import PingRequest, PingResponse
from ftl_nb.rpc.schemaservice_pb2 import PullSchemaRequest, PullSchemaResponse, PushSchemaRequest, PushSchemaResponse
from ftl_nb.rpc.services import (
    BothStream,
    ClientStream,
    Method,
    SchemaMirrorService,
    SchemaService,
    ServerStream,
    Unary,
)
from ftl_nb.rpc.tls import grpc

FILES: list[FileDescriptor] = [
    module.DESCRIPTOR
    for module in (
        verb_pb2,
        schemaservice_pb2,
        deploymentcontext_pb2,
        timeline_pb2,
        admin_pb2,
        workspace_pb2,
        lease_pb2,
        stream_pb2,
    )
]
SERVICES = [service for file in FILES for service in file.services_by_name.values()]


def methods(service: str) -> dict[str, Method[PingRequest, PingResponse]]:
    return {name: m for name, m in vars(getattr(services, service)).items() if isinstance(m, Method)}


@pytest.mark.parametrize("service", [s for s in SERVICES if s.name != "StreamService"], ids=lambda s: str(s.name))
def test_a_service_is_described_as_in_its_proto(service: ServiceDescriptor) -> None:
    kinds = {(False, False): Unary, (False, True): ServerStream, (True, False): ClientStream, (True, True): BothStream}
    declared = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower(): (
            kinds[method.client_streaming, method.server_streaming],
            f"/{service.full_name}/{method.name}",
            method.input_type.full_name,
            method.output_type.full_name,
        )
        for method in service.methods
    }
    described = {
        name: (type(m), m.path, m.request.DESCRIPTOR.full_name, m.response.DESCRIPTOR.full_name)
        for name, m in methods(service.name).items()
    }
    assert described == declared


def test_no_service_is_described_that_no_proto_has() -> None:
    described = {node.name for node in ast.parse(inspect.getsource(services)).body if isinstance(node, ast.ClassDef)}
    named = {name for name in described if name.endswith("Service")}
    assert named == {service.name for service in SERVICES}


def pull(request: PullSchemaRequest, context: Context) -> Iterator[PullSchemaResponse]:
    yield PullSchemaResponse()
    yield PullSchemaResponse()
    if request.subscription_id == "bad":
        raise fail("key-invalid", detail="no such subscription")


def push(requests: Iterator[PushSchemaRequest], context: Context) -> PushSchemaResponse:
    raise fail("key-invalid", detail=f"{sum(1 for _ in requests)} events")


@pytest.fixture
def to_schema(shop: Credentials, users: Credentials) -> Iterator[Channel]:
    served = handlers(SchemaService.pull_schema.served_by(pull), SchemaMirrorService.push_schema.served_by(push))
    server = serve(served, shop, threads=2)
    with Channels(users) as channels:
        yield channels.to(server.endpoint, Identity.module("shop", "play"))
    server.stop()


def failure(call: Callable[[], object]) -> FtlError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return from_control_error(caught.value)


def test_a_stream_comes_piece_by_piece(to_schema: Channel) -> None:
    stream = SchemaService.pull_schema.on(to_schema)(PullSchemaRequest(), timeout=10)
    assert len(list(stream)) == 2


def test_a_stream_fails_with_its_own_error(to_schema: Channel) -> None:
    stream = SchemaService.pull_schema.on(to_schema)(PullSchemaRequest(subscription_id="bad"), timeout=10)
    assert next(stream) is not None
    assert next(stream) is not None
    assert failure(lambda: next(stream)).message == "no such subscription."


def test_a_client_stream_is_served(to_schema: Channel) -> None:
    push = SchemaMirrorService.push_schema.on(to_schema)
    assert failure(lambda: push(iter([PushSchemaRequest()] * 3), timeout=10)).message == "3 events."


def test_what_is_not_served_is_unimplemented(to_schema: Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        SchemaService.ping.on(to_schema)(PingRequest(), timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
