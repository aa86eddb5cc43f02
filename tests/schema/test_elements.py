from dataclasses import replace

import pytest

from ftl_nb import schema

PLAIN = schema.parse_module(
    "module shop { topic t Int database mysql d verb v(Unit) Unit data D {} config c Int }", "shop.ftl"
)
MODULE = replace(PLAIN, runtime=schema.ModuleRuntime(schema.ModuleRuntimeBase("python")))
DEPLOYMENT = schema.ModuleRuntimeDeployment("dpl-shop-1", 1)
RUNNER = schema.ModuleRuntimeRunner("http://127.0.0.1:1")
EGRESS = schema.EgressRuntime((schema.EgressTarget("${a}", "b"),))
CONNECTOR = schema.PlaintextKafkaSubscriptionConnector(("k:1",))
TOPIC = schema.TopicRuntime(("k:1",), "t-1")
DATABASE = schema.DatabaseRuntime()


def put(module: schema.Module, *elements: tuple[schema.Runtime, str | None]) -> schema.Module:
    for element, name in elements:
        module = schema.with_runtime(module, schema.RuntimeElement(element, "dpl-shop-1", name))
    return module


def test_each_system_updates_its_own_part() -> None:
    scaled = put(MODULE, (schema.ModuleRuntimeScaling(3), None), (DEPLOYMENT, None), (RUNNER, None))
    assert scaled.runtime == schema.ModuleRuntime(
        schema.ModuleRuntimeBase("python"), schema.ModuleRuntimeScaling(3), DEPLOYMENT, RUNNER
    )
    assert put(scaled, (schema.ModuleRuntimeImage("n/a"), None)).runtime == replace(
        scaled.runtime, image=schema.ModuleRuntimeImage("n/a")
    )


def test_order_does_not_matter() -> None:
    elements: list[tuple[schema.Runtime, str | None]] = [
        (EGRESS, "v"),
        (CONNECTOR, "v"),
        (TOPIC, "t"),
        (DATABASE, "d"),
        (RUNNER, None),
    ]
    once, again = put(MODULE, *elements), put(MODULE, *reversed(elements))
    assert once == again
    verb = once.decl("v")
    assert isinstance(verb, schema.Verb)
    assert verb.runtime == schema.VerbRuntime(CONNECTOR, EGRESS)


def test_a_deployment_without_a_key_keeps_it() -> None:
    ready = schema.ModuleRuntimeDeployment("", 2, state=schema.DeploymentState.READY)
    runtime = put(MODULE, (DEPLOYMENT, None), (ready, None)).runtime
    assert runtime is not None
    assert runtime.deployment == replace(ready, deployment_key="dpl-shop-1")


def test_positions_comments_and_other_declarations_stay() -> None:
    found = put(MODULE, (TOPIC, "t"))
    assert str(found) == str(MODULE)
    assert [decl.pos for decl in found.decls] == [decl.pos for decl in MODULE.decls]
    assert found.decls[1:] == MODULE.decls[1:]


BAD = [
    (MODULE, TOPIC, None, "missing name in element"),
    (MODULE, TOPIC, "none", "decl none not found"),
    (MODULE, TOPIC, "D", r"unexpected decl type \*schema.Data"),
    (MODULE, EGRESS, "c", r"unexpected decl type \*schema.Config"),
    (PLAIN, RUNNER, None, "module shop has no runtime"),
]


@pytest.mark.parametrize(("module", "element", "name", "message"), BAD)
def test_an_element_without_its_place(
    module: schema.Module, element: schema.Runtime, name: str | None, message: str
) -> None:
    with pytest.raises(schema.SchemaError, match=message):
        put(module, (element, name))


def test_the_elements_of_a_module_make_it_again() -> None:
    full = put(
        MODULE, (DEPLOYMENT, None), (RUNNER, None), (EGRESS, "v"), (CONNECTOR, "v"), (TOPIC, "t"), (DATABASE, "d")
    )
    elements = list(schema.runtime_elements(full))
    assert {element.deployment for element in elements} == {"dpl-shop-1"}
    assert put(MODULE, *((element.element, element.name) for element in elements)) == full


def test_no_element_changes_a_digest() -> None:
    full = put(MODULE, (DEPLOYMENT, None), (RUNNER, None), (EGRESS, "v"), (TOPIC, "t"), (DATABASE, "d"))
    assert schema.digest(full) == schema.digest(PLAIN)
