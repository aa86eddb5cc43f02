"""Schema to Python classes, and back through reflection and the codec."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import ModuleType
from typing import Any

import pytest

from ftl_nb import schema
from ftl_nb.binding import resources
from ftl_nb.binding.classes import annotation_of, classes_of
from ftl_nb.compiler.reflect import Reflector
from ftl_nb.schema import (
    Array,
    Data,
    Enum,
    EnumVariant,
    Field,
    Float,
    Int,
    IntValue,
    Map,
    Module,
    Optional,
    Ref,
    String,
    StringValue,
    Time,
    TypeAlias,
    TypeParameter,
    TypeValue,
    Unit,
)
from ftl_nb.schema.json import codec


def nowhere(module: str) -> Any:
    raise AssertionError(f"nothing asks for {module}")


@pytest.fixture
def load() -> Iterator[Callable[..., dict[str, Any]]]:
    """The classes of module `shop`, in a module object as the finder makes it."""
    made: list[str] = []

    def run(*decls: schema.Decl, name: str = "shop", resolve: Callable[[str], Any] = nowhere) -> dict[str, Any]:
        target = ModuleType(f"ftl_nb.modules.{name}")
        sys.modules[target.__name__] = target
        made.append(target.__name__)
        found = classes_of(Module(name, decls), resolve, target.__dict__)
        assert found.items() <= vars(target).items()
        return found

    yield run
    for name in made:
        del sys.modules[name]


def ref(name: str, *arguments: schema.Type, module: str = "shop") -> Ref:
    return Ref(module, name, arguments)


def variant(name: str, tp: schema.Type) -> EnumVariant:
    return EnumVariant(name, TypeValue(tp))


ORDER = Data(
    "Order",
    (
        Field("orderId", String()),
        Field("lines", Array(ref("Line"))),
        Field("note", Optional(String())),
    ),
    comments=("What a customer asks for.", "", "In one go."),
)
LINE = Data("Line", (Field("sku", String()), Field("unitPrice", Float())))
NODE = Data(
    "Node", (Field("value", Int()), Field("children", Array(ref("Node"))), Field("parent", Optional(ref("Node"))))
)
BOX = Data(
    "Box", (Field("content", Ref("", "T")), Field("next", Optional(ref("Box", Ref("", "T"))))), (TypeParameter("T"),)
)
COLOR = Enum("Color", (EnumVariant("RED", StringValue("red")), EnumVariant("None", StringValue("none"))), String())
LEVEL = Enum("Level", (EnumVariant("Low", IntValue(1)),), Int())
CAT = Data("Cat", (Field("friend", Optional(ref("Pet"))),))
DOG = Data("Dog", (Field("name", String()),))
PET = Enum("Pet", (variant("Cat", ref("Cat")), variant("Dog", ref("Dog"))))
SKU = TypeAlias("Sku", String())


def test_data(load: Callable[..., dict[str, Any]]) -> None:
    found = load(ORDER, LINE)
    order, line = found["Order"], found["Line"]
    value = order("1", [line(sku="tea", unit_price=2.5)])
    text = b'{"orderId":"1","lines":[{"sku":"tea","unitPrice":2.5}],"note":null}'
    assert codec(order).encode(value) == text
    assert codec(order).decode(text) == value
    assert order.__module__ == "ftl_nb.modules.shop"
    assert order.__doc__ == "What a customer asks for.\n\nIn one go."
    assert repr(value) == "Order(order_id='1', lines=[Line(sku='tea', unit_price=2.5)], note=None)"


def test_recursive_data(load: Callable[..., dict[str, Any]]) -> None:
    node = load(NODE)["Node"]
    value = node(1, [node(2, [])])
    assert codec(node).decode(codec(node).encode(value)) == value


def test_generic_data(load: Callable[..., dict[str, Any]]) -> None:
    found = load(BOX, LINE)
    box, line = found["Box"], found["Line"]
    value = box(1, box(2))
    text = b'{"content":1,"next":{"content":2,"next":null}}'
    assert codec(box[int]).encode(value) == text
    assert codec(box[int]).decode(text) == value
    annotation = annotation_of(ref("Box", ref("Line")), lambda module: found)
    assert annotation == box[line]
    assert codec(annotation).decode(b'{"content":{"sku":"x","unitPrice":1}}') == box(line("x", 1.0))


def test_value_enums(load: Callable[..., dict[str, Any]]) -> None:
    found = load(COLOR, LEVEL)
    color, level = found["Color"], found["Level"]
    assert issubclass(color, StrEnum)
    assert issubclass(level, IntEnum)
    assert codec(color).encode(color.RED) == b'"red"'
    assert codec(level).encode(level.Low) == b"1"
    assert color.None_.value == "none"
    assert color.__module__ == "ftl_nb.modules.shop"


def test_type_enums(load: Callable[..., dict[str, Any]]) -> None:
    found = load(CAT, PET, DOG)
    pet, cat, dog = found["Pet"], found["Cat"], found["Dog"]
    text = b'{"name":"Cat","value":{"friend":{"name":"Dog","value":{"name":"Rex"}}}}'
    assert codec(pet).decode(text) == cat(dog("Rex"))
    assert codec(pet).encode(cat(dog("Rex"))) == text


def test_variants_that_are_no_data_have_stand_ins(load: Callable[..., dict[str, Any]]) -> None:
    expr = Enum(
        "Expr",
        (
            variant("Number", Int()),
            variant("Many", Array(ref("Expr"))),
            variant("Dog", String()),
            variant("Hound", ref("Dog")),
            variant("Color", ref("Color")),
            variant("Nothing", Unit()),
        ),
    )
    found = load(expr, DOG, COLOR)
    value = found["Many"]([found["Number"](1), found["ExprDog"]("x"), found["Hound"](found["Dog"]("Rex"))])
    text = (
        b'{"name":"Many","value":[{"name":"Number","value":1},{"name":"Dog","value":"x"},'
        b'{"name":"Hound","value":{"name":"Rex"}}]}'
    )
    assert codec(found["Expr"]).encode(value) == text
    assert codec(found["Expr"]).decode(text) == value
    red = found["ExprColor"](found["Color"].RED)
    assert codec(found["Expr"]).encode(red) == b'{"name":"Color","value":"red"}'
    assert codec(found["Expr"]).decode(b'{"name":"Nothing","value":{}}') == found["Nothing"](None)


def test_a_type_enum_of_one_variant_keeps_its_name_in_json(load: Callable[..., dict[str, Any]]) -> None:
    found = load(Enum("Only", (variant("Dog", ref("Dog")),)), DOG)
    text = b'{"name":"Dog","value":{"name":"Rex"}}'
    assert codec(found["Only"]).encode(found["Dog"]("Rex")) == text
    assert codec(found["Only"]).decode(text) == found["Dog"]("Rex")


def test_aliases(load: Callable[..., dict[str, Any]]) -> None:
    found = load(TypeAlias("Skus", Array(ref("Sku"))), SKU)
    assert found["Sku"]("tea") == "tea"
    assert found["Sku"].__module__ == "ftl_nb.modules.shop"
    assert codec(found["Skus"]).decode(b'["tea"]') == ["tea"]


MONEY = TypeAlias("Money", schema.Any(), metadata=(schema.MetadataTypeMap("python", "decimal.Decimal"),))


def test_an_external_type_is_any_json_where_it_is_not_registered(load: Callable[..., dict[str, Any]]) -> None:
    assert codec(load(MONEY)["Money"]).decode(b'"1.10"') == "1.10"


def test_an_external_type_is_its_class_where_it_is_registered(
    load: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_externals", {Decimal: (str, Decimal)})
    money = load(MONEY)["Money"]
    assert codec(money, resources.externals()).decode(b'"1.10"') == Decimal("1.10")


def test_references_into_other_modules(load: Callable[..., dict[str, Any]]) -> None:
    user = load(Data("User", (Field("name", String()),)), name="users")["User"]
    found = load(
        Data("Visit", (Field("user", ref("User", module="users")),)),
        Enum("Guest", (variant("User", ref("User", module="users")), variant("Visit", ref("Visit")))),
        resolve=lambda name: sys.modules[f"ftl_nb.modules.{name}"],
    )
    visit = found["Visit"](user("Ada"))
    assert codec(found["Visit"]).decode(b'{"user":{"name":"Ada"}}') == visit
    assert codec(found["Guest"]).decode(b'{"name":"User","value":{"name":"Ada"}}') == user("Ada")


def test_modules_that_refer_to_each_other(load: Callable[..., dict[str, Any]]) -> None:
    a = Data("A", (Field("b", Optional(ref("B", module="other"))),))
    b = Data("B", (Field("a", Optional(ref("A"))),))

    def resolve(name: str) -> Any:
        full = f"ftl_nb.modules.{name}"
        if full not in sys.modules:
            load(b, name=name, resolve=resolve)
        return sys.modules[full]

    found = load(a, resolve=resolve)
    other = vars(resolve("other"))["B"]
    assert codec(found["A"]).decode(b'{"b":{"a":{"b":null}}}') == found["A"](other(found["A"]()))


def test_a_reference_to_nothing(load: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ImportError, match="module users declares no type User"):
        load(Data("Visit", (Field("user", ref("User", module="users")),)), resolve=ModuleType, name="a")
    with pytest.raises(ImportError, match="module b declares no type Gone"):
        load(Data("Visit", (Field("x", ref("Gone", module="b")),)), resolve=lambda _: {}, name="b")


def test_fields_that_may_be_left_out(load: Callable[..., dict[str, Any]]) -> None:
    order = load(
        Data("Order", (Field("note", Optional(String())), Field("sku", String()), Field("to", Optional(Int()))))
    )
    made = order["Order"](sku="tea")
    assert (made.note, made.sku, made.to) == (None, "tea", None)
    assert order["Order"](sku="tea", to=3) == order["Order"](to=3, sku="tea", note=None)
    assert codec(order["Order"]).encode(made) == b'{"note":null,"sku":"tea","to":null}'


def test_behind_a_field_that_may_be_left_out_nothing_is_given_by_position(load: Callable[..., dict[str, Any]]) -> None:
    fields = (Field("sku", String()), Field("note", Optional(String())), Field("count", Int()), Field("tag", String()))
    order = load(Data("Order", fields))["Order"]
    assert order("a", count=1, tag="x") == order("a", note=None, count=1, tag="x")
    with pytest.raises(TypeError, match="positional"):
        order("a", "x", 1, "y")


def test_names_that_do_not_return_to_themselves(load: Callable[..., dict[str, Any]]) -> None:
    data = Data("Odd", (Field("userID", Int()), Field("userId", Int()), Field("class", Int()), Field("URL", Int())))
    odd = load(data)["Odd"]
    assert [f.name for f in fields(odd)] == ["user_id", "userId", "class_", "url"]
    text = b'{"userID":1,"userId":2,"class":3,"URL":4}'
    assert codec(odd).encode(odd(1, 2, 3, 4)) == text
    assert codec(odd).decode(text) == odd(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("tp", "annotation"),
    [
        (Int(), int),
        (Float(), float),
        (schema.Bytes(), bytes),
        (schema.Bool(), bool),
        (Time(), dt.datetime),
        (schema.Any(), Any),
        (Unit(), None),
        (Array(Optional(Int())), list[int | None]),
        (Map(String(), Array(Float())), dict[str, list[float]]),
    ],
)
def test_annotations(tp: schema.Type, annotation: Any) -> None:
    assert annotation_of(tp, nowhere) == annotation


def test_classes_reflect_to_the_schema_they_were_made_of(load: Callable[..., dict[str, Any]]) -> None:
    decls: tuple[schema.Decl, ...] = (ORDER, LINE, NODE, BOX, LEVEL, CAT, PET, DOG, SKU)
    found = load(*decls)
    reflector = Reflector("shop", vars(sys.modules["ftl_nb.modules.shop"]), aliases={"Pet": found["Pet"]})
    for name in ("Order", "Node", "Level", "Pet", "Sku"):
        reflector.type_of(found[name])
    reflector.type_of(found["Box"][int])
    assert sorted(reflector.decls, key=lambda d: d.name) == sorted(decls, key=lambda d: d.name)
