"""The contract of a store, the same on every engine."""

import threading
from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftl_nb.store import (
    Change,
    Commit,
    CompactedError,
    Condition,
    Conflict,
    Delete,
    FutureRevisionError,
    Item,
    Put,
    Store,
    StoreClosedError,
    Write,
)


def put(store: Store, key: str, value: bytes = b"v") -> int:
    revision = store.commit([], [Put(key, value)])
    assert isinstance(revision, int)
    return revision


def delete(store: Store, key: str) -> int:
    revision = store.commit([], [Delete(key)])
    assert isinstance(revision, int)
    return revision


def keys(store: Store, prefix: str, revision: int | None = None) -> list[str]:
    return [item.key for item in store.range(prefix, revision)[0]]


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.revision == 0
    assert store.get("a") is None
    assert store.range("") == ((), 0)


def test_what_was_put_is_there(store: Store) -> None:
    assert put(store, "a", b"\0\xff") == 1
    assert store.get("a") == Item("a", b"\0\xff", 1, 1)
    assert store.revision == 1


def test_a_value_can_be_empty(store: Store) -> None:
    put(store, "a", b"")
    assert store.get("a") == Item("a", b"", 1, 1)
    assert keys(store, "") == ["a"]


def test_an_item_knows_when_it_was_created_and_written(store: Store) -> None:
    for value in (b"1", b"2"):
        put(store, "a", value)
    delete(store, "a")
    put(store, "a", b"4")
    assert [store.get("a", at) for at in range(5)] == [
        None,
        Item("a", b"1", 1, 1),
        Item("a", b"2", 1, 2),
        None,
        Item("a", b"4", 4, 4),
    ]


def test_several_keys_are_written_at_one_revision(store: Store) -> None:
    put(store, "gone")
    assert store.commit([], [Put("a", b"1"), Put("b", b"2"), Delete("gone")]) == 2
    assert store.range("") == ((Item("a", b"1", 2, 2), Item("b", b"2", 2, 2)), 2)


@pytest.mark.parametrize("writes", [[], [Delete("never")]], ids=["none", "delete"])
def test_what_changes_nothing_makes_no_revision(store: Store, writes: list[Write]) -> None:
    put(store, "a")
    assert store.commit([], writes) == 1
    assert store.revision == 1


@pytest.mark.parametrize("writes", [[Put("", b"")], [Put("a", b""), Delete("a")]], ids=["empty key", "twice"])
def test_a_commit_that_makes_no_sense_is_refused(store: Store, writes: list[Write]) -> None:
    with pytest.raises(ValueError, match="key"):
        store.commit([], writes)
    assert store.revision == 0


def test_a_range_is_what_begins_with_its_prefix_in_key_order(store: Store) -> None:
    for key in ("b", "a/2", "a/10", "a/", "a0", "a", "é/1", "\U0010ffff", "a/é"):
        put(store, key)
    assert keys(store, "a/") == ["a/", "a/10", "a/2", "a/é"]
    assert keys(store, "é") == ["é/1"]
    assert keys(store, "\U0010ffff") == ["\U0010ffff"]
    assert keys(store, "") == ["a", "a/", "a/10", "a/2", "a/é", "a0", "b", "é/1", "\U0010ffff"]
    assert keys(store, "", 2) == ["a/2", "b"]


def test_a_commit_happens_only_under_its_conditions(store: Store) -> None:
    assert store.commit([Condition("a", 0)], [Put("a", b"1")]) == 1
    assert store.commit([Condition("a", 0)], [Put("a", b"2")]) == Conflict(Condition("a", 0), 1)
    assert store.commit([Condition("a", 1), Condition("b", 0)], [Put("b", b"1"), Delete("a")]) == 2
    assert store.commit([Condition("b", 2), Condition("a", 1)], [Put("b", b"2")]) == Conflict(Condition("a", 1), 0)
    assert store.range("") == ((Item("b", b"1", 2, 2),), 2)


def test_a_commit_may_be_large(store: Store) -> None:
    names = [f"{n:04}" for n in range(2000)]
    absent = [Condition(name, 0) for name in names[:80]]
    assert store.commit(absent, [Put(name, name.encode()) for name in names]) == 1
    assert keys(store, "") == names
    kept = [Condition(name, 1) for name in names[:80]]
    wrong = [*kept[:70], Condition("0070", 7), Condition("0071", 8)]
    assert store.commit(wrong, [Delete(name) for name in names]) == Conflict(Condition("0070", 7), 1)
    assert store.commit(kept, [Delete(name) for name in names]) == 2
    assert store.range("") == ((), 2)


def test_a_deleted_key_is_absent_to_a_condition(store: Store) -> None:
    put(store, "a")
    delete(store, "a")
    assert store.commit([Condition("a", 0)], [Put("a", b"again")]) == 3


def test_conditions_alone_are_a_question(store: Store) -> None:
    assert store.commit([Condition("a", 0)], []) == 0
    assert store.commit([Condition("a", 7)], []) == Conflict(Condition("a", 7), 0)


def test_the_future_cannot_be_read(store: Store) -> None:
    put(store, "a")
    for read in (store.get, store.range):
        with pytest.raises(FutureRevisionError):
            read("a", 2)
    with pytest.raises(FutureRevisionError):
        store.compact(2)


