"""Bad input: each gives one clear error at its place, and what was deployed before still answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.driver import Notebook, System
from ftl_nb.errors import FtlError

TILL = '''
    %%ftl_module till
    """Adds up."""
    from dataclasses import dataclass
    from typing import Any

    @dataclass
    class Order:
        sku: str
        quantity: int = 1
'''
MONEY = """
    %%ftl_sql till.money
    -- migrate:up
    CREATE TABLE coins (name TEXT PRIMARY KEY, cents INTEGER NOT NULL);
    -- migrate:down
    DROP TABLE coins;

    -- name: CentsOf :one
    SELECT cents FROM coins WHERE name = @name;

    -- name: CountCoins :one
    SELECT count(*) AS found FROM coins;
"""
FILL = """
    %%ftl_fixture
    def fill(*, money):
        money.execute("INSERT INTO coins VALUES ('dime', 10), ('cent', 1) ON CONFLICT DO NOTHING")
"""
TOTAL = """
    %%ftl_verb --export
    def total(order: Order, *, cents_of) -> int:
        return cents_of(order.sku) * order.quantity
"""
SLOW = """
    %%ftl_verb --export
    def forever() -> None:
        while True:
            pass
"""
MISCHIEF = """
    import ftl_nb as ftl
    ftl.module("mischief")
    import sys
    from typing import Any

    @ftl.verb
    def size_of(text: str) -> int:
        return len(text)

    @ftl.verb
    def text_of(size: int) -> str:
        return "x" * size

    @ftl.verb
    def wrong() -> int:
        answer: Any = "text"
        return answer

    @ftl.verb
    def leave() -> None:
        sys.exit(3)

    @ftl.verb
    def deep(n: int) -> int:
        return _deeper(n)

    def _deeper(n: int) -> int:
        return _deeper(n + 1)
