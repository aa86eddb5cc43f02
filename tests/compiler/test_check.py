from collections.abc import Iterator
from pathlib import Path

import pytest

from ftl_nb import schema
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.compiler.check import Diagnostic, ModuleInput, TypeChecker, refusal

SHOP_STUB = """
class PriceRow:
    sku: str
    price: float

class _PriceOf:
    def __call__(self, sku: str) -> float: ...
    async def aio(self, sku: str) -> float: ...

class _Prices:
    def __call__(self) -> list[PriceRow]: ...

price_of: _PriceOf
prices: _Prices
"""
USERS_STUB = """
from dataclasses import dataclass

@dataclass
class User:
    name: str

class _GetUser:
    def __call__(self, request: int) -> User: ...

get_user: _GetUser
"""
STUBS = {"shop": SHOP_STUB, "users": USERS_STUB}
SHOP = schema.parse_module(
    """
module shop {
  database duckdb stock
  data PriceRow { sku String price Float }
  verb priceOf(String) Float
    +database uses shop.stock
    +sql query one "SELECT price FROM items WHERE sku = @sku"
  verb prices(Unit) [shop.PriceRow]
    +database uses shop.stock
    +sql query many "SELECT * FROM items"
}
"""
)
OPENING = """
from dataclasses import dataclass
import ftl_nb as ftl
from ftl_nb import Config
from ftl_nb.modules import users

currency = Config[str]("currency", default="USD")

@dataclass
class Order:
    sku: str
    quantity: int = 1
"""


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypeChecker]:
    with TypeChecker(tmp_path_factory.mktemp("check"), stub=lambda module: STUBS[module.name]) as checker:
        yield checker


def module(name: str, *texts: str, decls: schema.Module | None = None) -> ModuleInput:
    cells = [Cell(str(i), "module", f"c{i}", text) for i, text in enumerate(texts)]
    if name == "shop":
        cells.append(Cell("s", "sql", "stock", "", database="stock"))
    return ModuleInput(name, ModuleSource(name, tuple(cells)), decls or schema.Module(name))


USERS = ModuleInput("users", None, schema.Module("users"))


def found(checker: TypeChecker, *texts: str) -> list[Diagnostic]:
    shop = module("shop", OPENING, *texts, decls=SHOP)
    return checker.check_system([shop, USERS], ["shop"]).get("shop", [])


def at(diagnostics: list[Diagnostic]) -> list[tuple[str, int, str]]:
    return [(d.place.filename, d.place.line, d.place.source_line[d.place.column - 1 :]) for d in diagnostics]


def test_a_clean_module_has_no_findings(checker: TypeChecker) -> None:
    clean = """
from __future__ import annotations
from ftl_nb.modules import shop, users as people
from ftl_nb.modules.shop import Order as Same

@ftl.verb(export=True)
def checkout(order: Order, *, price_of, currency, stock, who=ftl.inject(users.get_user)) -> float:
    stock.execute("DELETE FROM items WHERE sku = $sku", sku=order.sku)
    name: str = who(1).name + currency.get() + people.get_user(2).name
    same: Order = shop.Order("a")
    also: Same = same
    rows = [row.price for row in shop.prices()] + [row.price for row in prices()]
    return price_of(order.sku) * order.quantity + len(name) + sum(rows) + shop.price_of(also.sku)

@ftl.verb
def all_of(orders: list[Order], *, checkout) -> list[float]:
    once = checkout(Order("a")) + checkout(order=Order("a")) + checkout(sku="a") + checkout(sku="a", quantity=2)
    return checkout.map(orders) + [once, checkout.with_timeout(2)(orders[0])]

@ftl.verb
async def later(name: str) -> float:
    return await checkout.aio(sku=name) + await price_of.aio(name)

@ftl.fixture
def fill(*, later):
    later("a")
    checkout(Order("a"), price_of=lambda sku: 1.0)
"""
    assert found(checker, clean) == []


def test_an_injected_parameter_that_nobody_annotated_is_checked(checker: TypeChecker) -> None:
    text = '\n@ftl.verb\ndef f(order: Order, *, currency, price_of):\n    price_of("a", 1, 2) + "x"\n'
    diagnostics = found(checker, text)
    assert at(diagnostics) == [("<shop/c1>", 4, 'price_of("a", 1, 2) + "x"'), ("<shop/c1>", 4, '1, 2) + "x"')]
    assert "Too many positional arguments" in diagnostics[1].message
    assert diagnostics[1].place.end_column == 20


