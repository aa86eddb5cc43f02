"""The binding table (DESIGN 2) on a real cluster: every type through every way of calling, and every refusal."""

from __future__ import annotations

import pytest

from e2e.driver import Notebook, System

KINDS = '''
import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Generic, NewType, Optional, TypeVar

import ftl_nb as ftl

ftl.module("kinds")

T = TypeVar("T")
Email = NewType("Email", str)
Ages = NewType("Ages", dict[str, int])


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass
class Cat:
    name: str
    lives: int = 9


@dataclass
class Dog:
    name: str
    tricks: list[str] = field(default_factory=list)


Pet = Cat | Dog


@dataclass
class Line:
    sku: str
    price: Decimal


@dataclass
class Order:
    """What somebody wants."""

    order_id: int
    lines: list[Line]
    placed: dt.datetime
    note: str | None = None
    pet: Optional[Pet] = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Box(Generic[T]):
    item: T
    spare: T | None = None


@dataclass
class Tree:
    value: int
    branches: list["Tree"] = field(default_factory=list)


ftl.external(Decimal, str, Decimal)
'''

WHEN = "dt.datetime(2026, 1, 2, 3, 4, 5, 600000, dt.UTC)"
# Verb, annotation, type in the schema, a value.
TABLE = [
    ("int", "int", "Int", "-7"),
    ("wide_int", "int", "Int", "2**63 - 1"),
    ("float", "float", "Float", "1.5"),
    ("str", "str", "String", "'grün'"),
    ("bool", "bool", "Bool", "True"),
    ("bytes", "bytes", "Bytes", "b'\\x00\\xff'"),
    ("time", "dt.datetime", "Time", WHEN),
    ("any", "Any", "Any", "{'a': [1, None, 'b', 2.5]}"),
    ("list", "list[int]", "[Int]", "[1, 2]"),
    ("dict", "dict[str, float]", "{String: Float}", "{'a': 1.5}"),
    ("int_keys", "dict[int, str]", "{Int: String}", "{1: 'a'}"),
    ("optional", "int | None", "Int?", "None"),
    ("optional_set", "Optional[int]", "Int?", "3"),
    ("nested_list", "list[dict[str, list[int | None]]]", "[{String: [Int?]}]", "[{'a': [1, None]}]"),
    ("value_enum", "Colour", "kinds.Colour", "Colour.BLUE"),
    ("int_enum", "Size", "kinds.Size", "Size.LARGE"),
    ("enum_keys", "dict[Colour, int]", "{kinds.Colour: Int}", "{Colour.RED: 1}"),
    ("type_enum", "Pet", "kinds.Pet", "Dog('Rex', ['sit'])"),
    ("type_enums", "list[Pet]", "[kinds.Pet]", "[Cat('Tom'), Dog('Rex')]"),
    ("new_type", "Email", "kinds.Email", "Email('a@b.c')"),
    ("new_type_map", "Ages", "kinds.Ages", "Ages({'a': 3})"),
    ("external", "Decimal", "kinds.Decimal", "Decimal('1.10')"),
    ("data", "Cat", "kinds.Cat", "Cat('Tom', 7)"),
    (
        "nested",
        "Order",
        "kinds.Order",
        (
            "Order(order_id=1, lines=[Line('tea', Decimal('3.50'))], pet=Cat('Tom', 9), extra={'a': [1]}, "
            f"placed={WHEN})"
        ),
    ),
    ("generic", "Box[int]", "kinds.Box<Int>", "Box(1, None)"),
    ("generic_of_data", "Box[Cat]", "kinds.Box<kinds.Cat>", "Box(Cat('Tom', 9), Cat('Kit', 8))"),
    ("generic_of_generic", "Box[list[Box[str]]]", "kinds.Box<[kinds.Box<String>]>", "Box([Box('a', None)], None)"),
    ("recursive", "Tree", "kinds.Tree", "Tree(1, [Tree(2, [])])"),
]
VERBS = [name for name, *_ in TABLE]


def _echoes(prefix: str, body: str) -> str:
    return "\n\n".join(
        f"@ftl.verb(export=True)\ndef {prefix}_{name}(value: {of}) -> {of}:\n    return {body.format(name)}\n"
        for name, of, *_ in TABLE
    )


EDGES = """
@ftl.verb(export=True)
def sink(cat: Cat) -> None:
    seen.append(cat)


@ftl.verb(export=True)
def source() -> list[Cat]:
    return seen


@ftl.verb(export=True)
def empty() -> None:
    seen.clear()


@ftl.verb
async def later(cat: Cat) -> Cat:
    return cat


seen: list[Cat] = []
"""
USER_NAMES = "Email, Ages, Colour, Size, Cat, Dog, Pet, Line, Order, Box, Tree, Decimal"
USER = f"""
import datetime as dt
from typing import Any, Optional

import ftl_nb as ftl

ftl.module("kinds_user")

from ftl_nb.modules import kinds
from ftl_nb.modules.kinds import {USER_NAMES}
"""


