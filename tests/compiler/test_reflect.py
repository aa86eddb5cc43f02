"""Python annotations to schema, and the refusals with their place and fix."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ftl_nb import schema
from ftl_nb.compiler.annotations import annotation_places, union_aliases
from ftl_nb.compiler.reflect import Reflector
from ftl_nb.errors import FtlError, Place

HEADER = """
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar
T = TypeVar("T")
"""


@pytest.fixture
def load() -> Iterator[Callable[..., Reflector]]:
    """Executes text as module `shop` and gives its reflector."""
    made: list[str] = []

    def run(text: str, module: str = "shop", **options: Any) -> Reflector:
        text = textwrap.dedent(text)
        tree = ast.parse(text)
        found = ModuleType(f"ftl_nb.modules.{module}")
        sys.modules[found.__name__] = found
        made.append(found.__name__)
        exec(HEADER, found.__dict__)
        exec(compile(tree, "<shop/cell>", "exec", dont_inherit=True), found.__dict__)
        aliases = {name: found.__dict__[name] for name in union_aliases(tree)}
        places = annotation_places(tree, text, "<shop/cell>")
        return Reflector(module, found.__dict__, aliases=aliases, places=places, **options)

    yield run
    for name in made:
        del sys.modules[name]


def verb_of(reflector: Reflector, name: str = "f", **options: Any) -> str:
    """The verb's signature and the declarations it needs, as schema text."""
    namespace = sys.modules[f"ftl_nb.modules.{reflector.module}"].__dict__
    request, response = reflector.verb(namespace[name], **options)
    return "\n".join([f"({request}) {response}", *map(str, reflector.decls)])


TYPES = [
    ("int", "Int"),
    ("float", "Float"),
    ("str", "String"),
    ("bytes", "Bytes"),
    ("bool", "Bool"),
    ("dt.datetime", "Time"),
    ("Any", "Any"),
    ("None", "Unit"),
    ("list[int]", "[Int]"),
    ("dict[str, list[float]]", "{String: [Float]}"),
    ("dict[int, str]", "{Int: String}"),
    ("int | None", "Int?"),
    ("Optional[str]", "String?"),
    ("Annotated[int, 'metres']", "Int"),
    ("'list[int]'", "[Int]"),
    ("list['int']", "[Int]"),
]


@pytest.mark.parametrize(("annotation", "expected"), TYPES)
def test_types(load: Callable[..., Reflector], annotation: str, expected: str) -> None:
    reflector = load(f"def f(x: {annotation}) -> {annotation}: ...")
    assert verb_of(reflector) == f"({expected}) {expected}"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("def f(x: int) -> str", "(Int) String"),
        ("def f(x: int) -> None", "(Int) Unit"),
        ("def f(x: int)", "(Int) Unit"),
        ("def f() -> int", "(Unit) Int"),
        ("def f()", "(Unit) Unit"),
        ("async def f(x: int, *, other, more: 'Unknown') -> int", "(Int) Int"),
        ("def f(x: int, /) -> int", "(Int) Int"),
    ],
)
def test_verb_sink_source_empty(load: Callable[..., Reflector], head: str, expected: str) -> None:
    assert verb_of(load(f"{head}: ...")) == expected


