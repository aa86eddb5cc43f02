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


TYPES = """
realm r {
  module m {
    config limit Int
    database duckdb db
    topic kept m.Event
    export data Sent { a Int b Int? c [String] g m.Pair<Int> }
    export data Got { a Int b Int? c [String] }
    export data Event { a Int b Int? kind m.Kind }
    export data Pair<T> { first T second [T] }
    export data Row { id Int +sql column rows.id }
    export enum Kind: String { Old = "old" }
    export enum Asked { Yes Int }
    export typealias Money Int
    export verb send(m.Sent) m.Got
    export verb ask(m.Asked) Unit +ingress http GET /ask
    export verb plain(Int) Int
    export verb flow(stream Int) stream Int
  }
}
"""
ALL, ONE_WAY, NONE = "compatible", "one way", "breaking"
# What is replaced by what in TYPES, the class of the change, and whether kept events are lost.
CLASSES = {
    "optional field of a request": ("c [String] g", "c [String] d Int? g", ALL, False),
    "required field of a request": ("c [String] g", "c [String] d Int g", NONE, False),
    "required field of a response": ("data Got { a Int", "data Got { x Int a Int", ONE_WAY, False),
    "field removed": ("data Got { a Int ", "data Got { ", NONE, False),
    "request widened": ("data Sent { a Int", "data Sent { a Float", ONE_WAY, False),
    "request widened within a list": ("c [String] g", "c [Any] g", ONE_WAY, False),
    "request narrowed": ("b Int? c [String] g", "b Int c [String] g", NONE, False),
    "response widened": ("data Got { a Int", "data Got { a Float", NONE, False),
    "response narrowed": ("data Got { a Int b Int?", "data Got { a Int b Int", ONE_WAY, False),
    "verb takes more": ("plain(Int)", "plain(Int?)", ONE_WAY, False),
    "verb takes less": ("plain(Int)", "plain(Unit)", NONE, False),
    "verb gives more": ("plain(Int) Int", "plain(Int) Float", NONE, False),
    "verb streams": ("plain(Int) Int", "plain(Int) stream Int", NONE, False),
    "stream takes more": ("flow(stream Int)", "flow(stream Float)", ONE_WAY, False),
    "stream gives another": ("stream Int\n", "stream String\n", NONE, False),
    "event with an optional field": ("data Event { a Int", "data Event { x Int? a Int", ALL, False),
    "event with a required field": ("data Event { a Int", "data Event { x Int a Int", NONE, True),
    "event without a field": ("data Event { a Int ", "data Event { ", NONE, False),
    "event widened": ("data Event { a Int", "data Event { a Float", NONE, False),
    "event with another type": ("data Event { a Int", "data Event { a String", NONE, True),
    "variant of an event added": ('Old = "old"', 'Old = "old" New = "new"', NONE, False),
    "variant of an event renamed": ('Old = "old"', 'Older = "old"', NONE, True),
    "another event": ("kept m.Event", "kept m.Got", NONE, True),
    "variant of a request added": ("Yes Int", "Yes Int No Unit", ONE_WAY, False),
    "parameter renamed": ("Pair<T> { first T second [T] }", "Pair<U> { first U second [U] }", ALL, False),
    "parameter added": ("Pair<T> {", "Pair<T, U> {", NONE, False),
    "parameter used otherwise": ("second [T]", "second T", NONE, False),
    "alias": ("Money Int", "Money String", NONE, False),
    "alias widened": ("Money Int", "Money Float", NONE, False),
    "config": ("limit Int", "limit String", ONE_WAY, False),
    "engine": ("duckdb db", "mysql db", ONE_WAY, False),
    "column's place": ("rows.id", "rows.key", ALL, False),
    "column's type": ("Row { id Int", "Row { id String", NONE, False),
    "route": ("/ask", "/asked", ONE_WAY, False),
    "raised": ("export verb plain", "export realm verb plain", ALL, False),
    "lowered": ("export verb plain", "verb plain", NONE, False),
    "order": ("{ first T second [T] }", "{ second [T] first T }", ALL, False),
}


@pytest.mark.parametrize(("old", "new", "expected", "lost"), CLASSES.values(), ids=CLASSES)
def test_classes(old: str, new: str, expected: str, lost: bool) -> None:
    assert TYPES.count(old) == 1
    found = schema.diff(schema.parse(TYPES), schema.parse(TYPES.replace(old, new)))
    (change,) = found.changes
    assert change.compatibility == expected, str(change)
    assert change.unreadable == ((schema.Ref("m", "kept"),) if lost else ())
    assert bool(change.requires) >= (expected == ONE_WAY)


def test_a_report_says_who_breaks_where_and_what_is_lost() -> None:
    new = BASE.replace("{ id Int", "{ id String")
    assert schema.diff(schema.parse(BASE), schema.parse(new, "new.ftl")).report().splitlines() == [
        "~ data shop.Order: id: type changed from int to string (breaking)",
        "    breaks users.Visit at new.ftl:16:5",
        "    breaks users.visit at new.ftl:17:5",
        "    events of shop.placed that are kept cannot be read any more",
    ]


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
