"""BINDING 10-14, 18 and 20 on a real cluster: the one namespace, injection, the ways to call, SQL verbs."""

from __future__ import annotations

import asyncio

import pytest

from e2e.driver import Notebook

STOCK = """
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL);
-- migrate:down
DROP TABLE items;

-- name: PriceOf :one
SELECT price FROM items WHERE sku = @sku;

-- name: Between :many
SELECT sku, price FROM items WHERE price >= @lowest AND price <= @highest ORDER BY sku;

-- name: AllItems :many
SELECT sku, price FROM items ORDER BY sku;

-- name: AddItem :exec
INSERT INTO items (sku, price) VALUES (@sku, @price);
"""
ORDER = """
    from dataclasses import dataclass

    @dataclass
    class Order:
        sku: str
        quantity: int = 1
"""


# --- 10: one namespace --------------------------------------------------------------------------------------------


COLLISIONS = [
    ("rate", "from ftl_nb import Config, verb\nrate = Config[float]('rate')\n@verb(name='rate')\ndef f() -> int: ..."),
    ("get_user", "from ftl_nb import verb\n@verb\ndef get_user() -> int: ...\n@verb\ndef getUser() -> int: ..."),
    ("tax_rate", "from ftl_nb import Config\na = Config[int]('taxRate')\nb = Config[int]('tax_rate')"),
]


@pytest.mark.parametrize(("name", "text"), COLLISIONS, ids=[name for name, _ in COLLISIONS])
def test_binding_10_a_collision_is_an_error(notebook: Notebook, name: str, text: str) -> None:
    error = notebook.run(f"%%ftl_module collides_{name}\n{text}").refusal
    assert error.slug == "name-collision"
    assert f"the same name '{name}' in module collides_{name}" in error.message
    assert error.place is not None


def test_binding_10_a_query_and_a_verb_cannot_have_one_name(notebook: Notebook) -> None:
    notebook.module("collide_sql")
    notebook.card(f"%%ftl_sql collide_sql.stock\n{STOCK}")
    error = notebook.run("%%ftl_verb\ndef price_of(sku: str) -> float:\n    return 1.0\n").refusal
    assert (error.slug, "priceOf" in error.message) == ("name-collision", True)
    taken = notebook.run("%%ftl_verb\ndef stock() -> float:\n    return 1.0\n").refusal
    assert taken.slug == "name-collision"


def test_binding_10_fields_that_meet_in_the_schema_are_an_error(notebook: Notebook) -> None:
    text = """
        import ftl_nb as ftl
        ftl.module("fields_meet")
        from dataclasses import dataclass

        @dataclass
        class Order:
            order_id: int
            orderId: int

        @ftl.verb
        def take(order: Order) -> int:
            return order.order_id
    """
    error = notebook.run(text).refusal
    assert (error.slug, error.place and error.place.line) == ("name-collision", 8)


def test_binding_10_an_injected_name_that_is_a_request_field_is_an_error(notebook: Notebook) -> None:
    notebook.module("shadowed", ORDER + "\n    from ftl_nb import Config\n    quantity = Config[int]('quantity')\n")
    error = notebook.run("%%ftl_verb\n\ndef take(order: Order, *, quantity) -> int:\n    return 1\n").refusal
    assert (error.slug, error.place and error.place.line) == ("injection-shadows-field", 3)


# --- 11: injection ------------------------------------------------------------------------------------------------


def test_binding_11_injection_by_name(notebook: Notebook) -> None:
    notebook.module(
        "by_name",
        """
        from ftl_nb import Config, verb
        rate = Config[float]("rate", default=0.5)

        @verb
        def half(n: int) -> float:
            return n / 2
        """,
    )
    notebook.card(f"%%ftl_sql by_name.stock\n{STOCK}")
    notebook.verb(
        """
        def uses_all(n: int, *, rate, half, stock, all_items, add_item) -> str:
            add_item("tea", 1.5)
            rows = stock.query("SELECT count(*) AS n FROM items")
            return f"{rate.get()} {half(n)} {rows[0]['n']} {all_items()[0].sku}"
        """
    )
    assert notebook.value("uses_all(3)") == "0.5 1.5 1 tea"
    text = notebook.schema("by_name")
    assert "+calls by_name.addItem, by_name.allItems, by_name.half" in text
    assert "+config by_name.rate" in text
    assert "+database uses by_name.stock" in text


