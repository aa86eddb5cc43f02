from collections.abc import Mapping

import pytest

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.compiler.analysis import Analysis, VerbUse, analyse
from ftl_nb.errors import FtlError

OPENING = """
import ftl_nb as ftl
from ftl_nb import Config
from ftl_nb.modules import users
from ftl_nb.modules.bank import transfer as pay_out, Account
from dataclasses import dataclass

currency = Config[str]("currency", default="USD")

@dataclass
class Order:
    sku: str
    quantity: int = 1
"""


def shop(*verbs: str, opening: str = OPENING, kind: str = "verb") -> ModuleSource:
    cells = [Cell("0", "module", "shop", opening)]
    cells += [Cell(str(i), kind, f"c{i}", text) for i, text in enumerate(verbs, 1)]  # type: ignore[arg-type]
    return ModuleSource("shop", (*cells, Cell("s", "sql", "stock", "-- migrate:up\n", database="stock")))


def analysed(*verbs: str, opening: str = OPENING, sql: Mapping[str, str] | None = None) -> Analysis:
    return analyse(shop(*verbs, opening=opening), sql or {"PriceOf": "stock"})


def uses(body: str, helpers: str = "") -> VerbUse:
    found = analysed(f"def checkout(order: Order) -> object:\n    {body}\n", opening=OPENING + helpers).verb("checkout")
    assert found is not None
    return found


def calls(body: str, helpers: str = "") -> list[str]:
    return [str(ref) for ref in uses(body, helpers).calls]


def refusal(*verbs: str, opening: str = OPENING, sql: Mapping[str, str] | None = None) -> FtlError:
    with pytest.raises(FtlError) as caught:
        analysed(*verbs, opening=opening, sql=sql)
    return caught.value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return users.get_user(order)", ["users.getUser"]),
        ("return users.User(1)", []),
        ("return pay_out(Account())", ["bank.transfer"]),
        ("return price_of(order.sku)", ["shop.priceOf"]),
        ("return checkout(order)", ["shop.checkout"]),
        ("return map(users.get_user, [order])", ["users.getUser"]),
        ("return [users.get_user(x) for x in order.xs]", ["users.getUser"]),
        ("return (lambda o: pay_out(o))(order)", ["bank.transfer"]),
        ("def inner(): return pay_out(1)\n    return inner()", ["bank.transfer"]),
        ("import ftl_nb.modules.tax\n    return ftl_nb.modules.tax.rate(1)", ["tax.rate"]),
        ("from ftl_nb.modules import tax as t\n    return t.rate.aio(1)", ["tax.rate"]),
        ("return ftl.modules.tax.rate(1)", ["tax.rate"]),
        ("from ftl_nb.modules import shop\n    return shop.price_of('a')", ["shop.priceOf"]),
        ("return users.get_user.map([1]), users.get_user.with_timeout(1)(2)", ["users.getUser"]),
        ("return f'{pay_out(1)!r}'", ["bank.transfer"]),
        ("users = {}\n    return users.get_user(order)", []),
        ("return [pay_out for pay_out in order.xs]", []),
        ("return (lambda price_of: price_of(1))(len)", []),
        ("for price_of in order.xs: price_of(1)", []),
        ("return order.price_of(1)", []),
    ],
)
def test_calls_seen_in_a_verb(body: str, expected: list[str]) -> None:
    assert calls(body) == expected