DECLARATIONS = {
    "data": (
        """
        @dataclass
        class Line:
            sku: str
            unit_price: float = 1.0

        @dataclass
        class Order:
            '''What a customer asks for.

            In one go.
            '''
            order_id: str
            lines: list[Line] = field(default_factory=list)
            note: str | None = None

        def f(order: Order) -> None: ...
        """,
        """
        (shop.Order) Unit
        // What a customer asks for.
        //
        // In one go.
        data Order {
          orderId String
          lines [shop.Line]
          note String?
        }
        data Line {
          sku String
          unitPrice Float
        }
        """,
    ),
    "recursive": (
        """
        @dataclass
        class Node:
            value: int
            children: "list[Node]"

        def f(node: Node) -> Node: ...
        """,
        """
        (shop.Node) shop.Node
        data Node {
          value Int
          children [shop.Node]
        }
        """,
    ),
    "generic": (
        """
        @dataclass
        class Box(Generic[T]):
            content: T
            spares: list[T]

        @dataclass
        class Labelled(Box[int]):
            label: str

        @dataclass
        class Wrapped(Generic[T]):
            box: Box[T]

        def f(box: Box[dict[str, Wrapped[int]]]) -> Labelled: ...
        """,
        """
        (shop.Box<{String: shop.Wrapped<Int>}>) shop.Labelled
        data Box<T> {
          content T
          spares [T]
        }
        data Wrapped<T> {
          box shop.Box<T>
        }
        data Labelled {
          content Int
          spares [Int]
          label String
        }
        """,
    ),
    "value enums": (
        """
        class Color(StrEnum):
            '''Of a car.'''
            RED = "red"
            BLUE = "blue"

        class Level(IntEnum):
            LOW = 1

        def f(colors: dict[Color, Level]) -> Color | None: ...
        """,
        """
        ({shop.Color: shop.Level}) shop.Color?
        // Of a car.
        enum Color: String {
          RED = "red"
          BLUE = "blue"
        }
        enum Level: Int {
          LOW = 1
        }
        """,
    ),
    "type enum": (
        """
        @dataclass
        class Cat:
            lives: int
            friend: "Pet | None" = None

        @dataclass
        class Dog:
            name: str

        Pet = Cat | Dog

        def f(pet: Pet) -> list[Dog | Cat]: ...
        """,
        """
        (shop.Pet) [shop.Pet]
        enum Pet {
          Cat shop.Cat
          Dog shop.Dog
        }
        data Cat {
          lives Int
          friend shop.Pet?
        }
        data Dog {
          name String
        }
        """,
    ),
    "newtype": (
        """
        Sku = NewType("Sku", str)

        def f(sku: Sku) -> dict[Sku, int]: ...
        """,
        """
        (shop.Sku) {shop.Sku: Int}
        typealias Sku String
        """,
    ),
    "names": (
        """
        @dataclass
        class Names:
            user_id: int
            HTTPName: str
            class_: str

        def f(names: Names) -> None: ...
        """,
        """
        (shop.Names) Unit
        data Names {
          userId Int
          httpName String
          class String
        }
        """,
    ),
}


@pytest.mark.parametrize(("text", "expected"), DECLARATIONS.values(), ids=DECLARATIONS.keys())
def test_declarations(load: Callable[..., Reflector], text: str, expected: str) -> None:
    assert verb_of(load(text)) == textwrap.dedent(expected).strip()


def test_postponed_annotations(load: Callable[..., Reflector]) -> None:
    reflector = load(
        """\
        from __future__ import annotations
        @dataclass
        class Order:
            next: Order | None
        def f(order: Order, *, price_of: NotThere) -> list[Order]: ...
        """
    )
    assert verb_of(reflector).startswith("(shop.Order) [shop.Order]\ndata Order {\n  next shop.Order?\n}")


def test_external_types(load: Callable[..., Reflector]) -> None:
    reflector = load("def f(amount: Decimal) -> list[Decimal]: ...", externals={Decimal: (str, Decimal)})
    request, response = reflector.verb(sys.modules["ftl_nb.modules.shop"].__dict__["f"])
    assert (str(request), str(response)) == ("shop.Decimal", "[shop.Decimal]")
    (alias,) = reflector.decls
    assert alias == schema.TypeAlias(
        "Decimal", schema.Any(), metadata=(schema.MetadataTypeMap("python", "decimal.Decimal"),)
    )


