import pytest
from hypothesis import given, settings

from ftl_nb import schema
from ftl_nb.schema import testkit

BASE = """
realm r {
  module shop {
    config region String
    database duckdb stock
    export topic placed shop.Order
    export enum Tier: String { Gold = "gold" Basic = "basic" }
    enum Shape { Dot Unit Line Int }
    export data Order { id Int note String? tags [String] }
    export data Receipt { order shop.Order at Time }
    export data Extra { x Int }
    export verb checkout(shop.Order) shop.Receipt
    verb tier(Unit) shop.Tier
  }
  module users {
    export data Visit { order shop.Order }
    export verb visit(users.Visit) Unit +calls shop.checkout
    verb idle(Unit) Unit
  }
  module far {
    verb far(Unit) Unit +calls users.idle
  }
}
"""
ORDER_USERS = " (breaks users.Visit, users.visit)"
# What is replaced by what in BASE, and the lines of the difference.
CASES = {
    "nothing": ("// none", "", []),
    "new verb": ("    verb tier", "    verb new(Unit) Unit\n    verb tier", ["+ verb shop.new"]),
    "new data": ("    verb tier", "    data New { a Int }\n    verb tier", ["+ data shop.New"]),
    "comment": ("    verb tier", "    // About\n    verb tier", []),
    "removed verb": (
        "    export verb checkout(shop.Order) shop.Receipt\n",
        "",
        ["- verb shop.checkout (breaks users.visit)"],
    ),
    "removed config": ("    config region String\n", "", ["- config shop.region"]),
    "removed unused data": ("    export data Extra { x Int }\n", "", ["- data shop.Extra (breaking)"]),
    "request type": (
        "checkout(shop.Order)",
        "checkout(String)",
        ["~ verb shop.checkout: request: type changed from shop.Order to string (breaks users.visit)"],
    ),
    "response type": (
        "shop.Order) shop.Receipt",
        "shop.Order) [shop.Receipt]",
        ["~ verb shop.checkout: response: type changed from shop.Receipt to array (breaks users.visit)"],
    ),
    "field type": (
        "{ id Int",
        "{ id String",
        [f"~ data shop.Order: id: type changed from int to string{ORDER_USERS}"],
    ),
    "nested field type": (
        "[String]",
        "[Int]",
        [f"~ data shop.Order: tags: array: type changed from string to int{ORDER_USERS}"],
    ),
    "removed field": ("note String? ", "", [f"~ data shop.Order: field note removed{ORDER_USERS}"]),
    "new optional field": ("tags [String]", "tags [String] new Int?", ["~ data shop.Order: optional field new added"]),
    "new required field of a request": (
        "tags [String]",
        "tags [String] new Int",
        [f"~ data shop.Order: required field new added{ORDER_USERS}"],
    ),
    "new required field of a response": (
        "at Time",
        "at Time new Int",
        ["~ data shop.Receipt: required field new added"],
    ),
    "made optional in a response": (
        "at Time",
        "at Time?",
        ["~ data shop.Receipt: at: made optional (breaks users.visit)"],
    ),
    "made required in a request": (
        "note String?",
        "note String",
        [f"~ data shop.Order: note: made required{ORDER_USERS}"],
    ),
    "lowered": (
        "export verb checkout",
        "verb checkout",
        ["~ verb shop.checkout: visibility lowered from export to none (breaks users.visit)"],
    ),
    "raised": (
        "export verb checkout",
        "export realm verb checkout",
        ["~ verb shop.checkout: visibility raised from export to export realm"],
    ),
    "removed variant": (' Basic = "basic"', "", ["~ enum shop.Tier: variant Basic removed (breaking)"]),
    "new variant of a response": (
        'Basic = "basic"',
        'Basic = "basic" New = "new"',
        ["~ enum shop.Tier: variant New added (breaking)"],
    ),
    "new variant of nothing": ("Line Int", "Line Int Area Float", ["~ enum shop.Shape: variant Area added"]),
    "other value": (
        '"gold"',
        '"au"',
        ['~ enum shop.Tier: variant Gold changed from "gold" to "au" (breaking)'],
    ),
    "event": (
        "placed shop.Order",
        "placed shop.Receipt",
        ["~ topic shop.placed: event: type changed from shop.Order to shop.Receipt (breaking)"],
    ),
    "config type": ("region String", "region Int", ["~ config shop.region: type changed from string to int"]),
    "database": ("duckdb stock", "postgres stock", ["~ database shop.stock: type changed from duckdb to postgres"]),
    "metadata": (
        "tier(Unit) shop.Tier",
        "tier(Unit) shop.Tier +generated",
        ["~ verb shop.tier: +generated added"],
    ),
    "kind": (
        "export data Extra { x Int }",
        "export typealias Extra Int",
        ["~ typealias shop.Extra: kind changed from data to typealias (breaking)"],
    ),
}


@pytest.mark.parametrize(("old", "new", "lines"), CASES.values(), ids=CASES)
def test_changes(old: str, new: str, lines: list[str]) -> None:
    assert old in BASE or not lines
    found = schema.diff(schema.parse(BASE), schema.parse(BASE.replace(old, new)))
    assert str(found).splitlines() == lines
    assert bool(found.breaking) == any("(break" in line for line in lines)
    assert bool(found) == bool(lines)


def test_a_change_as_data() -> None:
    found = schema.diff(schema.parse(BASE), schema.parse(BASE.replace("{ id Int", "{ id String")))
    (change,) = found.changes
    assert (change.kind, change.module, change.name, change.decl_kind) == ("changed", "shop", "Order", "data")
    assert change.breaks == found.breaks == (schema.Ref("users", "Visit"), schema.Ref("users", "visit"))


@settings(max_examples=40, deadline=None)
@given(testkit.schemas())
def test_a_schema_does_not_differ_from_itself(node: schema.Schema) -> None:
    assert not schema.diff(node, schema.parse(str(node)))


@settings(max_examples=40, deadline=None)
@given(testkit.schemas(), testkit.schemas())
def test_any_two_schemas_can_be_compared(old: schema.Schema, new: schema.Schema) -> None:
    forth, back = schema.diff(old, new), schema.diff(new, old)
    added = {(change.module, change.name) for change in forth.changes if change.kind == "added"}
    assert added == {(change.module, change.name) for change in back.changes if change.kind == "removed"}