@pytest.fixture(scope="module")
def kinds(system: System) -> Notebook:
    """A notebook with a module that has a verb of every type, and one that calls each of them."""
    notebook = system.notebook
    notebook.card(KINDS + _echoes("echo", "value") + EDGES)
    notebook.card(USER + "\n\n" + _echoes("via", "kinds.echo_{}(value)"))
    notebook.run("import datetime as dt\nfrom decimal import Decimal")
    return notebook


@pytest.mark.parametrize(("name", "type_text"), [(name, text) for name, _, text, _ in TABLE], ids=VERBS)
def test_binding_18_types_in_the_schema(kinds: Notebook, name: str, type_text: str) -> None:
    from ftl_nb.schema.names import camel

    assert f"export verb {camel('echo_' + name)}({type_text}) {type_text}" in kinds.schema("kinds")
    assert f"export verb {camel('via_' + name)}({type_text}) {type_text}" in kinds.schema("kinds_user")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, *_, value in TABLE], ids=VERBS)
def test_binding_18_values_come_back_as_they_went(kinds: Notebook, name: str, value: str) -> None:
    answer, sent = kinds.value(f"echo_{name}({value}), {value}")
    assert answer == sent
    assert type(answer) is type(sent)
    through, sent = kinds.value(f"via_{name}({value}), {value}")
    assert through == sent
    assert type(through) is type(sent)


def test_binding_18_another_client_has_classes_made_of_the_schema(kinds: Notebook, system: System) -> None:
    lines = [f"check({name!r}, kinds.echo_{name}({value}), {value})" for name, *_, value in TABLE]
    system.file(
        "uses_kinds.py",
        f"""
import datetime as dt
from decimal import Decimal
import ftl_nb as ftl
ftl.external(Decimal, str, Decimal)
from ftl_nb.modules import kinds
from ftl_nb.modules.kinds import {USER_NAMES.removesuffix(", Decimal")}
def check(name, answer, sent):
    if answer != sent or type(answer) is not type(sent):
        print(name, repr(answer), repr(sent))
"""
        + "\n".join(lines).replace("Cat('Tom')", "Cat('Tom', 9)").replace("Dog('Rex')", "Dog('Rex', [])"),
    )
    done = system.python("uses_kinds.py")
    assert (done.stdout, done.stderr) == ("", "")


def test_binding_18_sink_source_empty_and_async(kinds: Notebook) -> None:
    text = kinds.schema("kinds")
    assert "export verb sink(kinds.Cat) Unit" in text
    assert "export verb source(Unit) [kinds.Cat]" in text
    assert "export verb empty(Unit) Unit" in text
    assert kinds.value("sink(Cat('Tom')), source(), later(Cat('Kit')), empty(), source()") == (
        None,
        [kinds["Cat"]("Tom")],
        kinds["Cat"]("Kit"),
        None,
        [],
    )


def test_binding_18_declarations_of_the_table(kinds: Notebook) -> None:
    text = kinds.schema("kinds")
    for line in (
        "export typealias Email String",
        "export typealias Decimal Any",
        '+typemap python "decimal.Decimal"',
        "export enum Colour: String {",
        "export enum Pet {",
        "export data Box<T> {",
        "// What somebody wants.",
        "orderId Int",
    ):
        assert line in text


def test_binding_18_json_forms(kinds: Notebook) -> None:
    assert kinds.value('%ftl call kinds.echoBytes "AP8="') == "AP8="
    assert kinds.value('%ftl call kinds.echoTime "2026-01-02T03:04:05Z"').startswith("2026-01-02T03:04:05")
    pet = '{"name": "Cat", "value": {"name": "Tom", "lives": 3}}'
    assert kinds.value(f"%ftl call kinds.echoTypeEnum {pet}")["name"] == "Cat"
    assert kinds.value('%ftl call kinds.echoValueEnum "red"') == "red"
    assert kinds.value('%ftl call kinds.echoExternal "1.10"') == "1.10"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("echo_int(2**63)", "9223372036854775808"),
        ("echo_int('1')", "expected Int, got str"),
        ("echo_int(True)", "bool"),
        ("echo_str(1)", "int"),
        ("echo_time(dt.datetime(2026, 1, 1))", "timezone"),
        ("echo_list([1, 'a'])", "[1]"),
        ("echo_data(Dog('Rex'))", "Dog"),
        ("echo_value_enum('green')", "expected Colour"),
        ("echo_external('1.1')", "str"),
        ("echo_nested(Order(1, [Line('tea', 3)], dt.datetime.now(dt.UTC)))", "lines[0].price"),
    ],
)
def test_binding_18_a_value_that_does_not_fit_is_one_error(kinds: Notebook, call: str, says: str) -> None:
    error = kinds.run(call).refusal
    assert error.slug == "json-invalid"
    assert says in error.message
    assert "kinds.echo" in error.hint