@pytest.mark.parametrize(
    ("helpers", "body"),
    [
        ("\ndef _buy(x): return pay_out(x)\n", "return _buy(order)"),
        ("\ndef _a(x): return _b(x)\ndef _b(x): return _a(x) or pay_out(x)\n", "return _a(order)"),
        ("\nclass Till:\n    def pay(self, x): return pay_out(x)\n", "return Till().pay(order)"),
        ("\nclass Base:\n    def pay(self, x): return pay_out(x)\nclass Till(Base): ...\n", "return Till().pay(order)"),
        ("\n_pay = lambda x: pay_out(x)\n", "return _pay(order)"),
        ("\nways = {'bank': pay_out}\n", "return ways['bank'](order)"),
        ("\nways = {}\nways['bank'] = pay_out\nalso = ways, pay_out\n", "return also"),
        ("\ndef _paid(f):\n    pay_out(1)\n    return f\n", "@_paid\n    def inner(): ...\n    inner()"),
        ("\nasync def _buy(x): return await pay_out.aio(x)\n", "return _buy(order)"),
    ],
)
def test_calls_seen_through_what_a_verb_reads(helpers: str, body: str) -> None:
    assert calls(body, helpers) == ["bank.transfer"]


def test_a_helper_in_a_later_cell_counts() -> None:
    later = Cell("9", "module", "more", "\ndef _helper(): return currency.get() + users.who()\n")
    found = analyse(shop("def checkout() -> object: return _helper()").with_cell(later)).verb("checkout")
    assert found is not None
    assert [str(r) for r in found.calls] == ["users.who"]
    assert [str(r) for r in found.configs] == ["shop.currency"]


def test_what_a_called_verb_uses_is_its_own_use() -> None:
    found = analysed("def outer() -> object: return inner()", "def inner() -> object: return pay_out(1)").verb("outer")
    assert found is not None
    assert [str(r) for r in found.calls] == ["shop.inner"]


def test_config_and_database_use_and_the_calls_option() -> None:
    text = '@ftl.verb(calls=["bank.close_account"])\ndef checkout(*, stock, price_of):\n    currency.get()\n'
    found = analysed(text).verb("checkout")
    assert found is not None
    assert [str(r) for r in found.calls] == ["bank.closeAccount", "shop.priceOf"]
    assert [str(r) for r in found.configs] == ["shop.currency"]
    assert [str(r) for r in found.databases] == ["shop.stock"]


def test_a_database_used_by_its_name() -> None:
    assert [str(r) for r in uses("stock.execute('SELECT 1')").databases] == ["shop.stock"]


def test_injection_by_name_and_by_inject() -> None:
    text = (
        "def checkout(order: Order, *, price_of, currency, who=ftl.inject(users.get_user), "
        "pay=ftl.inject(pay_out), again=ftl.inject(price_of)): ..."
    )
    found = analysed(text).verb("checkout")
    assert found is not None
    assert [(p.name, p.declaration.name if p.declaration else p.target) for p in found.injected] == [
        ("price_of", "priceOf"),
        ("currency", "currency"),
        ("who", ("users", "get_user")),
        ("pay", ("bank", "transfer")),
        ("again", "priceOf"),
    ]
    assert [str(r) for r in found.calls] == ["bank.transfer", "shop.priceOf", "users.getUser"]


def test_an_unknown_injected_name_lists_near_ones() -> None:
    error = refusal("\ndef checkout(order: Order, *, price_off): ...")
    assert error.slug == "unknown-injection"
    assert "price_of" in error.hint
    assert error.place is not None
    assert (error.place.filename, error.place.line, error.place.column) == ("<shop/c1>", 2, 31)


def test_the_verb_itself_is_not_offered_for_injection() -> None:
    hint = refusal("\ndef stock_the_shelves(*, stock_the_shelf): ...").hint
    assert "stock_the_shelves" not in hint
    assert "stock" in hint


@pytest.mark.parametrize("default", ["3", "None", "other(price_of)"])
def test_a_keyword_only_parameter_with_a_plain_default_is_not_injected(default: str) -> None:
    assert refusal(f"def checkout(*, limit={default}): ...").slug == "injected-default"


@pytest.mark.parametrize("annotation", ["Order", "'Order'", "Rush", "Box[int]"])
def test_an_injected_name_that_is_a_field_of_the_request_is_an_error(annotation: str) -> None:
    opening = OPENING + "\nstuff = Config[str]('sku')\n\nclass Rush(Order): ...\n\nclass Box(Order, Generic[T]): ...\n"
    error = refusal(f"def checkout(order: {annotation}, *, sku): ...", opening=opening)
    assert error.slug == "injection-shadows-field"


