import pytest

from ftl_nb.errors import FtlError
from ftl_nb.rpc import CallContext, RequestKey, headers

KEY = str(RequestKey.make("ingress", "notebook"))


def counting(count: int) -> bytes:
    return bytes(range(1, count + 1))


def test_a_context_arrives_at_the_callee_one_span_deeper() -> None:
    sent = CallContext.start(KEY).called_by("shop.checkout").called_by("users.find")._replace(direct=True)
    got = CallContext.from_metadata(sent.to_metadata(), counting)
    assert got.request_key == KEY
    assert got.callers == ("shop.checkout", "users.find")
    assert (got.trace_id, got.parent_span_id) == (sent.trace_id, sent.span_id)
    assert got.span_id == counting(8).hex()
    assert got.direct


def test_every_field_travels() -> None:
    sent = CallContext.start(KEY)._replace(parent_request_key=KEY, transaction="txn-a", callers=("a.b",))
    got = CallContext.from_metadata(sent.to_metadata())
    assert got._replace(span_id=sent.span_id, parent_span_id="") == sent


def test_the_trace_header_is_w3c() -> None:
    sent = CallContext.start(KEY, counting)
    assert dict(sent.to_metadata())[headers.TRACEPARENT] == f"00-{counting(16).hex()}-1112131415161718-01"


def test_the_same_caller_twice_is_one_hop() -> None:
    context = CallContext.start(KEY).called_by("a.b")
    assert context.called_by("a.b") is context
    assert context.called_by("c.d").called_by("a.b").callers == ("a.b", "c.d", "a.b")


@pytest.mark.parametrize(
    "trace", ["", "nonsense", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "ff-" + "1" * 32 + "-" + "1" * 16 + "-01"]
)
def test_a_malformed_trace_starts_a_new_one(trace: str) -> None:
    got = CallContext.from_metadata([(headers.TRACEPARENT, trace)], counting)
    assert got.trace_id == counting(16).hex()
    assert got.parent_span_id == ""


@pytest.mark.parametrize(
    "pair",
    [
        (headers.REQUEST, "dpl-a-b-0123"),
        (headers.REQUEST, "req-ingress-x y"),
        (headers.PARENT_REQUEST, "?"),
        (headers.VERB, "nodot"),
        (headers.VERB, "a.b.c"),
    ],
)
def test_a_malformed_key_or_caller_fails_the_call(pair: tuple[str, str]) -> None:
    with pytest.raises(FtlError) as caught:
        CallContext.from_metadata([pair])
    assert caught.value.slug == "key-invalid"


def test_unknown_headers_are_no_matter() -> None:
    assert CallContext.from_metadata([("user-agent", "x"), ("grpc-bin", b"\0")]).request_key == ""


def test_a_child_span_is_below_its_parent() -> None:
    parent = CallContext.start(KEY)
    child = parent.child()
    assert child.parent_span_id == parent.span_id
    assert child.span_id != parent.span_id
    assert child.trace_id == parent.trace_id


@pytest.mark.parametrize(
    ("deadline", "own", "expected"),
    [(None, None, None), (None, 3.0, 3.0), (12.0, None, 2.0), (12.0, 1.0, 1.0), (12.0, 5.0, 2.0), (9.0, 5.0, 0.0)],
)
def test_a_call_has_no_longer_than_its_caller(
    deadline: float | None, own: float | None, expected: float | None
) -> None:
    assert CallContext.start(KEY, deadline=deadline).timeout(own, clock=lambda: 10.0) == expected
