"""Stubs: their text, and what ty and mypy make of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ftl_nb
from ftl_nb import schema
from ftl_nb.compiler.stubs import stub
from ftl_nb.schema import parse_module

SHOP = parse_module('''
// Prices and orders.
module shop {
  config currency String
  secret key shop.Keys
  database duckdb stock
  topic receipts shop.Receipt

  // A unit.
  typealias Sku String
  typealias Skus [shop.Sku]
  typealias Money Any
    +typemap python "decimal.Decimal"

  // Of a shirt.
  enum Color: String {
    RED = "red"
    None = "none"
  }

  enum Level: Int {
    LOW = 1
  }

  enum Pet {
    Cat shop.Cat
    Dog shop.Dog
    Number Int
    Sku String
  }

  data Box<T> {
    content T
    next shop.Box<T>?
    spares {String: [T]}
  }

  data Cat {
    friend shop.Pet?
    lives Int
  }

  data Dog {
    self String
    type String?
  }

  data Keys {
    bytes Bytes
    str String
    list [String]
    until Time
    raw Any
  }

  // What a customer asks for:
  // a "\\sku" and """more""".
  data Order {
    note String?
    sku shop.Sku
    quantity Int?
  }

  data Receipt {
    total Float
    by users.User?
  }

  data PriceRow {
    sku String
    price Float
  }

  data PricesQuery {
    sku String
    most Float?
  }

  export verb checkout(shop.Order) shop.Receipt
  export verb box(shop.Box<Int>) [shop.Pet]
  verb boxless(shop.Box<shop.Box<Int>>) Unit
  verb greet(users.User) String
  verb dogs(shop.Dog) Unit
  verb sum([Int]) Int
  // A verb that hides a builtin.
  verb list(Unit) [shop.Order]
  verb clear(Unit) Unit
  verb colors({shop.Color: shop.Level}) shop.Color
  verb priceOf(String) Float
    +database uses shop.stock
    +sql query one "SELECT price FROM items WHERE sku = @item_sku"
  verb prices(shop.PricesQuery) [shop.PriceRow]
    +database uses shop.stock
    +sql query many "SELECT sku, price FROM items WHERE sku = @sku AND price < @most"
  verb wipe(Unit) Int
    +database uses shop.stock
    +sql query execrows "DELETE FROM items"
}
''')  # fmt: skip

USERS = parse_module("""
module users {
  export data User {
    name String
    nick String?
    shop shop.Order?
  }
}
""")

USE = """
import asyncio
from typing import assert_type
from ftl_nb.modules import shop, users
from ftl_nb.modules.shop import Order, Receipt, checkout

order = Order(sku=shop.Sku("tea"), quantity=2)
assert_type(checkout(order), Receipt)
assert_type(checkout(sku=shop.Sku("tea")), Receipt)
assert_type(checkout(order, price_of=lambda sku: 1.0), Receipt)
assert_type(checkout.with_timeout(2)(order), Receipt)
assert_type(checkout.map([order, Order(sku=shop.Sku("x"), note="y")]), list[Receipt])
checkout(sku="tea")  # error
checkout(order, order)  # error
checkout(quantity=3)  # error
checkout(sku=shop.Sku("tea"), quantity="2")  # error
checkout(3)  # error
checkout()  # error
Order("x")  # error
checkout.map([1])  # error
checkout(order).total + "x"  # error
checkout(order).by.name  # error


async def later() -> None:
    assert_type(await checkout.aio(order), Receipt)
    assert_type(await shop.list.aio(), list[Order])
    (await checkout.aio(order)).nope  # error


assert_type(shop.box(shop.Box(1, spares={"a": [1]})), list[shop.Pet])
assert_type(shop.box(content=1, spares={}), list[shop.Pet])
shop.box(content="x", spares={})  # error
shop.boxless(content=shop.Box(1, spares={}, next=None), spares={})
assert_type(shop.list(), list[Order])
shop.list(1)  # error
shop.clear()
assert_type(shop.sum([1]), int)
assert_type(shop.sum(request=[1]), int)
shop.sum(["x"])  # error
assert_type(shop.greet(users.User("Ada")), str)
assert_type(shop.greet(name="Ada"), str)
shop.greet(order)  # error
assert_type(shop.colors({shop.Color.RED: shop.Level.LOW}), shop.Color)
shop.colors({"red": shop.Level.LOW})  # error
shop.Color.None_
assert_type(shop.price_of("tea"), float)
assert_type(shop.price_of(item_sku="tea"), float)
shop.price_of(sku="tea")  # error
shop.price_of(1)  # error
assert_type(shop.prices("tea"), list[shop.PriceRow])
assert_type(shop.prices("tea", 3.5), list[shop.PriceRow])
assert_type(shop.prices(sku="tea", most=None), list[shop.PriceRow])
assert_type(shop.prices(shop.PricesQuery("tea")), list[shop.PriceRow])
shop.prices("tea", "x")  # error
shop.prices.df("tea").head()
shop.prices.arrow(shop.PricesQuery("tea"))
shop.price_of.arrow("tea")  # error
assert_type(shop.wipe(), int)
assert_type(shop.currency.get(), str)
shop.key.get().bytes + b""
shop.key.get().str + ""
shop.stock.execute("DELETE FROM items WHERE sku = $sku", sku="tea")
shop.dogs(self="Rex")
shop.dogs(self=1)  # error
pet: shop.Pet = shop.Cat(lives=9)
pet = shop.Number(1)
pet = shop.PetSku("x")
pet = order  # error
if isinstance(pet, shop.Cat) and pet.friend:
    pet.friend
