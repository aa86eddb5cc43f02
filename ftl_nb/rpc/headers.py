"""What travels beside a call: names of the transport headers, and `CallContext`, their value."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ftl_nb.errors import fail
from ftl_nb.rpc.keys import Random, identifying

if TYPE_CHECKING:
    from ftl_nb.rpc.types import Metadata

VERB = "ftl-verb"
REQUEST = "ftl-request-id"
PARENT_REQUEST = "ftl-parent-request-id"
DIRECT = "ftl-direct"
TRANSACTION = "ftl-transaction-id"
TRACEPARENT = "traceparent"
#: Ours: the deployment key of a candidate, on calls that must reach it before it is committed.
CANDIDATE = "ftl-candidate"

_REQUEST_KEY = re.compile(r"req-(?:ingress|cron|pubsub)-[A-Za-z0-9-]*[0-9a-z]")
_REF = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", re.ASCII)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class CallContext(NamedTuple):
    """Who called, within which request and trace. Made at the edge by `start`, at a callee by `from_metadata`.

    callers: `module.verb` of every hop, oldest first; the last is the immediate caller.
    trace_id: 32 hex digits; span_id: 16, this hop's own; parent_span_id: the caller's, empty at the edge.
    deadline: `time.monotonic()` seconds; it travels as gRPC's own timeout, not as a header.
    """

    request_key: str
    trace_id: str
    span_id: str
    parent_span_id: str = ""
    callers: tuple[str, ...] = ()
    parent_request_key: str = ""
    transaction: str = ""
    direct: bool = False
    deadline: float | None = None

    @classmethod
    def start(cls, request_key: str, random: Random = identifying, deadline: float | None = None) -> Self:
        """A new trace."""
        ids = random(24).hex()
        return cls(request_key, ids[:32], ids[32:], deadline=deadline)

    @classmethod
    def from_metadata(
        cls, metadata: Iterable[tuple[str, str | bytes]], random: Random = identifying, deadline: float | None = None
    ) -> Self:
        """The callee's context, a new span below the caller's. `request_key` is empty where none was sent.

        Raises FtlError `key-invalid` for a malformed request key or caller. A malformed trace starts a new one.
        """
        single: dict[str, Any] = {}
        callers: tuple[str, ...] = ()
        for name, value in metadata:
            if name == VERB:
                callers += (str(value),)
            else:
                single[name] = value
        request_key, parent_key = single.get(REQUEST, ""), single.get(PARENT_REQUEST, "")
        _check(request_key, parent_key, callers)
        trace_id, parent = _trace(single.get(TRACEPARENT, ""), random)
        transaction, direct = single.get(TRANSACTION, ""), single.get(DIRECT) == "1"
        return cls(request_key, trace_id, random(8).hex(), parent, callers, parent_key, transaction, direct, deadline)

    def to_metadata(self) -> Metadata:
        """What a call made within this context sends."""
        pairs: list[tuple[str, str | bytes]] = [(TRACEPARENT, f"00-{self.trace_id}-{self.span_id}-01")]
        if self.request_key:
            pairs.append((REQUEST, self.request_key))
        pairs += [(VERB, caller) for caller in self.callers]
        if self.parent_request_key:
            pairs.append((PARENT_REQUEST, self.parent_request_key))
        if self.transaction:
            pairs.append((TRANSACTION, self.transaction))
        if self.direct:
            pairs.append((DIRECT, "1"))
        return tuple(pairs)

    def called_by(self, verb: str) -> Self:
        """The same with `verb` (`module.verb`) as the immediate caller; nothing new where it already is."""
        if self.callers and self.callers[-1] == verb:
            return self
        return self._replace(callers=(*self.callers, verb))

    def child(self, random: Random = identifying) -> Self:
        """A span below this one, in the same process."""
        return self._replace(span_id=random(8).hex(), parent_span_id=self.span_id)

    def timeout(self, own: float | None = None, clock: Callable[[], float] = time.monotonic) -> float | None:
        """Seconds for a call made within this context: what is left here, at most `own`; None is unlimited."""
        if self.deadline is None:
            return own
        left = max(0.0, self.deadline - clock())
        return left if own is None else min(own, left)


def _check(request_key: str, parent_request_key: str, callers: tuple[str, ...]) -> None:
    for key in (request_key, parent_request_key):
        if key and not _REQUEST_KEY.fullmatch(key):
            raise fail("key-invalid", detail=f"{key!r} is not a request key")
    for caller in callers:
        if not _is_ref(caller):
            raise fail("key-invalid", detail=f"{caller!r} is not a caller's module.verb")


@lru_cache(maxsize=1024)
def _is_ref(text: str) -> bool:
    return _REF.fullmatch(text) is not None


def _trace(traceparent: str, random: Random) -> tuple[str, str]:
    found = _TRACEPARENT.fullmatch(traceparent)
    return (found[1], found[2]) if found else (random(16).hex(), "")