@pytest.mark.parametrize(
    ("line", "pointed", "rule"),
    [
        ('price_of("a") + "x"', 'price_of("a") + "x"', "unsupported-operator"),
        ("price_of(1)", "1)", "invalid-argument-type"),
        ("stock.nosuch()", "stock.nosuch()", "missing-attribute"),
        ("currency.get() + 1", "currency.get() + 1", "unsupported-operator"),
        ("who('a')", "'a')", "invalid-argument-type"),
        ("other(1, 2)", "2)", "too-many-positional-arguments"),
        ("other(Order('a'))", "Order('a'))", "invalid-argument-type"),
        ("users.get_user('a')", "'a')", "invalid-argument-type"),
        ("users.User('a').nam", "users.User('a').nam", "missing-attribute"),
        ("users.nosuch(1)", "users.nosuch(1)", "missing-attribute"),
        ("undefined_name", "undefined_name", "unresolved-reference"),
        ("Order(1)", "1)", "invalid-argument-type"),
        ("f(sku=1)", "sku=1)", None),
        ("f(nosuch=1)", None, None),
        ("'é' + 'ü' + nosuch", "nosuch", "unresolved-reference"),
        ("display(order)", "display(order)", "unresolved-reference"),
        ("order.sku + 1", "order.sku + 1", "unsupported-operator"),
    ],
)
def test_a_type_error_is_at_its_place(checker: TypeChecker, line: str, pointed: str | None, rule: str | None) -> None:
    text = (
        "\n@ftl.verb\ndef other(n: int) -> int: return n\n\n@ftl.verb\ndef f(order: Order, *, other, price_of,\n"
        f"      currency, stock, who=ftl.inject(users.get_user)):\n    {line}\n"
    )
    diagnostics = found(checker, text)
    assert [(d.place.filename, d.place.line) for d in diagnostics] == [("<shop/c1>", 8)]
    if pointed is not None:
        assert at(diagnostics)[0][2] == pointed
    if rule is not None:
        assert diagnostics[0].rule == rule
    assert "_ftl" not in diagnostics[0].message.lower()
    assert "Unknown" not in diagnostics[0].message


def test_a_verb_under_a_condition_indented_by_a_tab(checker: TypeChecker) -> None:
    text = "\nif currency:\n\t@ftl.verb\n\tdef f(order: Order, *, price_of) -> int:\n\t\treturn price_of(order.sku)\n"
    assert at(found(checker, text)) == [("<shop/c1>", 5, "price_of(order.sku)")]


def test_a_return_value_of_the_wrong_type_is_found(checker: TypeChecker) -> None:
    diagnostics = found(checker, "\n@ftl.verb\ndef f(order: Order) -> int:\n    return order.sku\n")
    assert at(diagnostics) == [("<shop/c1>", 4, "order.sku")]


@pytest.mark.parametrize(
    "line",
    [
        "import nosuchpackage",
        "from nosuchpackage.deep import x",
        "x = 1; x = 'a'",
        "y = nosuch  # type: ignore",
        "class A:\n    def f(self) -> int: return 1\nclass B(A):\n    def f(self, x: str) -> str: return x",
    ],
)
def test_what_does_not_refuse(checker: TypeChecker, line: str) -> None:
    assert found(checker, line) == []


def test_a_module_that_imports_itself_by_name_gets_its_own_types(checker: TypeChecker) -> None:
    diagnostics = found(checker, "from ftl_nb.modules.shop import Order as O\nx: Order = O('a')\ny: int = O('a')\n")
    assert at(diagnostics) == [("<shop/c1>", 3, "O('a')")]


def test_an_unknown_module_refuses(checker: TypeChecker) -> None:
    assert at(found(checker, "from ftl_nb.modules import nosuch")) == [("<shop/c1>", 1, "nosuch")]
    assert at(found(checker, "import ftl_nb.modules.nosuch")) == [("<shop/c1>", 1, "ftl_nb.modules.nosuch")]


def test_a_changed_declaration_is_checked_where_it_is_used(tmp_path: Path) -> None:
    stubs = dict(STUBS)
    user = "\nfrom ftl_nb.modules import users\nname = users.User('a').name + 'x'\n"
    other = module("other", "\nfrom ftl_nb.modules import shop\n")
    shop = module("shop", user, decls=SHOP)
    with TypeChecker(tmp_path / "check", stub=lambda module: stubs.get(module.name, "")) as checker:
        assert checker.check_system([shop, USERS, other], ["users", "shop", "other"]) == {}
        stubs["users"] = USERS_STUB.replace("name: str", "name: int")
        changed = ModuleInput("users", None, schema.Module("users", comments=("changed",)))
        diagnostics = checker.check_system([shop, changed, other], ["users"])
        assert list(diagnostics) == ["shop"]
        assert at(diagnostics["shop"])[0] == ("<shop/c0>", 3, "users.User('a').name + 'x'")
        stubs["users"] = STUBS["users"]
        assert checker.check_system([shop, USERS, other], ["users"]) == {}
        gone = checker.check_system([shop, other], ["shop"])
        assert at(gone["shop"]) == [("<shop/c0>", 2, "users")]