@pytest.mark.parametrize(
    ("verbs", "opening", "says"),
    [
        (("def price_of(): ...",), OPENING, "The SQL verb priceOf and a name of its Python cells"),
        (("def stock(): ...",), OPENING, "The database stock"),
        (("@ftl.verb(name='getUser')\ndef a(): ...", "def get_user(): ..."), OPENING, "'get_user'"),
        (("def checkout(): ...", "def checkout(): ..."), OPENING, "<shop/c1>"),
        (("@ftl.verb(name='currency')\ndef a(): ...",), OPENING, "the config currency"),
    ],
)
def test_one_namespace_after_the_change_to_snake_case(verbs: tuple[str, ...], opening: str, says: str) -> None:
    error = refusal(*verbs, opening=opening)
    assert error.slug == "name-collision"
    assert says in error.message


def test_a_class_is_defined_in_one_cell_of_its_module() -> None:
    error = refusal("class Order: ...\n\n@ftl.verb\ndef a() -> int: ...")
    assert error.slug == "name-collision"
    assert error.message.startswith("Class Order of <shop/")
    assert error.place is not None
    assert (error.place.filename, error.place.line) == ("<shop/c1>", 1)
    again = "import ftl_nb as ftl\nclass Twice: ...\nclass Twice: ...\n"
    assert analysed(opening=again).verbs == ()


def test_configs_are_declared_by_their_literal_name_or_by_the_variable() -> None:
    opening = (
        "import ftl_nb as ftl\na_rate = ftl.Config[float](default=1.0)\nb: object = ftl.Config[list[int]]('steps')\n"
    )
    found = analysed(opening=opening).configs
    assert [(c.name, c.variable, c.type) for c in found] == [("aRate", "a_rate", "float"), ("steps", "b", "list[int]")]


def test_a_secret_is_declared_and_used_like_a_config() -> None:
    opening = "import ftl_nb as ftl\napi_key = ftl.Secret[str]()\n\ndef _key() -> str:\n    return api_key.get()\n"
    found = analysed("@ftl.verb\ndef pay() -> str:\n    return _key()\n", opening=opening)
    assert [(c.name, c.kind) for c in found.configs] == [("apiKey", "secret")]
    assert [str(r) for r in found.verbs[0].secrets] == ["shop.apiKey"]
    assert found.verbs[0].configs == ()


def test_a_config_with_a_computed_name_is_refused() -> None:
    error = refusal(opening="from ftl_nb import Config\nx = Config[str](NAME)\n")
    assert error.slug == "bad-option"
    assert error.place is not None
    assert error.place.line == 2


def test_a_name_bound_again_means_the_last() -> None:
    helpers = "\ndef _buy(): return pay_out(1)\ndef _buy(): return users.get_user(1)\n"
    assert calls("return _buy()", helpers) == ["users.getUser"]


def test_packages_are_what_the_top_level_imports_from_outside() -> None:
    opening = (
        "import os, numpy as np\nimport sklearn.linear_model\nfrom pandas import DataFrame\nimport ftl_nb\n"
        "try:\n    import torch\nexcept ImportError:\n    torch = None\ndef _f():\n    import lazy\n"
    )
    assert analysed(opening=opening).packages == ("numpy", "sklearn.linear_model", "pandas", "torch")


def test_modules_are_the_others_that_the_text_imports() -> None:
    assert analysed("def f():\n    from ftl_nb.modules import tax, shop\n").modules == ("bank", "tax", "users")


SQL = """
-- migrate:up
CREATE TABLE items (sku TEXT);
-- migrate:down
DROP TABLE items;

-- name: PriceOf :one
SELECT 1.0 AS price;

-- What came in.
-- name: Incoming :many
SELECT sku FROM items;
"""


