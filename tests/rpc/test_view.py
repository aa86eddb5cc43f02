"""What a version of a module sees of the others: those it was checked against, before, while and after it serves."""

from __future__ import annotations

import pytest

from ftl_nb import schema
from ftl_nb.rpc.view import SchemaView, deployment_of
from ftl_nb.schema import schema_pb2

State = schema.DeploymentState


def version(name: str, number: int, state: State = State.CANONICAL) -> schema.Module:
    """Version `number` of a module, which answers at a host of that name."""
    key = f"dpl-{name}-{number}"
    return schema.Module(
        name,
        schema.parse_module(f"module {name} {{ export verb ask(Unit) Unit }}").decls,
        runtime=schema.ModuleRuntime(
            schema.ModuleRuntimeBase("python"),
            deployment=schema.ModuleRuntimeDeployment(key, created_at=number, state=state),
            runner=schema.ModuleRuntimeRunner(endpoint=f"{name}{number}:1"),
        ),
    )


def whole(*modules: schema.Module) -> schema_pb2.Notification:
    told = schema_pb2.FullSchemaNotification(schema=schema.to_proto(schema.Schema((schema.Realm("play", modules),))))
    return schema_pb2.Notification(full_schema_notification=told)


def committed(*modules: schema.Module, gone: tuple[schema.Module, ...] = ()) -> schema_pb2.Notification:
    changeset = schema_pb2.Changeset(key="chs-1")
    changeset.realm_changes.add(
        name="play", modules=map(schema.to_proto, modules), removing_modules=map(schema.to_proto, gone)
    )
    told = schema_pb2.ChangesetCommittedNotification(changeset=changeset)
    return schema_pb2.Notification(changeset_committed_notification=told)


def moved_to(name: str, number: int, endpoint: str) -> schema_pb2.Notification:
    element = schema.RuntimeElement(schema.ModuleRuntimeRunner(endpoint=endpoint), f"dpl-{name}-{number}")
    note = schema_pb2.DeploymentRuntimeNotification(payload=schema.to_proto(element))
    return schema_pb2.Notification(deployment_runtime_notification=note)


def seen(view: SchemaView) -> dict[str, str]:
    return {m.name: deployment_of(m) for m in view.modules}


@pytest.fixture
def view() -> SchemaView:
    """Of the candidate till 2, checked against the candidate goods 2."""
    beside = (version("till", 2, State.PROVISIONING), version("goods", 2, State.PROVISIONING))
    made = SchemaView("play", [*beside, version("users", 1)])
    made.stand_for("till", "dpl-till-2")
    return made


OLD = (version("till", 1), version("goods", 1), version("users", 1))
NEW = (version("till", 2), version("goods", 2))


def test_a_candidate_sees_the_candidates_beside_it(view: SchemaView) -> None:
    view.apply(whole(*OLD))
    assert seen(view) == {"till": "dpl-till-2", "goods": "dpl-goods-2", "users": "dpl-users-1"}
    assert not view.is_canonical
    view.apply(committed(version("users", 2)))
    assert seen(view)["users"] == "dpl-users-2"


def test_it_is_canonical_with_the_commit_and_then_follows(view: SchemaView) -> None:
    view.apply(whole(*OLD))
    view.apply(committed(*NEW))
    assert view.is_canonical
    view.apply(committed(version("goods", 3)))
    assert seen(view)["goods"] == "dpl-goods-3"
    assert view.is_canonical


def test_a_commit_that_came_before_the_first_whole_schema_counts(view: SchemaView) -> None:
    view.apply(whole(version("till", 2), version("goods", 3)))
    assert view.is_canonical
    assert seen(view) == {"till": "dpl-till-2", "goods": "dpl-goods-3"}


@pytest.mark.parametrize(
    "overtaken",
    [
        committed(version("till", 3), version("goods", 3)),
        committed(version("goods", 3), gone=(version("till", 2),)),
        whole(version("till", 3), version("goods", 3)),
    ],
    ids=["replaced", "removed", "told late"],
)
def test_one_that_was_overtaken_goes_on_with_what_it_knew(view: SchemaView, overtaken: schema_pb2.Notification) -> None:
    view.apply(whole(*OLD))
    view.apply(committed(*NEW))
    view.apply(overtaken)
    view.apply(committed(version("users", 4)))
    assert seen(view) == {"till": "dpl-till-2", "goods": "dpl-goods-2", "users": "dpl-users-1"}
    view.apply(moved_to("users", 1, "users1:2"))
    route = view.route("users.ask")
    assert route is not None
    assert route.endpoint == "users1:2"


def test_a_view_that_stands_for_nothing_follows_everything() -> None:
    view = SchemaView("play")
    view.apply(whole(*OLD))
    view.apply(committed(*NEW))
    assert seen(view) == {"till": "dpl-till-2", "goods": "dpl-goods-2", "users": "dpl-users-1"}
    assert not view.is_canonical