users.User("Ada").shop = order
""".lstrip()
ERRORS = {number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# error")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with stubs as the cluster keeps them, and a file that uses them."""
    folder = tmp_path_factory.mktemp("project")
    package = folder / "stubs" / "ftl_nb-stubs"
    (package / "modules").mkdir(parents=True)
    (package / "py.typed").write_text("partial\n")
    (package / "modules" / "__init__.pyi").write_text("")
    for module in (SHOP, USERS):
        (package / "modules" / f"{module.name}.pyi").write_text(stub(module))
    (folder / "use.py").write_text(USE)
    return folder


def lines_of(report: str, file: str) -> dict[int, str]:
    """Line number to message, in reports of the form `file:line:column: message`."""
    found = re.findall(rf"^{re.escape(file)}:(\d+):(?:\d+:)? (.*)$", report, re.MULTILINE)
    return {int(number): message for number, message in found}


def test_ty_sees_what_is_wrong_and_nothing_else(project: Path) -> None:
    command: list[str | Path] = [
        Path(sys.executable).with_name("ty"),
        "check",
        "--output-format",
        "concise",
        "--color",
        "never",
    ]
    roots = ["--python", sys.prefix, "--extra-search-path", str(project / "stubs"), "--extra-search-path", os.getcwd()]
    files: list[str | Path] = ["use.py", *sorted((project / "stubs").rglob("*.pyi"))]
    found = subprocess.run([*command, *roots, *files], cwd=project, capture_output=True, text=True)
    assert set(lines_of(found.stdout, "use.py")) == ERRORS, found.stdout + found.stderr
    assert ".pyi:" not in found.stdout, found.stdout


def test_mypy_strict_sees_the_same(project: Path) -> None:
    # mypy takes partial stub packages from installed packages alone, so the stubs stand in a copy of the package.
    package = project / "copy" / "ftl_nb"
    package.mkdir(parents=True)
    for path in Path(ftl_nb.__file__).parent.iterdir():
        if path.name != "modules":
            (package / path.name).symlink_to(path)
    stubs = project / "stubs" / "ftl_nb-stubs" / "modules"
    (package / "modules").symlink_to(stubs)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        os.devnull,
        "--follow-imports",
        "silent",
    ]
    files: list[str | Path] = ["use.py", *(package / "modules" / f"{module.name}.pyi" for module in (SHOP, USERS))]
    environment = {**os.environ, "MYPYPATH": str(package.parent)}
    found = subprocess.run([*command, *files], cwd=project, env=environment, capture_output=True, text=True)
    assert set(lines_of(found.stdout, "use.py")) == ERRORS, found.stdout + found.stderr
    assert ".pyi:" not in found.stdout, found.stdout


def test_a_small_stub_whole() -> None:
    assert stub(USERS) == (
        "import dataclasses as _dataclasses\n"
        "from ftl_nb.modules import shop as _shop\n"
        "\n"
        "@_dataclasses.dataclass\n"
        "class User:\n"
        "    name: str\n"
        "    nick: str | None = None\n"
        "    shop: _shop.Order | None = None\n"
    )


def test_an_empty_module() -> None:
    assert stub(schema.Module("empty")) == "\n"


@pytest.mark.parametrize(
    "text",
    [
        "module a {\n data b { b a.b? }\n verb c(a.b) a.b\n}",
        "module a {\n data None { x Int }\n verb c(a.None) Unit\n}",
        "module a {\n enum E { }\n}",
        "module a {\n enum E { One a.One }\n data One {}\n}",
        "module a {\n enum E { A [a.E] }\n typealias F a.E\n typealias G Bool\n verb class(a.F) Unit\n}",
        "module a {\n enum E: Int { mro = 1 name = 2 class = 3 }\n}",
        "module a {\n data int { int Int str String }\n verb map({String: a.int}) [Bytes]\n}",
    ],
)
def test_odd_names_give_valid_python(text: str) -> None:
    assert ast.parse(stub(parse_module(text))).body
