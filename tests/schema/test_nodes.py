import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from ftl_nb import schema

VERB = schema.Verb("place", schema.Ref("shop", "Order"), schema.Unit(), metadata=(schema.MetadataFixture(),))
NODES = [schema.Int(), schema.RefKey("a", "b"), VERB, schema.ModuleRuntimeBase("python"), schema.Position("f", 1, 2)]


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_nodes_are_values(node: object) -> None:
    for again in (pickle.loads(pickle.dumps(node)), copy.deepcopy(node)):
        assert again == node
        assert hash(again) == hash(node)
    assert is_dataclass(node) or isinstance(node, schema.Position)
    assert not hasattr(node, "__dict__")


def test_nodes_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        VERB.name = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del VERB.name


def test_replace_keeps_the_rest() -> None:
    placed = replace(VERB, name="other", pos=schema.Position("", 1, 1))
    assert (placed.name, placed.request, str(placed.pos)) == ("other", VERB.request, "1:1")
    assert [field.name for field in fields(schema.Config)] == ["unknown", "pos", "name", "type", "comments"]


def test_equality_is_of_one_class() -> None:
    one, two = schema.Config("a", schema.Int()), schema.Secret("a", schema.Int())
    assert one.__eq__(two) is NotImplemented
    assert len({one, two, schema.Config("a", schema.Int(), pos=schema.Position("f", 1, 1))}) == 2
    assert schema.Int() != schema.Float()


def test_repr_shows_what_counts() -> None:
    assert repr(schema.Array(schema.Int(pos=schema.Position("f", 1, 1)))) == "Array(element=Int())"


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'type'"):
        schema.Config("a")  # type: ignore[call-arg]


def test_the_door_loads_what_is_asked_for() -> None:
    code = "import sys; from ftl_nb import schema; schema.Int; sys.exit('ftl_nb.schema.text' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"parse", "graph", "diff", "Verb"} <= set(dir(schema))
    assert callable(schema.imports)
    assert callable(schema.graph)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        schema.nothing  # noqa: B018