def test_one_of_many_writers_wins_each_round(store: Store) -> None:
    def count(times: int) -> None:
        for _ in range(times):
            while True:
                item = store.get("n")
                after = int(item.value if item else b"0") + 1
                condition = Condition("n", item.revision if item else 0)
                if isinstance(store.commit([condition], [Put("n", b"%d" % after)]), int):
                    break

    threads = [threading.Thread(target=count, args=(20,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    item = store.get("n")
    assert item is not None
    assert (item.value, store.revision) == (b"80", 80)


def test_a_watch_gives_the_past_and_then_the_present(store: Store) -> None:
    put(store, "a/1", b"old")
    put(store, "b/1")
    with store.watch("a/", 1) as watch:
        assert next(watch) == Commit(1, (Change("a/1", Item("a/1", b"old", 1, 1)),))
        store.commit([], [Delete("a/1"), Put("a/2", b"new"), Put("b/2", b"")])
        assert next(watch) == Commit(3, (Change("a/1", None), Change("a/2", Item("a/2", b"new", 3, 3))))


def test_a_watch_begins_where_it_is_told(store: Store) -> None:
    for _ in range(3):
        put(store, "a")
    with store.watch("", 3) as watch:
        assert next(watch).revision == 3


def test_a_watch_may_begin_ahead_of_the_present(store: Store) -> None:
    with store.watch("", 2) as watch:
        put(store, "a", b"1")
        put(store, "a", b"2")
        assert next(watch).revision == 2


def test_a_range_and_a_watch_from_its_end_miss_nothing(store: Store) -> None:
    put(store, "a", b"1")
    _, revision = store.range("")
    put(store, "a", b"2")
    with store.watch("", revision + 1) as watch:
        assert next(watch).changes[0].item == Item("a", b"2", 1, 2)


def test_watches_see_every_commit_once_and_in_order_while_others_write(store: Store) -> None:
    def write(name: str) -> None:
        for n in range(25):
            put(store, f"{name}/{n}")

    seen: list[list[Commit]] = [[], []]

    def follow(into: list[Commit]) -> None:
        with store.watch("", 1) as watch:
            into.extend(islice(watch, 75))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    threads += [threading.Thread(target=follow, args=(into,)) for into in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [commit.revision for commit in seen[0]] == list(range(1, 76))
    assert seen[0] == seen[1]


def test_a_watch_that_is_far_behind_gets_all_of_it(store: Store) -> None:
    revisions = 1234
    for n in range(revisions):
        put(store, "a" if n % 10 else "b")
    with store.watch("b", 1) as watch:
        assert [c.revision for c in islice(watch, 124)] == list(range(1, revisions + 1, 10))


def ended(watch_of: Callable[[], object], end: Callable[[], object]) -> bool:
    """Whether a thread that waits ends after `end`."""
    done = threading.Event()
    started = threading.Event()

    def follow() -> None:
        started.set()
        watch_of()
        done.set()

    threading.Thread(target=follow, daemon=True).start()
    assert started.wait(10)
    end()
    return done.wait(10)


def test_stopping_ends_a_watch_that_waits(store: Store) -> None:
    watch = store.watch("", 1)
    assert ended(lambda: list(watch), watch.stop)
    assert list(watch) == []


def test_closing_ends_a_watch_that_waits(store: Store) -> None:
    watch = store.watch("", 1)
    assert ended(lambda: list(watch), store.close)


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    for use in (
        lambda: store.get("a"),
        lambda: store.range(""),
        lambda: store.commit([], [Put("a", b"")]),
        lambda: store.watch("", 1),
        lambda: store.compact(0),
        lambda: store.grant(1),
        lambda: store.keep_alive(1),
        lambda: store.revoke(1),
    ):
        with pytest.raises(StoreClosedError):
            use()


def test_compaction_keeps_the_present_and_what_came_after(store: Store) -> None:
    put(store, "a", b"1")
    put(store, "a", b"2")
    put(store, "b")
    delete(store, "b")
    put(store, "a", b"5")
    store.compact(4)
    assert store.get("a", 4) == Item("a", b"2", 1, 2)
    assert store.range("") == ((Item("a", b"5", 1, 5),), 5)
    assert store.commit([Condition("a", 5), Condition("b", 0)], [Put("b", b"")]) == 6


def test_what_was_compacted_is_told_so(store: Store) -> None:
    for _ in range(4):
        put(store, "a")
    store.compact(3)
    store.compact(2)
    for read in (store.get, store.range):
        with pytest.raises(CompactedError) as caught:
            read("a", 2)
        assert (caught.value.asked, caught.value.compacted) == (2, 3)
    with pytest.raises(CompactedError):
        store.watch("", 3)
    with store.watch("", 4) as watch:
        assert next(watch).revision == 4


def test_a_watch_that_compaction_overtook_is_told_so(store: Store) -> None:
    with store.watch("", 1) as watch:
        put(store, "a")
        put(store, "a")
        store.compact(1)
        with pytest.raises(CompactedError):
            next(watch)


_KEYS = st.sampled_from(["a", "a/b", "b", "é"])
_WRITES = st.dictionaries(_KEYS, st.none() | st.binary(max_size=3), max_size=3)
_STEPS = st.lists(st.tuples(_WRITES, st.booleans()), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_every_kept_revision_shows_what_a_dictionary_would(
    open_fresh: Callable[[], Store], steps: list[tuple[dict[str, bytes | None], bool]]
) -> None:
    store = open_fresh()
    history: list[dict[str, bytes]] = [{}]
    compacted = 0
    for writes, compacts in steps:
        after = dict(history[-1])
        changed = any(value is not None or key in after for key, value in writes.items())
        for key, value in writes.items():
            after.pop(key, None) if value is None else after.update({key: value})
        store.commit([], [Delete(k) if v is None else Put(k, v) for k, v in writes.items()])
        history += [after] if changed else []
        if compacts:
            compacted = len(history) - 1
            store.compact(compacted)
    for revision in range(compacted, len(history)):
        shown = {item.key: item.value for item in store.range("", revision)[0]}
        assert shown == history[revision]
        assert {key for key in "ab" if store.get(key, revision)} == {key for key in "ab" if key in shown}
    store.close()
