"""A verb with a stream, called: its request to frames, its answer to what the caller gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ftl_nb import schema
from ftl_nb.binding.signature import NOTHING, Signature
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.streaming import Incoming
from ftl_nb.streams.batches import received, sent
from ftl_nb.streams.result import StreamResult
from ftl_nb.streams.shape import Shape, shape_of

if TYPE_CHECKING:
    from ftl_nb.binding.verbs import Verb

#: Told once, when a stream has ended as it should, failed, or was left.
OnEnd = Callable[[Incoming, FtlError | None], None]


class Open(Protocol):
    """Calls the verb: with a body, or with the frames of its request."""

    def __call__(self, body: bytes, source: Iterator[bytes] | None) -> Incoming: ...


class Sides(NamedTuple):
    """The sides of a verb that are streams."""

    request: Shape | None
    response: Shape | None


def sides_of(system: schema.Schema, ref: str, signature: Signature) -> Sides:
    """Both sides of a verb of the system. Raises FtlError `unknown-verb`."""
    module, _, name = ref.partition(".")
    found = next((m.decl(name) for realm in system.realms for m in realm.modules if m.name == module), None)
    if not isinstance(found, schema.Verb):
        raise fail("unknown-verb", verb=ref, near="")
    request = isinstance(found.request, schema.Stream)
    response = isinstance(found.response, schema.Stream)
    return Sides(
        shape_of(system, found.request, signature.request, f"the request of {ref}") if request else None,
        shape_of(system, found.response, signature.response, f"the response of {ref}") if response else None,
    )


def call_verb(verb: Verb, system: schema.Schema, request: Any, open_: Open, on_end: OnEnd) -> Any:
    """The answer: a StreamResult, or the value of a verb that takes a stream and gives one value. Raises FtlError."""
    sides = sides_of(system, verb.ref, verb.signature)
    if sides.request is None:
        incoming = open_(b"" if request is NOTHING else verb.encode(request), None)
    else:
        incoming = open_(b"", sent(sides.request.batches(request)))
    batches = _until_end(incoming, on_end)
    if sides.response is not None:
        return StreamResult(verb.ref, sides.response, batches, incoming.cancel)
    for _ in batches:
        raise fail("stream-broken", detail=f"{verb.ref} has no stream as its response")
    return verb.decode(incoming.response.body)


def _until_end(incoming: Incoming, on_end: OnEnd) -> Iterator[Any]:
    error: FtlError | None = None
    try:
        yield from received(incoming.frames())
    except FtlError as e:
        error = e
        raise
    finally:
        on_end(incoming, error)
