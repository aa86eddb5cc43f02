from ftl_nb import schema
from ftl_nb.schema import Data, Field, Int, Module, Node, Ref, String, Verb

ORDER = Data("Order", (Field("id", Int()), Field("tags", schema.Array(String()))))
MODULE = Module("shop", (ORDER, Verb("place", Ref("", "Order"), schema.Unit())))


def test_walk_visits_parents_first() -> None:
    assert [type(node).__name__ for node in schema.walk(ORDER)] == ["Data", "Field", "Int", "Field", "Array", "String"]


def test_visit_goes_down_only_where_told() -> None:
    seen: list[str] = []

    def enter(node: Node, descend: object) -> None:
        seen.append(type(node).__name__)
        if callable(descend) and isinstance(node, Module):
            descend()

    schema.visit(MODULE, enter)
    assert seen == ["Module", "Data", "Verb"]


def test_transform_rebuilds_what_changed_and_shares_the_rest() -> None:
    def qualify(node: Node) -> Node:
        return Ref("shop", node.name) if isinstance(node, Ref) else node

    changed = schema.transform(MODULE, qualify)
    assert list(schema.refs(changed)) == [Ref("shop", "Order")]
    assert changed.decls[0] is ORDER


def test_positions_take_no_part_in_equality() -> None:
    placed = Int(pos=schema.Position("a.ftl", 1, 2))
    assert placed == Int()
    assert hash(placed) == hash(Int())
    assert str(placed.pos) == "a.ftl:1:2"
    assert not Int().pos