# Code, line, and what the hint says; the text begins at line 3 of its cell.
REFUSED = [
    ("no annotation", "def f(x) -> int: ...", "parameter-unannotated", "annotate it"),
    ("extra", "def f(x: int, y: int) -> int: ...", "parameter-extra", "one dataclass"),
    ("variadic", "def f(*xs: int) -> int: ...", "parameter-extra", "one dataclass"),
    ("set", "def f(x: set[int]) -> int: ...", "type-unsupported", "use a list"),
    ("tuple", "def f() -> tuple[int, str]: ...", "type-unsupported", "a dataclass with"),
    ("bare list", "def f() -> list: ...", "type-unsupported", "list[str]"),
    ("float keys", "def f() -> dict[float, str]: ...", "type-unsupported", "str or int"),
    ("naive class", "def f(x: Naive) -> int: ...", "type-unsupported", "put @dataclass above class Naive"),
    ("foreign class", "def f(x: Fraction) -> int: ...", "type-unsupported", "ftl.external(Fraction"),
    ("date", "def f(x: dt.date) -> int: ...", "type-unsupported", "datetime.datetime"),
    ("callable", "def f(x: Callable[[int], int]) -> int: ...", "type-unsupported", "call a verb instead"),
    ("unnamed union", "def f(x: Cat | Dog) -> int: ...", "type-unsupported", "give the union a name"),
    ("union of ints", "def f(x: int | str) -> int: ...", "type-unsupported", "only dataclasses"),
    ("plain enum", "def f(x: Plain) -> int: ...", "type-unsupported", "StrEnum or IntEnum"),
    ("open generic", "def f(x: Box) -> int: ...", "type-unsupported", "Box[int]"),
    ("type variable", "def f(x: T) -> int: ...", "type-unsupported", "give T a type"),
    ("literal", "def f(x: Literal['a']) -> int: ...", "type-unsupported", "StrEnum"),
    ("unknown name", "def f(x: 'Nowhere') -> int: ...", "annotation-unresolved", "define or import"),
]
ODD = """
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

class Naive:
    pass

class Plain(Enum):
    A = object()

@dataclass
class Cat:
    name: str

@dataclass
class Dog:
    name: str

@dataclass
class Box(Generic[T]):
    item: T
"""


@pytest.fixture(scope="module")
def odd(system: System) -> Notebook:
    """A notebook with a module of types that have no place in a schema."""
    system.notebook.module("odd", ODD)
    return system.notebook


@pytest.mark.parametrize(("text", "slug", "hint"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_binding_18_what_has_no_place_is_refused_with_line_and_fix(
    odd: Notebook, text: str, slug: str, hint: str
) -> None:
    error = odd.run(f"%%ftl_verb --module odd\n\n{text}\n").refusal
    assert error.slug == slug
    assert error.place is not None
    assert (error.place.filename, error.place.line, error.place.source_line) == ("<odd/f>", 3, text)
    assert hint in error.hint
    assert "verb f" not in odd.schema("odd")


def test_binding_18_a_field_is_refused_at_its_own_line(odd: Notebook) -> None:
    text = "from dataclasses import dataclass\n\n@dataclass\nclass Bag:\n    a: int\n    items: set[str]\n"
    error = odd.run(f"%%ftl_verb --module odd\n{text}\ndef bagged(bag: Bag) -> int: ...\n").refusal
    assert (error.slug, error.place and str(error.place)) == ("type-unsupported", "<odd/bagged>:7:12")
    assert "the field 'items' of Bag" in error.message


def test_binding_18_modules_that_need_each_other_are_refused(system: System) -> None:
    notebook = system.notebook
    notebook.module("left", "from dataclasses import dataclass\n\n@dataclass\nclass Near:\n    n: int\n")
    notebook.verb("def near(n: int) -> Near:\n    return Near(n)\n", "--export")
    notebook.module("right", "from ftl_nb.modules import left\n")
    notebook.verb("def far(n: int) -> left.Near:\n    return left.near(n + 1)\n", "--export")
    notebook.card("%%ftl_module left\nfrom ftl_nb.modules import right\n")
    error = notebook.run(
        "%%ftl_verb --module left\ndef back(near: Near) -> Near:\n    return right.far(near.n)\n"
    ).refusal
    assert (error.slug, error.message) == ("schema-invalid", "found cycle in dependencies: right -> left -> right.")
    assert notebook.value("far(3) == left.Near(4)") is True
