"""The schema service: what a changeset stands on, what it moves, what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.errors import FtlError
from ftl_nb.rpc import schemaservice_pb2
from ftl_nb.services.deployments import Deployment, Records
from ftl_nb.services.truth import Changeset, ChangesetState, Truth, replace_modules


@pytest.fixture
def truth(records: Records) -> Truth:
    return Truth(records, "play")


def version(key: str, module: str = "shop", verb: str = "checkout") -> Deployment:
    decls = schema.parse_module(f"module {module} {{ export verb {verb}(Unit) Unit }}")
    return Deployment(key, ModuleSource(module), decls, "first.ipynb", 1)


def moved(truth: Truth, *deployed: Deployment, removed: tuple[str, ...] = ()) -> Changeset:
    """A changeset that has come to its end."""
    changeset = truth.create([d.name for d in deployed], removed)
    truth.prepare(changeset, deployed)
    truth.commit(changeset)
    truth.drained(changeset)
    truth.finalize(changeset)
    return changeset


def test_nothing_is_canonical_before_the_commit(truth: Truth, records: Records) -> None:
    changeset = truth.create(["shop"])
    truth.prepare(changeset, [version("dpl-1")])
    assert truth.deployment("shop") is None
    assert records.deployments() == {}
    truth.commit(changeset)
    assert truth.deployment("shop") == version("dpl-1")
    assert records.deployments() == {"shop": version("dpl-1")}


def test_all_modules_of_a_changeset_move_in_one_notification(truth: Truth) -> None:
    moved(truth, version("dpl-1"), version("dpl-2", "old"))
    told = following(truth)
    next(told)
    moved(truth, version("dpl-3"), version("dpl-4", "users"), removed=("old",))
    events = [next(told).event for _ in range(5)]
    assert [e.WhichOneof("value") for e in events] == [
        "changeset_created_notification",
        "changeset_prepared_notification",
        "changeset_committed_notification",
        "changeset_drained_notification",
        "changeset_finalized_notification",
    ]
    (change,) = events[2].changeset_committed_notification.changeset.realm_changes
    assert {m.name for m in change.modules} == {"shop", "users"}
    assert list(change.to_remove) == ["dpl-2"]
    assert {m.name for m in change.removing_modules} == {"shop", "old"}
    assert set(truth.deployments) == {"shop", "users"}


def test_another_changeset_of_the_same_module_has_to_wait_until_the_first_has_moved(truth: Truth) -> None:
    first = truth.create(["shop"])
    with pytest.raises(FtlError) as refused:
        truth.create(["users"], ["shop"])
    assert refused.value.slug == "changeset-conflict"
    assert first.key in refused.value.message
    truth.create(["users"])
    truth.prepare(first, [version("dpl-1")])
    truth.commit(first)
    assert truth.create(["shop"]).state is ChangesetState.PREPARING


def test_a_changeset_that_failed_leaves_everything_and_lets_its_modules_go(truth: Truth) -> None:
    moved(truth, version("dpl-1"))
    changeset = truth.create(["shop"])
    truth.roll_back(changeset, "no")
    truth.failed(changeset)
    assert truth.deployment("shop") == version("dpl-1")
    assert truth.create(["shop"]).key != changeset.key


Step = Callable[[Truth, Changeset], None]
STEPS: dict[str, Step] = {
    "prepare": lambda truth, changeset: truth.prepare(changeset, []),
    "drain": Truth.drained,
    "finalize": Truth.finalize,
}


@pytest.mark.parametrize("step", ["drain", "finalize"])
def test_a_step_out_of_order_is_refused(truth: Truth, step: str) -> None:
    changeset = truth.create(["shop"])
    with pytest.raises(FtlError, match="is preparing, not"):
        STEPS[step](truth, changeset)
    assert changeset.state is ChangesetState.PREPARING


def test_a_commit_out_of_order_writes_nothing(truth: Truth, records: Records) -> None:
    changeset = truth.create(["shop"])
    changeset.deployed = (version("dpl-1"),)
    with pytest.raises(FtlError, match="is preparing, not prepared"):
        truth.commit(changeset)
    assert records.deployments() == {}
    assert truth.deployment("shop") is None


def test_a_truth_that_starts_again_knows_what_was_committed(truth: Truth, records: Records) -> None:
    moved(truth, version("dpl-1"))
    again = Truth(records, "play")
    assert again.system == truth.system
    assert again.endpoint("dpl-1") == ""


def test_addresses_are_told_as_they_come(truth: Truth) -> None:
    moved(truth, version("dpl-1"))
    told = following(truth)
    next(told)
    truth.serve_at("dpl-1", "host:1")
    assert next(told).event.HasField("deployment_runtime_notification")
    assert truth.endpoint("dpl-1") == "host:1"
    runtime = truth.served.realms[0].modules[0].runtime
    assert runtime is not None
    assert runtime.runner == schema.ModuleRuntimeRunner(endpoint="host:1")


class Peer:
    """A peer that stays."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return True

    def is_active(self) -> bool:
        return True


def following(truth: Truth) -> Iterator[schemaservice_pb2.PullSchemaResponse]:
    """The stream as a peer reads it; its first answer is the whole schema."""
    return truth.follow(Peer())  # type: ignore[arg-type]


def test_the_stream_begins_with_the_whole_schema(truth: Truth) -> None:
    moved(truth, version("dpl-1"))
    first = next(following(truth)).event
    (realm,) = first.full_schema_notification.schema.realms
    assert [m.name for m in realm.modules] == ["shop"]


def test_replacing_modules_keeps_the_others_and_their_order() -> None:
    current = schema.parse("realm play { module b { } module a { } module c { } }")
    new = schema.Module("aa")
    after = replace_modules(current, [new], ["b"])
    assert [m.name for m in after.realms[0].modules] == ["a", "aa", "c"]


def test_notifications_are_kept_in_bounds_and_who_fell_behind_is_told_the_whole_again(truth: Truth) -> None:
    moved(truth, version("dpl-1"))
    slow = following(truth)
    next(slow)
    for n in range(5000):
        truth.serve_at("dpl-1", f"127.0.0.1:{n}")
    assert len(truth._events) < 3000
    event = next(slow).event
    assert event.WhichOneof("value") == "full_schema_notification"
    (module,) = [m for r in event.full_schema_notification.schema.realms for m in r.modules if m.name == "shop"]
    assert module.runtime.runner.endpoint == "127.0.0.1:4999"