def test_types_of_other_modules(load: Callable[..., Reflector]) -> None:
    load(
        """
        @dataclass
        class User:
            name: str
        @dataclass
        class Robot:
            name: str
        Actor = User | Robot
        Id = NewType("Id", int)
        """,
        module="users",
    )
    reflector = load(
        """
        from ftl_nb.modules import users
        def f(users: dict[str, users.User]) -> users.Actor | None: ...
        def g(user: users.Id) -> "list[users.Id]": ...
        """
    )
    sys.modules["ftl_nb.modules.shop"].__dict__["users"] = sys.modules["ftl_nb.modules.users"]
    assert verb_of(reflector) == "({String: users.User}) users.Actor?"
    assert verb_of(reflector, "g") == "(users.Id) [users.Id]"


def test_owners_that_are_told(load: Callable[..., Reflector]) -> None:
    reflector = load("def f(amount: Decimal) -> None: ...", owners={Decimal: ("money", "Amount")})
    assert verb_of(reflector) == "(money.Amount) Unit"


def test_what_an_exported_verb_reaches_is_exported(load: Callable[..., Reflector]) -> None:
    text = """
    @dataclass
    class Inner:
        node: "Outer | None"
    @dataclass
    class Outer:
        inner: Inner
    @dataclass
    class Own:
        x: int
    def f(outer: Outer) -> None: ...
    def g(own: Own) -> Outer: ...
    """
    reflector = load(text)
    verb_of(reflector, "f", visibility=schema.Visibility.REALM)
    verb_of(reflector, "g", visibility=schema.Visibility.NONE)
    levels = {d.name: getattr(d, "visibility", None) for d in reflector.decls}
    realm, none = schema.Visibility.REALM, schema.Visibility.NONE
    assert levels == {"Outer": realm, "Inner": realm, "Own": none}


def test_the_types_of_other_declarations(load: Callable[..., Reflector]) -> None:
    reflector = load("@dataclass\nclass Limits:\n    most: int\n")
    limits = sys.modules["ftl_nb.modules.shop"].__dict__["Limits"]
    assert str(reflector.type_of(limits | None, "the config 'limits'")) == "shop.Limits?"
    assert str(reflector.type_of("dict[str, Limits]")) == "{String: shop.Limits}"


REFUSALS = (Path(__file__).parent / "data" / "refusals.txt").read_text().split("=== ")[1:]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.partition("\n")[0])
def test_refusals(load: Callable[..., Reflector], case: str) -> None:
    """A case is: its name; slug and place; a part of the sentence; a part of the hint; the text."""
    head, text = case.split("---\n", 1)
    _, where, message, fix = head.splitlines()
    reflector = load(text)
    with pytest.raises(FtlError) as caught:
        verb_of(reflector)
    error = caught.value
    assert error.place is not None
    assert where == f"{error.slug} {error.place.line}:{error.place.column}"
    assert error.place.filename == "<shop/cell>"
    assert message in error.message
    assert fix in error.hint


def test_two_type_enums_of_equal_members_are_refused(load: Callable[..., Reflector]) -> None:
    text = "@dataclass\nclass A: ...\n@dataclass\nclass B: ...\nX = A | B\nY = B | A\n"
    with pytest.raises(FtlError, match="The type enums X and Y have the same members") as caught:
        load(text)
    assert caught.value.place == Place("<shop/cell>", 6, 5, "Y = B | A", 10)


def test_the_line_of_the_function_serves_where_no_places_are_given() -> None:
    def f(x: set[int]) -> None: ...

    with pytest.raises(FtlError) as caught:
        Reflector("shop", globals()).verb(f)
    place = caught.value.place
    assert place is not None
    assert (place.filename, place.line) == (__file__, f.__code__.co_firstlineno)
    assert "def f(x: set[int])" in place.source_line


def test_a_refused_declaration_leaves_nothing_behind(load: Callable[..., Reflector]) -> None:
    reflector = load("@dataclass\nclass Order:\n    tags: set[str]\ndef f(x: Order) -> None: ...\n")
    for _ in range(2):
        with pytest.raises(FtlError, match="set"):
            verb_of(reflector)
    assert reflector.decls == ()
