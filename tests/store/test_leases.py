"""Leases of a store, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftl_nb.store import Change, Commit, Condition, Conflict, Delete, LeaseGoneError, Put, Store

LONG = 600.0


def keys(store: Store) -> list[str]:
    return [item.key for item in store.range("")[0]]


@pytest.mark.parametrize("ttl", [0.0, -1.0])
def test_a_lease_lasts_some_time(store: Store, ttl: float) -> None:
    with pytest.raises(ValueError):
        store.grant(ttl)


def test_a_lease_is_granted_for_at_least_what_was_asked_and_kept_alive_for_as_long(store: Store) -> None:
    lease, other = store.grant(LONG), store.grant(LONG)
    assert lease.ttl >= LONG
    assert store.keep_alive(lease.id) == pytest.approx(lease.ttl, abs=1)
    assert 0 < lease.id != other.id > 0
    assert store.revision == 0


def test_keys_go_with_their_lease_in_one_commit(store: Store) -> None:
    lease = store.grant(LONG).id
    store.commit([], [Put("a", b"", lease), Put("kept", b"")])
    store.commit([Condition("b", 0)], [Put("b", b"", lease)])
    store.revoke(lease)
    assert keys(store) == ["kept"]
    with store.watch("", 3) as watch:
        assert next(watch) == Commit(3, (Change("a", None), Change("b", None)))


def test_a_lease_that_nobody_keeps_alive_ends(store: Store) -> None:
    lease = store.grant(0.5)
    store.commit([], [Put("a", b"", lease.id), Put("b", b"")])
    with store.watch("", 2) as watch:
        assert next(watch) == Commit(2, (Change("a", None),))
    with pytest.raises(LeaseGoneError):
        store.keep_alive(lease.id)


def test_what_is_under_no_lease_any_more_stays(store: Store) -> None:
    lease, other = store.grant(LONG).id, store.grant(LONG).id
    store.commit([], [Put("freed", b"", lease), Put("moved", b"", lease), Put("again", b"", lease)])
    store.commit([], [Put("freed", b""), Put("moved", b"", other), Delete("again")])
    store.commit([], [Put("again", b"")])
    store.revoke(lease)
    assert keys(store) == ["again", "freed", "moved"]
    store.revoke(other)
    assert keys(store) == ["again", "freed"]


def test_nothing_can_be_put_under_a_lease_that_is_gone(store: Store) -> None:
    lease = store.grant(LONG).id
    store.revoke(lease)
    store.revoke(lease)
    with pytest.raises(LeaseGoneError) as caught:
        store.commit([], [Put("a", b""), Put("b", b"", lease)])
    assert caught.value.lease == lease
    with pytest.raises(LeaseGoneError):
        store.keep_alive(lease)
    assert keys(store) == []
    assert store.commit([Condition("a", 5)], [Put("b", b"", lease)]) == Conflict(Condition("a", 5), 0)
    assert store.commit([], [Put("a", b"")]) == 1


def test_the_next_holder_has_the_larger_token(store: Store) -> None:
    tokens = []
    for _ in range(3):
        lease = store.grant(LONG).id
        assert isinstance(store.commit([Condition("held", 0)], [Put("held", b"", lease)]), int)
        item = store.get("held")
        assert item is not None
        tokens.append(item.created)
        assert store.commit([Condition("held", 0)], [Put("held", b"")]) == Conflict(Condition("held", 0), item.revision)
        store.revoke(lease)
    assert tokens == sorted(set(tokens))


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abc"), st.integers(0, 2)),
        st.tuples(st.just("delete"), st.sampled_from("abc"), st.just(0)),
        st.tuples(st.just("revoke"), st.just(""), st.integers(1, 2)),
    ),
    max_size=15,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_a_store_with_leases_shows_what_a_dictionary_would(
    open_fresh: Callable[[], Store], steps: list[tuple[str, str, int]]
) -> None:
    store, model = open_fresh(), dict[str, int]()
    leases = [0, store.grant(LONG).id, store.grant(LONG).id]
    for step, key, which in steps:
        before, revision = dict(model), store.revision
        if step == "put":
            store.commit([], [Put(key, b"", leases[which])])
            model[key] = which
        elif step == "delete":
            store.commit([], [Delete(key)])
            model.pop(key, None)
        else:
            store.revoke(leases[which])
            leases[which] = store.grant(LONG).id
            model = {key: lease for key, lease in model.items() if lease != which}
        assert store.revision == revision + (step == "put" or model != before)
        assert keys(store) == sorted(model)
    store.close()
