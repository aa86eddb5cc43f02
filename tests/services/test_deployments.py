"""The records of what is deployed and of what is pending."""

from __future__ import annotations

from ftl_nb import schema
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.services.deployments import Deployment, Pending, Records

TEXT = """
module shop {
  database duckdb stock
  data Order { sku String }
  export verb checkout(shop.Order) Float
}
"""


def deployment(key: str = "dpl-1", module: str = "shop", owner: str = "first.ipynb") -> Deployment:
    cell = Cell("id", "module", "module", "x = 1", {"calls": ["a.b"]})
    decls = schema.parse_module(TEXT.replace("shop", module))
    return Deployment(key, ModuleSource(module, (cell,)), decls, owner, 12, {"fill": "digest"}, ("pandas",))


def test_a_record_comes_back_from_the_store_as_it_was(records: Records) -> None:
    records.commit([deployment()], [])
    assert records.deployments() == {"shop": deployment()}


def test_a_commit_settles_what_was_pending_of_its_modules_alone(records: Records) -> None:
    for name in ("shop", "old", "other"):
        records.keep_pending(Pending(ModuleSource(name), "first.ipynb"))
    records.commit([deployment(module="old")], [])
    records.commit([deployment()], ["old"])
    assert set(records.deployments()) == {"shop"}
    assert set(records.pending()) == {"other"}


def test_forgetting_takes_modules_and_what_is_pending(records: Records) -> None:
    records.keep_pending(Pending(ModuleSource("shop"), ""))
    records.commit([deployment(module="other")], [])
    records.forget()
    assert (records.deployments(), records.pending()) == ({}, {})


def test_the_runtime_says_where_a_module_and_its_databases_answer() -> None:
    served = deployment().with_runtime("host:1", {"stock": "host:2"}, schema.DeploymentState.CANONICAL)
    assert served.runtime is not None
    assert served.runtime.runner == schema.ModuleRuntimeRunner(endpoint="host:1")
    assert served.runtime.deployment is not None
    assert served.runtime.deployment.deployment_key == "dpl-1"
    database = next(d for d in served.decls if isinstance(d, schema.Database))
    assert database.runtime is not None
    assert database.runtime.connections is not None
    assert database.runtime.connections.read == schema.DSNDatabaseConnector("stock", "ftl://host:2")
