"""The shapes of gRPC that this project relies on. gRPC has no types of its own; these are what it is used through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

from google.protobuf.message import Message

Req_contra = TypeVar("Req_contra", bound=Message, contravariant=True)
Res_co = TypeVar("Res_co", bound=Message, covariant=True)

Metadata = tuple[tuple[str, str | bytes], ...]
#: What gRPC's factories make for its own use; nobody looks inside.
MethodHandler = Any
ServerCredentials = Any
CertificateConfiguration = Any


class Channel(Protocol):
    """One connection (kept and re-made by gRPC) that any number of calls share."""

    def close(self) -> None: ...
    @property
    def unary_unary(self) -> Callable[..., Any]: ...
    @property
    def unary_stream(self) -> Callable[..., Any]: ...
    @property
    def stream_unary(self) -> Callable[..., Any]: ...
    @property
    def stream_stream(self) -> Callable[..., Any]: ...


class Handler(Protocol):
    """All methods of one service."""

    def service(self, handler_call_details: Any) -> Any: ...


class Context(Protocol):
    """The call that a handler serves."""

    def abort(self, code: Any, details: str) -> NoReturn: ...
    def add_callback(self, callback: Callable[[], None]) -> bool: ...
    def auth_context(self) -> Mapping[str, Any]: ...
    def cancel(self) -> Any: ...
    def invocation_metadata(self) -> Any: ...
    def is_active(self) -> bool: ...
    def send_initial_metadata(self, initial_metadata: Metadata) -> None: ...
    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None: ...
    def time_remaining(self) -> float | None: ...


class Failure(Protocol):
    """What `grpc.RpcError` has where a call failed."""

    def code(self) -> Any: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Sequence[Any] | None: ...


class Pending(Protocol[Res_co]):
    """A call in flight. `result` raises `grpc.RpcError`."""

    def result(self, timeout: float | None = None) -> Res_co: ...
    def cancel(self) -> bool: ...
    def done(self) -> bool: ...
    def add_done_callback(self, fn: Callable[[Any], None]) -> None: ...


class Stream(Protocol[Res_co]):
    """Answers as they come; iterating raises `grpc.RpcError` when the stream fails."""

    def __iter__(self) -> Iterator[Res_co]: ...
    def __next__(self) -> Res_co: ...
    def cancel(self) -> bool: ...
    def add_done_callback(self, fn: Callable[[Any], None]) -> None: ...


class UnaryCall(Protocol[Req_contra, Res_co]):
    """Raises `grpc.RpcError`; `timeout` in seconds."""

    def __call__(
        self,
        request: Req_contra,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        *,
        wait_for_ready: bool | None = None,
    ) -> Res_co: ...

    def future(
        self,
        request: Req_contra,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        *,
        wait_for_ready: bool | None = None,
    ) -> Pending[Res_co]: ...


class ServerStreamCall(Protocol[Req_contra, Res_co]):
    def __call__(
        self,
        request: Req_contra,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        *,
        wait_for_ready: bool | None = None,
    ) -> Stream[Res_co]: ...


class ClientStreamCall(Protocol[Req_contra, Res_co]):
    def __call__(
        self,
        request_iterator: Iterator[Req_contra],
        timeout: float | None = None,
        metadata: Metadata | None = None,
        *,
        wait_for_ready: bool | None = None,
    ) -> Res_co: ...


class BothStreamCall(Protocol[Req_contra, Res_co]):
    def __call__(
        self,
        request_iterator: Iterator[Req_contra],
        timeout: float | None = None,
        metadata: Metadata | None = None,
        *,
        wait_for_ready: bool | None = None,
    ) -> Stream[Res_co]: ...


class Frames(Protocol):
    """Byte strings as they come; iterating raises `grpc.RpcError` when the stream fails."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __next__(self) -> bytes: ...
    def cancel(self) -> bool: ...
    def add_callback(self, callback: Callable[[], None]) -> bool: ...


class FrameCall(Protocol):
    def __call__(
        self, request_iterator: Iterator[bytes], timeout: float | None = None, metadata: Metadata | None = None
    ) -> Frames: ...