def fixture_digest(fixture: str, verb: str = "def add(*, stock): ...", sql: str = SQL) -> str:
    source = shop(fixture, opening=OPENING + "\n_rows = [1, 2]\ndef _read(): return _rows\n", kind="fixture")
    source = source.with_cell(Cell("v", "verb", "add", verb)).with_cell(
        Cell("s", "sql", "stock", sql, database="stock")
    )
    found = analyse(source, {"priceOf": "stock", "incoming": "stock"}).verb("fill")
    assert found is not None
    return found.digest


def test_a_fixtures_digest_follows_all_that_it_reaches() -> None:
    fill = "def fill():\n    _read()\n    add()\n    price_of()\n"
    first = fixture_digest(fill)
    assert fixture_digest("def fill(): # same\n\n    _read(); add(); price_of()\n") == first
    assert fixture_digest(fill.replace("add()", "add(1)")) != first
    assert fixture_digest(fill, verb="def add(*, stock): pass") != first
    assert fixture_digest(fill, sql=SQL.replace("(sku TEXT)", "(sku TEXT NOT NULL)")) != first
    assert fixture_digest(fill, sql=SQL.replace("1.0", "2.0")) != first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SELECT sku FROM items", "SELECT sku FROM items LIMIT 1"),
        ("What came in", "What came"),
        ("DROP TABLE items", "DROP TABLE IF EXISTS items"),
        ("-- name: PriceOf", "\n\n-- What it costs.\n-- name: PriceOf"),
    ],
)
def test_a_fixtures_digest_does_not_follow_queries_that_it_does_not_call(old: str, new: str) -> None:
    fill = "def fill(*, stock):\n    add()\n    price_of()\n"
    assert fixture_digest(fill, sql=SQL.replace(old, new)) == fixture_digest(fill)


def test_a_fixtures_digest_does_not_follow_what_it_does_not_reach() -> None:
    fill = "def fill():\n    _read()\n"
    changed = SQL.replace("(sku TEXT)", "(sku TEXT NOT NULL)")
    assert fixture_digest(fill, verb="def add(*, stock): pass", sql=changed) == fixture_digest(fill)


@pytest.mark.parametrize(
    ("text", "slug", "line"),
    [
        ("def f(n: int): return n", "result-unannotated", 1),
        ("async def f(n: int):\n    if n:\n        return n", "result-unannotated", 3),
        ("def f(n: int) -> int:\n    yield n", "verb-generator", 2),
        ("def f(n: int) -> list[int]:\n    x = yield from (n,)\n    return [x]", "verb-generator", 2),
        ("async def f(n: int):\n    yield n", "verb-generator", 2),
    ],
)
def test_a_result_that_the_text_does_not_declare_is_refused(text: str, slug: str, line: int) -> None:
    error = refusal(text)
    assert (error.slug, error.place and error.place.line) == (slug, line)
    assert error.hint


@pytest.mark.parametrize(
    "text",
    [
        "def f(n: int):\n    if n: return\n    return None",
        "def f(n: int) -> int:\n    def some():\n        yield n\n    return next(some())",
        "def f(n: int):\n    work = lambda: (yield n)\n    def g(): return n",
        "def f(n: int) -> int:\n    return sum(i for i in [n])",
        "from functools import cache\n@cache\ndef f(n: int):\n    return n",
        "def f(n: int) -> Stream[int]:\n    yield n",
    ],
)
def test_a_body_that_fits_its_declaration_is_not_refused(text: str) -> None:
    assert analysed(text).verb("f")


def test_an_annotation_that_means_one_of_pythons_own_is_no_call_of_a_verb() -> None:
    found = analysed("def list(n: int) -> list[int]:\n    return [n]").verb("list")
    assert found is not None
    assert found.calls == ()


def test_inject_without_its_import_says_so() -> None:
    error = refusal("def f(*, a=ftl.inject(shop.b)): ...", opening="x = 1\n")
    assert error.slug == "ftl-not-imported"