def test_binding_11_injection_by_the_schemas_name(notebook: Notebook) -> None:
    notebook.module(
        "by_schema_name",
        """
        from ftl_nb import Config, verb
        rate = Config[float]("taxRate", default=0.25)

        @verb(name="halfOf")
        def half(n: int) -> float:
            return n / 2
        """,
    )
    notebook.verb("def taxed(n: int, *, tax_rate, half_of) -> float:\n    return half_of(n) * tax_rate.get()\n")
    assert notebook.value("taxed(4)") == 0.5
    notebook.run("%ftl config set by_schema_name.taxRate 0.5")
    assert notebook.value("taxed(4)") == 1.0


def test_binding_11_injection_of_another_modules_verb(notebook: Notebook) -> None:
    notebook.module("gives")
    notebook.verb("def doubled(n: int) -> int:\n    return 2 * n\n", "--export")
    notebook.module("takes", "import ftl_nb as ftl\nfrom ftl_nb.modules import gives\n")
    notebook.verb("def four_times(n: int, *, twice=ftl.inject(gives.doubled)) -> int:\n    return twice(twice(n))\n")
    assert notebook.value("four_times(3)") == 12
    assert "+calls gives.doubled" in notebook.schema("takes")
    assert notebook.value("four_times(3, twice=lambda n: n + 1)") == 5


def test_binding_11_injected_parameters_are_type_checked_unannotated(notebook: Notebook) -> None:
    notebook.module("checked")
    notebook.verb("def price_of(sku: str) -> float:\n    return 1.0\n")
    text = '%%ftl_verb\ndef checkout(sku: str, *, price_of) -> float:\n    return price_of("a", 1, 2) + "x"\n'
    error = notebook.run(text).refusal
    assert error.slug == "type-check"
    assert error.place is not None
    assert (error.place.filename, error.place.line) == ("<checked/checkout>", 3)
    assert error.place.source_line == '    return price_of("a", 1, 2) + "x"'
    assert "checkout" not in notebook.schema("checked")


def test_binding_11_an_unknown_injection_names_what_is_near(notebook: Notebook) -> None:
    notebook.module("near")
    notebook.verb("def price_of(sku: str) -> float:\n    return 1.0\n")
    error = notebook.run("%%ftl_verb\ndef take(sku: str, *, price_off) -> float:\n    return 1.0\n").refusal
    assert (error.slug, error.place and error.place.column) == ("unknown-injection", 23)
    assert "did you mean price_of?" in error.hint


def test_binding_11_an_injected_parameter_has_no_ordinary_default(notebook: Notebook) -> None:
    notebook.module("limits")
    error = notebook.run("%%ftl_verb\ndef take(sku: str, *, limit=10) -> float:\n    return 1.0\n").refusal
    assert error.slug == "injected-default"
    assert "make it a field of the request" in error.hint
    assert error.place is not None
    assert (error.place.line, error.place.column) == (2, 29)


# --- 12: the body here --------------------------------------------------------------------------------------------


def test_binding_12_passing_an_injected_parameter_runs_the_body_here(notebook: Notebook) -> None:
    notebook.module("here", "import os\n" + _dedented(ORDER))
    notebook.verb("def price_of(sku: str) -> float:\n    return 3.0\n")
    notebook.verb(
        """
        def checkout(order: Order, *, price_of) -> str:
            return f"{os.getpid()} {price_of(order.sku) * order.quantity}"
        """
    )
    here = notebook.value("import os\nos.getpid()")
    remote = notebook.value("checkout(Order('tea', 2))").split()
    local = notebook.value("checkout(Order('tea', 2), price_of=lambda sku: 1.0)").split()
    assert (remote[1], local[1]) == ("6.0", "2.0")
    assert int(remote[0]) != here
    assert int(local[0]) == here
    assert notebook.value("checkout(sku='tea', quantity=3, price_of=lambda sku: 1.0)").endswith(" 3.0")


def test_binding_12_what_is_not_passed_is_injected_as_a_remote_handle(notebook: Notebook) -> None:
    notebook.module("partly")
    notebook.verb("def one() -> int:\n    return 1\n")
    notebook.verb("def two() -> int:\n    return 2\n")
    notebook.verb("def both(*, one, two) -> int:\n    return one() + two()\n")
    assert notebook.value("both(), both(one=lambda: 10)") == (3, 12)


