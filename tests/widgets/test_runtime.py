"""The runtime elements of a schema."""

from dataclasses import replace

from ftl_nb import schema
from ftl_nb.widgets import RuntimeView

PLAIN = schema.parse_module("module shop { database duckdb stock verb v(Unit) Unit topic t Int }")
AT = 1_700_000_000 * 10**9
RUNNING = replace(PLAIN, runtime=schema.ModuleRuntime(schema.ModuleRuntimeBase("python", create_time=AT)))
for element, name in (
    (schema.ModuleRuntimeDeployment("dpl-shop-1", AT, state=schema.DeploymentState.CANONICAL), None),
    (schema.ModuleRuntimeRunner("127.0.0.1:1"), None),
    (schema.EgressRuntime((schema.EgressTarget("${host}", "<b>:1"),)), "v"),
    (schema.TopicRuntime(("k:1", "k:2"), "t-1"), "t"),
):
    RUNNING = schema.with_runtime(RUNNING, schema.RuntimeElement(element, "dpl-shop-1", name))


def test_every_element_is_a_row() -> None:
    rows = [line.split() for line in RuntimeView((RUNNING,)).plain().splitlines()[1:]]
    assert rows == [
        ["shop", "base", "language=python", "create_time=2023-11-14T22:13:20Z"],
        ["shop", "deployment", "deployment_key=dpl-shop-1", "created_at=2023-11-14T22:13:20Z", "state=canonical"],
        ["shop", "runner", "endpoint=127.0.0.1:1"],
        ["shop.v", "egress", "targets[0].expression=${host}", "targets[0].target=<b>:1"],
        ["shop.t", "topic", "kafka_brokers[0]=k:1", "kafka_brokers[1]=k:2", "topic_id=t-1"],
    ]


def test_html_is_escaped() -> None:
    html = str(RuntimeView((RUNNING,)).html())
    assert "target=&lt;b&gt;:1" in html
    assert "<b>" not in html


def test_what_does_not_run_has_no_rows() -> None:
    assert RuntimeView((PLAIN,)).plain() == "nothing runs"