"""


@pytest.fixture(scope="module")
def ready(system: System) -> Notebook:
    """A module with a database, a verb and a fixture, and one whose verbs misbehave."""
    for name, cell in (("till", TILL), ("money", MONEY), ("fill", FILL), ("total", TOTAL), ("forever", SLOW)):
        system.notebook.run(cell, cell_id=name).ok  # noqa: B018
    system.notebook.run(MISCHIEF).ok  # noqa: B018
    return system.notebook


@pytest.fixture
def till(ready: Notebook) -> Iterator[Notebook]:
    """Whatever a test does: the version that was there before answers, on the rows that were there."""
    yield ready
    assert ready.cluster.call("till.total", {"sku": "dime", "quantity": 3}) == 30
    assert ready.cluster.call("till.countCoins") == 2
    assert "pending: nothing" in ready.run("%ftl plan").ok.text


def at(error: FtlError) -> str:
    return str(error.place)


VERB = "%%ftl_verb --module till --export\n"


@pytest.mark.parametrize(
    ("cell_id", "cell", "slug", "place", "says", "hint"),
    [
        (
            "total",
            VERB + "def total(order: Order) -> int\n    return 1\n",
            "syntax",
            "<till/total>:2:31",
            "xpected ':'",
            "what was deployed still answers",
        ),
        (
            "total",
            VERB + "def total(order: Oder) -> int:\n    return 1\n",
            "load-failed",
            "<till/total>:2:18",
            "name 'Oder' is not defined",
            "did you mean Order",
        ),
        (
            "till",
            TILL.replace("from typing import Any", "import not_there"),
            "import-failed",
            "<till/module>:4:1",
            "not_there",
            "still answers",
        ),
        (
            "till",
            TILL.replace("from typing import Any", "RATE = 1 // 0"),
            "load-failed",
            "<till/module>:4:8",
            "ZeroDivisionError",
            "still answers",
        ),
        (
            "till",
            TILL.replace("from typing import Any", "raise SystemExit(3)"),
            "load-failed",
            "<till/module>:4:1",
            "SystemExit",
            "still answers",
        ),
        (
            "total",
            VERB + "def total(order: Order) -> int:\n    %time 1\n    return 1\n",
            "cell-magic-line",
            "<till/total>:3:5",
            "%time 1",
            "a cell of its own",
        ),
        (
            "total",
            VERB + "!ls\ndef total(order: Order) -> int:\n    return 1\n",
            "cell-magic-line",
            "<till/total>:2:1",
            "!ls",
            "a cell of its own",
        ),
        (
            "total",
            VERB + "def total(order: Order) -> int:\n    return order.sku\n",
            "type-check",
            "<till/total>:3:12",
            "str",
            "",
        ),
        (
            "total",
            VERB + "def total(order) -> int:\n    return 1\n",
            "parameter-unannotated",
            "<till/total>:2:11",
            "'order'",
            "annotate it",
        ),
        (
            "money",
            MONEY.replace("SELECT cents FROM coins WHERE", "SELECT cents FORM coins WHERE"),
            "sql-syntax",
            "<till/money.sql>:8:",
            "coins",
            "",
        ),
        (
            "money",
            MONEY.replace("SELECT cents FROM", "SELECT sents FROM"),
            "sql-unknown-name",
            "<till/money.sql>:8:8",
            "sents",
            "",
        ),
        (
            "money",
            MONEY.replace("cents INTEGER NOT NULL);", "cents INTEGER NOT NULL); SELECT nope FROM coins;"),
            "migration-failed",
            "<till/money.sql>:3:",
            "nope",
            "",
        ),
    ],
)
def test_a_cell_that_is_wrong_in_itself(
    till: Notebook, cell_id: str, cell: str, slug: str, place: str, says: str, hint: str
) -> None:
    output = till.run(cell, cell_id=cell_id)
    refused = output.refusal
    assert refused.slug == slug
    assert refused.code in output.shown
    assert at(refused).startswith(place)
    assert says in refused.message
    assert hint in refused.hint
    assert "^" in output.shown
    assert "Traceback" not in output.shown


def test_a_migration_that_fails_half_way_is_rolled_back(till: Notebook) -> None:
    cell = """
        %%ftl_sql till.money
        -- migrate:up
        CREATE TABLE notes (body TEXT);
        INSERT INTO coins VALUES ('euro', 100);
        INSERT INTO coins VALUES ('dime', 11);
        -- migrate:down
        DROP TABLE notes;
    """
    refused = till.run(cell, cell_id="half").refusal
    assert refused.slug == "migration-failed"
    assert "nothing of it stayed" in refused.message
    assert at(refused).startswith("<till/money.sql-2>:5:")
    assert till.run("till.money.query('FROM notes')").refusal.slug == "sql-failed"


def test_a_verb_that_never_returns_ends_with_its_deadline(till: Notebook) -> None:
    output = till.run("forever.with_timeout(0.3)()")
    refused = output.refusal
    assert refused.slug == "deadline"
    assert "till.forever did not answer within 0.3 s" in refused.message
    assert "with_timeout" in refused.hint
    trace = till.run("%ftl trace").ok.value
    assert [(s.verb, "cancelled" in s.error) for s in trace.spans] == [("till.forever", True)]


def test_a_body_over_the_limit_is_refused_before_it_is_sent(till: Notebook) -> None:
    refused = till.run("size_of('x' * 200_000_000)").refusal
    assert refused.slug == "body-too-large"
    assert "mischief.sizeOf is 200000002 bytes, the limit is 67108864" in refused.message
    assert refused.hint


def test_so_is_an_answer_over_the_limit(till: Notebook) -> None:
    refused = till.run("text_of(70_000_000)").refusal
    assert refused.slug == "body-too-large"
    assert "mischief.textOf is 70000002 bytes" in refused.message
    assert till["size_of"]("abc") == 3


@pytest.mark.parametrize(
    ("line", "slug", "says"),
    [
        ("%ftl call till.total {sku: 1}", "json-syntax", "not JSON"),
        ("%ftl call till.total 5", "json-invalid", "expected"),
        ('%ftl call till.total {"quantity": 1}', "json-invalid", "sku"),
        ('%ftl call till.total {"sku": "tea", "qty": 1}', "json-invalid", "$.qty: is not a valid field"),
        ("%ftl call till.totl {}", "unknown-verb", "till.totl"),
        ("%ftl call tell.total {}", "use-before-deploy", "tell"),
        ("%ftl call total {}", "usage", "MODULE.VERB"),
        ("%ftl stats", "usage", "stats"),
        ("%ftl trace many", "usage", "many"),
        ("total(Order('dime'), 3)", "call-arguments", "one request"),
        ("total(skew='dime')", "call-arguments", "its fields are sku, quantity"),
        ("wrong()", "result-invalid", "mischief.wrong"),
        ("leave()", "verb-raised", "SystemExit: 3"),
        ("deep(1)", "verb-raised", "RecursionError"),
    ],
)
def test_a_call_that_is_wrong(till: Notebook, line: str, slug: str, says: str) -> None:
    output = till.run(line)
    assert output.refusal.slug == slug
    assert says in output.refusal.message
    assert "ftl_nb/" not in output.shown
    assert len(output.shown) < 6_000


def test_the_name_that_was_nearly_right_is_in_the_hint(till: Notebook) -> None:
    assert "total" in till.run("%ftl call till.totl {}").refusal.hint


def test_two_notebooks_with_one_modules_name(till: Notebook, system: System) -> None:
    other = system.kernel("other.ipynb")
    refused = other.run(TILL).refusal
    assert refused.slug == "module-owned"
    assert "first.ipynb" in refused.message
    assert "another name" in refused.hint


def test_a_process_that_ends_while_it_loads_says_how(till: Notebook) -> None:
    refused = till.run(TILL.replace("from typing import Any", "import os\n    os._exit(7)"), cell_id="till").refusal
    assert refused.slug == "runner-start"
    assert refused.message.startswith("The runner of till did not become ready")
    assert "7" in refused.message


def test_a_runner_that_dies_in_a_call_is_named_and_comes_back(till: Notebook) -> None:
    cell = """
        import ftl_nb as ftl
        ftl.module("mortal")
        import os

        @ftl.verb
        def die() -> None:
            os._exit(1)

        @ftl.verb
        def live() -> str:
            return "here"
    """
    till.run(cell).ok  # noqa: B018
    refused = till.run("die()").refusal
    assert refused.slug == "runner-lost"
    assert "mortal" in refused.message
    assert till.run("live()").ok.value == "here"