def test_who_depends_on_a_module_whose_schema_stays_is_not_checked_again(tmp_path: Path) -> None:
    stubs = dict(STUBS)
    user = module("shop", "\nfrom ftl_nb.modules import users\nname = users.User('a').name + 'x'\n", decls=SHOP)
    before = schema.parse_module("module users { data User { name String } }")
    commented = schema.parse_module("// Who buys.\nmodule users {\n\n data User { name String } }")
    other = schema.parse_module("module users { data User { name Int } }")
    with TypeChecker(tmp_path / "check", stub=lambda found: stubs.get(found.name, "")) as checker:
        assert checker.check_system([user, ModuleInput("users", None, before)], ["users", "shop"]) == {}
        # Wrong on purpose: what is found tells who was checked.
        stubs["users"] = USERS_STUB.replace("name: str", "name: int")
        assert checker.check_system([user, ModuleInput("users", None, commented)], ["users"], [before]) == {}
        assert list(checker.check_system([user, ModuleInput("users", None, other)], ["users"], [before])) == ["shop"]
        assert list(checker.check_system([user, ModuleInput("users", None, other)], ["users"])) == ["shop"]


def test_the_projects_own_files_are_seen_as_they_are_now(tmp_path: Path) -> None:
    own = tmp_path / "rates.py"
    own.write_text("RATE = 1.0\n")
    shop = module("shop", "import rates\nx = rates.RATE + 1\n")
    with TypeChecker(tmp_path / "check", roots=[tmp_path], stub=lambda _: "") as checker:
        assert checker.check_system([shop], ["shop"]) == {}
        own.write_text("RATE = 'a'\n")
        assert [d.rule for d in checker.check_system([shop], ["shop"])["shop"]] == ["unsupported-operator"]


@pytest.mark.parametrize(("name", "text"), [("json", "import json\nx = json.dumps(1)\n"), ("enum", "x = 1 + ''\n")])
def test_a_file_of_the_project_that_hides_a_module_of_pythons_own_is_named(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "code.py").write_text("")
    with TypeChecker(tmp_path / "check", roots=[tmp_path], stub=lambda _: "") as checker:
        found = checker.check_system([module("shop", text)], ["shop"])["shop"]
    assert found[0].hint == f"the project's {name}.py hides Python's own module {name}: give the file another name"


def test_with_the_stubs_of_the_schema_itself(tmp_path: Path) -> None:
    users = schema.parse_module(
        "module users {\n  export data User { name String age Int? }\n  export verb getUser(Int) users.User\n}"
    )
    good = """
@ftl.verb
def f(order: Order, *, price_of, who=ftl.inject(users.get_user)) -> float:
    first: PriceRow = prices()[0]
    return price_of(order.sku) + (who(1).age or 0) + first.price
"""
    with TypeChecker(tmp_path / "check") as checker:

        def places(text: str) -> list[tuple[str, int, str]]:
            system = [module("shop", OPENING, text, decls=SHOP), ModuleInput("users", None, users)]
            return at(checker.check_system(system, ["users"]).get("shop", []))

        assert places(good) == []
        assert places(good.replace(" or 0", "")) == [("<shop/c1>", 5, good.splitlines()[4].replace(" or 0", "")[11:])]
        assert places(good.replace("who(1)", "who('x')"))[0][2].startswith("'x')")


def test_a_default_that_another_modules_class_does_not_have_here_is_explained(tmp_path: Path) -> None:
    users = schema.parse_module("module users {\n  export data User { name String note String? age Int }\n}")
    text = "from ftl_nb.modules import users\ndef user() -> users.User:\n    return users.User('a')\n"
    with TypeChecker(tmp_path / "check") as checker:

        def check(text: str) -> dict[str, list[Diagnostic]]:
            return checker.check_system([module("shop", text), ModuleInput("users", None, users)], ["shop"])

        error = refusal(check(text))
        assert (error.message, str(error.place)) == (
            "No argument provided for required parameter `age`.",
            "<shop/c0>:3:12",
        )
        assert error.hint.startswith("a class's defaults are known in its own module alone")
        assert check(text.replace("'a'", "'a', None, 3"))
        assert check(text.replace("'a'", "'a', age=3")) == {}


def test_a_folder_that_git_ignores_is_checked(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    with TypeChecker(tmp_path / ".ftl", stub=lambda _: "") as checker:
        assert at(checker.check_system([module("shop", "nosuch\n")], ["shop"])["shop"]) == [("<shop/c0>", 1, "nosuch")]


def test_all_findings_are_one_error(checker: TypeChecker) -> None:
    error = refusal({"shop": found(checker, "nosuch\nnothing\n")})
    assert error.slug == "type-check"
    assert str(error.place) == "<shop/c1>:1:1"
    assert [str(other.place) for other in error.others] == ["<shop/c1>:2:1"]