# --- 13: what analysis cannot see ---------------------------------------------------------------------------------


def test_binding_13_a_computed_verb_is_refused_with_the_line_to_write(notebook: Notebook) -> None:
    notebook.module("hidden_callee")
    notebook.verb("def secret_sum(n: int) -> int:\n    return n + 1\n", "--export")
    notebook.module("hidden_caller", "from ftl_nb.modules import hidden_callee\n")
    body = 'def guess(n: int) -> int:\n    return getattr(hidden_callee, "secret" + "_sum")(n)\n'
    notebook.verb(body)
    error = notebook.run("guess(1)").refusal
    assert error.slug == "hidden-use"
    assert error.hint == "write it on the verb: calls=['hidden_callee.secret_sum']"
    assert error.place is not None
    assert (error.place.filename, error.place.line) == ("<hidden_caller/guess>", 3)
    notebook.card("import ftl_nb as ftl\n@ftl.verb(calls=['hidden_callee.secret_sum'])\n" + body)
    assert notebook.value("guess(1)") == 2


def test_binding_13_the_magic_takes_the_same_word(notebook: Notebook) -> None:
    notebook.module("hidden_two", "from ftl_nb.modules import hidden_callee\n")
    notebook.verb(
        'def second_guess(n: int) -> int:\n    return getattr(hidden_callee, "secret_" + "sum")(n)\n',
        "--calls hidden_callee.secret_sum",
    )
    assert notebook.value("second_guess(1)") == 2


# --- 14: straight to the runner -----------------------------------------------------------------------------------


def test_binding_14_calls_go_straight_to_the_runner(notebook: Notebook) -> None:
    notebook.module("straight")
    notebook.verb("import os\n\ndef runner_pid() -> int:\n    return os.getpid()\n")
    route = notebook.session.view.route("straight.runnerPid")
    assert route is not None
    assert str(route.callee).endswith("/module/straight")
    assert notebook.value("runner_pid()") != notebook.session.supervisor
    spans = str(notebook.value("%ftl trace --stable"))
    assert spans.count("straight.runnerPid") == 1


# --- calls: the ways to call (DESIGN 2) ---------------------------------------------------------------------------


def test_binding_15_calls_take_the_request_or_its_fields(notebook: Notebook) -> None:
    notebook.module("ways", ORDER)
    notebook.verb("def total(order: Order) -> int:\n    return order.quantity\n")
    notebook.verb("def shout(word: str) -> str:\n    return word.upper()\n")
    assert notebook.value("total(Order('tea', 2)), total(sku='tea', quantity=3), total(sku='tea')") == (2, 3, 1)
    assert notebook.value("total(order=Order('tea', 4))") == 4
    assert notebook.value("shout('a'), shout(word='b')") == ("A", "B")
    unknown = notebook.run("total(sku='tea', colour='red')").refusal
    assert (unknown.slug, "sku, quantity" in unknown.message) == ("call-arguments", True)
    assert notebook.run("total('tea', 2)").refusal.slug == "call-arguments"
    assert notebook.run("total()").refusal.slug == "call-arguments"
    assert notebook.run("total(3)").refusal.slug == "json-invalid"


def test_binding_15_deadline_async_and_many_at_once(notebook: Notebook) -> None:
    notebook.module("styles", "import asyncio\nimport threading\n")
    notebook.verb("async def later(n: int) -> int:\n    await asyncio.sleep(0)\n    return n + 1\n")
    notebook.verb("def stuck() -> int:\n    while True:\n        threading.Event().wait(0.01)\n")
    notebook.verb("async def stuck_async() -> int:\n    await asyncio.Event().wait()\n    return 1\n")
    assert notebook.value("later(1)") == 2
    assert notebook.value("later.map(range(20))") == list(range(1, 21))
    assert asyncio.run(notebook["later"].aio(2)) == 3
    assert notebook.value("await later.aio(3)") == 4
    for verb in ("stuck", "stuck_async"):
        error = notebook.run(f"{verb}.with_timeout(0.3)()").refusal
        assert error.slug == "deadline"
        assert "0.3 s" in error.message
    assert notebook.value("later.with_timeout(5)(4)") == 5


