"""How an error travels: as a gRPC status, with the whole `FtlError` as JSON in trailing metadata."""

from __future__ import annotations

import json
from typing import NoReturn

from ftl_nb.errors import FtlError, VerbError, fail
from ftl_nb.rpc import verb_pb2
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Context, Failure
from ftl_nb.rpc.wire import BODY_LIMIT, METADATA_LIMIT

DETAILS = "ftl-error-bin"
_LONGEST_TEXT = METADATA_LIMIT // 16
_LONGEST_STATUS = 1000

#: Slug to the name of its status; an error that is not named is the caller's to mend: FAILED_PRECONDITION.
_STATUS = {
    "json-invalid": "INVALID_ARGUMENT",
    "json-syntax": "INVALID_ARGUMENT",
    "key-invalid": "INVALID_ARGUMENT",
    "call-arguments": "INVALID_ARGUMENT",
    "unknown-verb": "NOT_FOUND",
    "use-before-deploy": "NOT_FOUND",
    "no-rows": "NOT_FOUND",
    "deadline": "DEADLINE_EXCEEDED",
    "cancelled": "CANCELLED",
    "runner-lost": "UNAVAILABLE",
    "runner-away": "UNAVAILABLE",
    "cluster-gone": "UNAVAILABLE",
    "store-away": "UNAVAILABLE",
    "body-too-large": "RESOURCE_EXHAUSTED",
    "disk-full": "RESOURCE_EXHAUSTED",
    "lease-held": "RESOURCE_EXHAUSTED",
    "lease-lost": "FAILED_PRECONDITION",
    "lease-invalid": "INVALID_ARGUMENT",
    "not-visible": "PERMISSION_DENIED",
    "peer-refused": "UNAUTHENTICATED",
    "changeset-conflict": "ABORTED",
    "store-conflict": "ABORTED",
    "module-owned": "ALREADY_EXISTS",
    "internal": "INTERNAL",
}


def abort(context: Context, error: FtlError) -> NoReturn:
    """End the call that `context` serves with `error`."""
    context.set_trailing_metadata(((DETAILS, _encode(error)),))
    context.abort(grpc.StatusCode[_STATUS.get(error.slug, "FAILED_PRECONDITION")], error.message[:_LONGEST_STATUS])


def from_rpc_error(error: Failure, verb: str, *, seconds: float | None = None, size: int | None = None) -> FtlError:
    """What a failed call of `verb` (`module.name`) raises in its caller.

    `seconds` is the deadline it had, `size` its request body in bytes; both only make the sentence better.
    """
    module, _, name = verb.rpartition(".")
    code, detail = error.code(), error.details() or ""
    carried = _carried(error)
    if carried is not None:
        return carried
    if code is grpc.StatusCode.UNAVAILABLE:
        return fail("runner-away" if unconnected(error) else "runner-lost", module=module, verb=verb)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        limit = "its deadline of" if seconds is None else f"{seconds:g}"
        return fail("deadline", verb=verb, name=name, seconds=limit)
    if code is grpc.StatusCode.CANCELLED:
        return fail("cancelled", verb=verb)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in detail:
        return fail("body-too-large", verb=verb, size="more" if size is None else size, limit=BODY_LIMIT)
    return _defect(error)


def from_control_error(error: Failure) -> FtlError:
    """What a failed call of one of the cluster's own services raises in its caller."""
    carried = _carried(error)
    if carried is not None:
        return carried
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return fail("cluster-gone", detail=_sentence(error.details()))
    return _defect(error)


def call_error(error: VerbError) -> verb_pb2.CallResponse.Error:
    """The answer of a call whose verb raised."""
    return verb_pb2.CallResponse.Error(message=error.message, stack=error.remote or None)


def unconnected(error: Failure) -> bool:
    """Whether a call failed before there was a connection, so that nobody took it."""
    detail = (error.details() or "").lower()
    return error.code() is grpc.StatusCode.UNAVAILABLE and ("failed to connect" in detail or "handshake" in detail)


def _defect(error: Failure) -> FtlError:
    return fail("internal", detail=f"{error.code().name}, {_sentence(error.details())}")


def _sentence(details: str | None) -> str:
    return (details or "no detail").rstrip(".")


def _carried(error: Failure) -> FtlError | None:
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS:
            return FtlError.from_dict(json.loads(value))
    return None


def _encode(error: FtlError) -> bytes:
    raw = error.to_dict()
    encoded = json.dumps(raw).encode()
    if len(encoded) <= METADATA_LIMIT // 2:
        return encoded
    # Too long for metadata: the other errors go, and the texts are cut.
    short = {name: value[:_LONGEST_TEXT] if isinstance(value, str) else value for name, value in raw.items()}
    return json.dumps(short | {"others": [], "place": None}).encode()
