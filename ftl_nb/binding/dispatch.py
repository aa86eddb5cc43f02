"""How a call leaves this process: one protocol, which the runner and the client implement.

A verb object knows its reference, its types and how to build its request. It hands encoded bytes to the dispatcher
that this process installed, and gets bytes back. In a runner the dispatcher calls the own module in process and other
runners over their channels; in a kernel, script or test all calls go to a runner.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ftl_nb.errors import FtlError, fail

if TYPE_CHECKING:
    from ftl_nb.binding.verbs import Verb


@dataclass(frozen=True, slots=True)
class CallOptions:
    """`timeout` in seconds, None for the caller's own; `arrow` asks a SQL verb for an Arrow IPC stream as its body."""

    timeout: float | None = None
    arrow: bool = False


DEFAULT_OPTIONS = CallOptions()


class Dispatcher(Protocol):
    """Bodies are JSON bytes; module and verb are schema names. Raises FtlError."""

    def call(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes: ...

    async def call_async(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes: ...

    def stream(self, verb: Verb, request: Any, options: CallOptions) -> Any:
        """Calls a verb that has a stream: what it gives, which is a stream or, decoded, one value."""

    async def stream_async(self, verb: Verb, request: Any, options: CallOptions) -> Any: ...

    def statement(self, module: str, database: str, sql: str, parameters: bytes, *, rows: bool) -> tuple[bytes, int]:
        """Runs SQL in the database's own runner: its rows as a JSON array of objects, and how many changed."""

    def config(self, module: str, name: str) -> bytes | None:
        """The JSON value that is set, None when there is none."""

    def secret(self, module: str, name: str) -> bytes | None:
        """The same for a secret; that it was read is recorded."""

    def lease(self, parts: tuple[str, ...], ttl: float, wait: float, on_lost: Callable[[], None]) -> Held:
        """A lease of the module that runs here, taken; `on_lost` is called from another thread when it is lost."""

    def caller(self) -> str:
        """The module that called the verb running here; empty outside a verb and for a call from a notebook."""


class Held(Protocol):
    """A lease that was taken: `token` grows with every holder, `lost` says that it ended before it was given back."""

    token: int
    lost: bool

    def release(self) -> None: ...


@dataclass(slots=True)
class _Site:
    dispatcher: Dispatcher | None = None


_site = _Site()
_loading: ContextVar[str] = ContextVar("ftl_loading", default="")


def install(dispatcher: Dispatcher | None) -> None:
    """Makes `dispatcher` the way out of this process; None takes it away."""
    _site.dispatcher = dispatcher


def current(verb: str) -> Dispatcher:
    """The installed dispatcher; a call while a module's text is loading is refused, `verb` names it."""
    if _loading.get():
        raise fail("called-while-loading", verb=verb)
    return connected()


def connected() -> Dispatcher:
    """The installed dispatcher; outside a runner the first use starts, or joins, the project's cluster."""
    if _site.dispatcher is None:
        _site.dispatcher = _connect()
    return _site.dispatcher


def _connect() -> Dispatcher:
    if _connector is None:
        raise FtlError("cluster-gone", "No cluster is connected.")
    return _connector()


class Connector(Protocol):
    def __call__(self) -> Dispatcher: ...


_connector: Connector | None = None


def on_first_use(connector: Connector) -> None:
    """Registers what `current` calls when nothing is installed yet."""
    global _connector
    _connector = connector


def by_default(connector: Connector) -> None:
    """The same where nobody has registered anything."""
    if _connector is None:
        on_first_use(connector)


class loading:
    """`with loading("shop"):` the text of module shop is being executed; verbs cannot be called meanwhile."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __enter__(self) -> None:
        self._token = _loading.set(self._module)

    def __exit__(self, *exc: object) -> None:
        _loading.reset(self._token)


def module_being_loaded() -> str:
    """The module whose text is being executed, empty when none is."""
    return _loading.get()


def caller() -> str:
    """The module whose verb called the verb that is running; empty for a call from a notebook or the command line."""
    return _site.dispatcher.caller() if _site.dispatcher is not None else ""