def test_binding_15_an_async_verb_awaits_other_verbs(notebook: Notebook) -> None:
    notebook.module("awaits", "import asyncio\n")
    notebook.verb("async def one(n: int) -> int:\n    return n\n", "--export")
    notebook.verb(
        """
        async def gathers(n: int) -> list[int]:
            return list(await asyncio.gather(*(one.aio(i) for i in range(n))))
        """
    )
    assert notebook.value("gathers(4)") == [0, 1, 2, 3]


# --- 18: SQL verbs ------------------------------------------------------------------------------------------------


def test_binding_18_sql_verbs_take_positions_keywords_and_request_data(notebook: Notebook) -> None:
    notebook.module("sql_ways")
    notebook.card(f"%%ftl_sql sql_ways.stock\n{STOCK}")
    notebook.run("add_item('tea', 3.5)\nadd_item(sku='jam', price=2.0)\nadd_item(price=9.0, sku='rum')")
    assert notebook.value("price_of('tea'), price_of(sku='jam')") == (3.5, 2.0)
    assert notebook.value("[i.sku for i in between(2.0, 4.0)]") == ["jam", "tea"]
    assert notebook.value("[i.sku for i in between(3.0, highest=4.0)]") == ["tea"]
    assert notebook.value("[i.sku for i in between(highest=9.0, lowest=4.0)]") == ["rum"]
    assert notebook.value("[i.sku for i in between(sql_ways.BetweenQuery(0.0, 9.0))]") == ["jam", "rum", "tea"]
    assert notebook.run("price_of('none')").refusal.slug == "no-rows"
    assert notebook.run("between(1.0)").refusal.slug == "call-arguments"
    assert notebook.run("price_of(name='tea')").refusal.slug == "call-arguments"


def test_binding_18_sql_verbs_give_arrow_and_dataframes(notebook: Notebook) -> None:
    notebook.module("sql_arrow")
    notebook.card(f"%%ftl_sql sql_arrow.stock\n{STOCK}")
    notebook.run("add_item('tea', 3.5); add_item('jam', 2.0)")
    table = notebook.value("all_items.arrow()")
    assert table.to_pydict() == {"sku": ["jam", "tea"], "price": [2.0, 3.5]}
    frame = notebook.value("between.df(3.0, highest=4.0)")
    assert frame.to_dict("list") == {"sku": ["tea"], "price": [3.5]}
    assert notebook.value("type(all_items()[0]).__module__") == "ftl_nb.modules.sql_arrow"


def test_binding_18_two_aliases_with_equal_members_are_an_error(notebook: Notebook) -> None:
    text = """
        import ftl_nb as ftl
        ftl.module("ambiguous")
        from dataclasses import dataclass

        @dataclass
        class Cat:
            name: str

        @dataclass
        class Dog:
            name: str

        Pet = Cat | Dog
        Animal = Dog | Cat

        @ftl.verb
        def name_of(pet: Pet) -> str:
            return pet.name
    """
    error = notebook.run(text).refusal
    assert (error.slug, error.place and error.place.line) == ("enum-ambiguous", 14)


# --- 20: parameters and result columns ----------------------------------------------------------------------------


def test_binding_20_parameter_types_come_from_columns_or_a_cast(notebook: Notebook) -> None:
    notebook.module("parameters")
    notebook.card(f"%%ftl_sql parameters.stock\n{STOCK}")
    text = notebook.schema("parameters")
    assert "verb priceOf(String) Float" in text
    assert "lowest Float" in text
    unclear = "-- name: Odd :one\nSELECT @a AS a;\n"
    error = notebook.run(f"%%ftl_sql parameters.stock\n{unclear}").refusal
    assert error.slug == "sql-parameter-type"
    assert "@a of Odd" in error.message
    assert "CAST(@a AS VARCHAR)" in error.hint
    assert error.place is not None
    assert error.place.line == 3
    notebook.card("%%ftl_sql parameters.stock\n-- name: Plain :one\nSELECT CAST(@a AS BIGINT) + 1 AS a;\n")
    assert notebook.value("plain(41)") == 42


def _dedented(text: str) -> str:
    import textwrap

    return textwrap.dedent(text).lstrip("\n")
