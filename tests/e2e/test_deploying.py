"""BINDING 22 to 27: how a change of cells becomes a change of the system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.driver import Kernel, Notebook, Output, System

PRICES = '''
    %%ftl_module prices
    """What things cost."""
    from dataclasses import dataclass

    @dataclass
    class Price:
        sku: str
        amount: float
'''
STOCK = """
    %%ftl_sql prices.stock
    -- migrate:up
    CREATE TABLE items (sku TEXT PRIMARY KEY, amount DOUBLE NOT NULL);
    -- migrate:down
    DROP TABLE items;

    -- name: AmountOf :one
    SELECT amount FROM items WHERE sku = @sku;

    -- name: CountItems :one
    SELECT count(*) AS found FROM items;
"""
FILL = """
    %%ftl_fixture
    def fill(*, stock):
        stock.execute("INSERT INTO items VALUES ('tea', 3.5), ('cocoa', 2.0)")
"""
PRICE_OF = """
    %%ftl_verb --export
    def price(sku: str, *, amount_of) -> Price:
        return Price(sku, amount_of(sku))
"""


# --- 22 and 23: what a saved notebook says, where state is ---------------------------------------------------------


def fresh_run(folder: Path) -> list[tuple[str, str]]:
    """Text and HTML of every card of one run on a fresh state folder."""
    system = System(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FTL_STATE_DIR", str(system.state))
        kernel = system.kernel("same.ipynb")
        kernel.run("%load_ext ftl_nb")
        outputs = [kernel.run(cell).ok for cell in (PRICES, STOCK, FILL, PRICE_OF, PRICE_OF)]
        status = kernel.run("%ftl status").ok
        system.close()
    return [(o.text, o.html) for o in (*outputs, status)]


def test_22_cards_say_the_same_on_every_fresh_run(tmp_path: Path) -> None:
    folders = [tmp_path / "one" / "play", tmp_path / "two" / "play"]
    for folder in folders:
        folder.mkdir(parents=True)
    first, second = map(fresh_run, folders)
    assert first == second
    assert all(text and html for text, html in first)
    assert "deployed" in first[0][0]
    assert "unchanged" in first[4][0]


def test_23_state_is_in_the_state_folder_alone(system: System, notebook: Notebook) -> None:
    notebook.run(PRICES).ok  # noqa: B018
    assert system.state.stat().st_mode & 0o777 == 0o700
    assert not (system.folder / ".ftl").exists()


# --- 24: a change over several cells ---------------------------------------------------------------------------------


def order(module: str, field: str) -> str:
    return f"""
        %%ftl_module {module}
        from dataclasses import dataclass

        @dataclass
        class Order:
            sku: str
            {field}: int
    """


def total(module: str, field: str) -> str:
    return f"""
        %%ftl_verb --module {module} --export
        def total(order: Order) -> int:
            return order.{field} * 2
    """


def test_24_a_cell_that_breaks_one_of_its_module_is_pending_until_that_one_follows(notebook: Notebook) -> None:
    notebook.run(order("single", "quantity")).ok  # noqa: B018
    notebook.run(total("single", "quantity")).ok  # noqa: B018
    refused = notebook.run(order("single", "count")).refusal
    assert refused.slug == "breaks-others"
    assert "pending" in refused.hint
    assert "<single/total>" in str(refused)
    assert "tried together with it" in refused.hint
    assert "single" in notebook.run("%ftl status").ok.text
    assert "pending" in notebook.run("%ftl status").ok.text
    assert notebook.cluster.call("single.total", {"sku": "a", "quantity": 4}) == 8
    card = notebook.run(total("single", "count")).card
    assert card.status == "deployed"
    assert {c.name for c in card.changes} >= {"Order"}
    assert notebook.cluster.call("single.total", {"sku": "a", "count": 4}) == 8
    assert "pending: nothing" in notebook.run("%ftl plan").ok.text


def test_24_a_cell_that_has_nothing_to_do_with_what_is_pending_is_not_held_up(notebook: Notebook) -> None:
    one = """
        %%ftl_verb --module held --export
        def one() -> int:
            return 1
    """
    notebook.run(order("held", "quantity")).ok  # noqa: B018
    notebook.run(total("held", "quantity")).ok  # noqa: B018
    assert notebook.run(order("held", "count")).refusal.slug == "breaks-others"
    assert notebook.run(one).card.status == "deployed"
    assert notebook.cluster.call("held.one") == 1
    assert notebook.run(total("held", "quantity")).card.status == "unchanged"
    assert "pending: held" in notebook.run("%ftl plan").ok.text
    notebook.run(total("held", "count")).ok  # noqa: B018
    assert notebook.cluster.call("held.total", {"sku": "a", "count": 2}) == 4
    assert notebook.cluster.call("held.one") == 1


def test_24_the_notebook_has_the_class_of_a_pending_cell_once_it_lands(notebook: Notebook) -> None:
    notebook.run(order("landing", "quantity")).ok  # noqa: B018
    notebook.run(total("landing", "quantity")).ok  # noqa: B018
    assert notebook.run(order("landing", "count") + "\n        size = 3\n").refusal.slug == "breaks-others"
    assert notebook.value("Order('a', quantity=2).quantity") == 2
    notebook.run(total("landing", "count")).ok  # noqa: B018
    assert notebook.value("total(Order('a', count=4))") == 8
    assert notebook.value("size") == 3


def test_24_what_a_cell_binds_itself_is_left_alone_when_another_lands(notebook: Notebook) -> None:
    notebook.run(order("own_names", "quantity")).ok  # noqa: B018
    notebook.run(total("own_names", "quantity")).ok  # noqa: B018
    assert notebook.run(order("own_names", "count")).refusal.slug == "breaks-others"
    notebook.run("total = 'mine'").ok  # noqa: B018
    notebook.run("%%ftl_verb --module own_names\ndef one() -> int:\n    return 1\n").ok  # noqa: B018
    assert notebook.value("total") == "mine"
    notebook.run("%ftl discard").ok  # noqa: B018


def test_24_plan_and_check_tell_of_what_is_pending(notebook: Notebook) -> None:
    verb = "%%ftl_verb --module {}\ndef {}(n: int) -> int:\n    return {}\n"
    notebook.module("told", "def _step() -> int:\n    return 1\n")
    notebook.run(verb.format("told", "walk", "n + _step()")).ok  # noqa: B018
    refused = notebook.run("%%ftl_module told\ndef _step() -> str:\n    return 'a'\n").refusal
    assert refused.slug == "breaks-others"
    plan = notebook.run("%ftl plan").ok.text.splitlines()
    assert plan[:2] == ["no declaration would change", "pending: told"]
    assert "<told/walk>" in "\n".join(plan)
    checked = notebook.run("%ftl check").ok.stdout + notebook.run("%ftl check").ok.text
    assert "nothing to mend; pending, and not among them: told (see %ftl plan)" in checked
    notebook.run("%ftl discard told").ok  # noqa: B018
    assert notebook.run("%ftl plan").ok.text.splitlines() == ["nothing would change", "pending: nothing"]


def over(field: str) -> str:
    return f"""
        import ftl_nb as ftl
        ftl.module("over")
        from ftl_nb.modules import under

        @ftl.verb(export=True)
        def twice(n: int) -> int:
            return under.Order("a", n).{field} * 2
    """


def under(field: str) -> str:
    return f"""
        %%ftl_module under
        from dataclasses import dataclass
        import ftl_nb as ftl

        @dataclass
        class Order:
            sku: str
            {field}: int

        @ftl.verb(export=True)
        def take(order: Order) -> str:
            return order.sku
    """


def define_pair(notebook: Notebook) -> None:
    notebook.run("%ftl remove over")
    notebook.run("%ftl remove under")
    notebook.run(under("quantity"), cell_id="under-module").ok  # noqa: B018
    notebook.run(over("quantity"), cell_id="over-module").ok  # noqa: B018


def test_24_over_two_modules_the_second_cell_makes_both_move_in_one_changeset(notebook: Notebook) -> None:
    define_pair(notebook)
    before = deployment_keys(notebook)
    refused = notebook.run(under("count"), cell_id="under-module").refusal
    assert refused.slug == "breaks-others"
    assert "<over/module>" in refused.message
    assert notebook.cluster.call("over.twice", 3) == 6
    assert deployment_keys(notebook) == before
    plan = notebook.run("%ftl plan").ok.text
    assert "pending: under" in plan
    assert "count" in plan
    with commits(notebook) as committed:
        card = notebook.run(over("count"), cell_id="over-module").card
        assert next(committed) == {"under", "over"}
    assert card.status == "deployed"
    assert any(c.name == "under.Order" for c in card.changes)
    assert notebook.cluster.call("over.twice", 4) == 8
    after = deployment_keys(notebook)
    assert all(after[name] != before[name] for name in ("under", "over"))


def test_24_a_cells_own_error_is_told_before_that_of_what_is_pending_in_its_module(notebook: Notebook) -> None:
    notebook.module("hiding", "from dataclasses import dataclass\n@dataclass\nclass Coin:\n    worth: int\n")
    notebook.verb("def spend(coin: Coin) -> int:\n    return coin.worth\n")
    renamed = "%%ftl_module hiding\nfrom dataclasses import dataclass\n@dataclass\nclass Coin:\n    value: int\n"
    assert notebook.run(renamed).refusal.slug == "breaks-others"
    for text in ("def other(n: int) -> int:\n    return 'no'\n", "def other(n: int) -> int:\n    return n + = 1\n"):
        refused = notebook.run("%%ftl_verb\n" + text).refusal
        assert refused.place is not None
        assert refused.place.filename.startswith("<hiding/other") or refused.place.filename.startswith("<hiding/verb")
        assert refused.place.line == 3
    assert "pending: hiding" in notebook.run("%ftl plan").ok.text
    notebook.verb("def spend(coin: Coin) -> int:\n    return coin.value\n")
    assert notebook.cluster.call("hiding.spend", {"value": 3}) == 3


def test_24_taking_the_cell_back_clears_what_was_pending(notebook: Notebook) -> None:
    define_pair(notebook)
    before = deployment_keys(notebook)
    assert notebook.run(under("number"), cell_id="under-module").refusal.slug == "breaks-others"
    assert "pending: under" in notebook.run("%ftl plan").ok.text
    assert notebook.run(under("quantity"), cell_id="under-module").card.status == "unchanged"
    assert "pending: nothing" in notebook.run("%ftl plan").ok.text
    assert deployment_keys(notebook) == before


def test_24_what_is_pending_outlives_the_cluster(notebook: Notebook) -> None:
    notebook.run(order("lasting", "quantity")).ok  # noqa: B018
    notebook.run(total("lasting", "quantity")).ok  # noqa: B018
    assert notebook.run(order("lasting", "count")).refusal.slug == "breaks-others"
    notebook.run("%ftl down").ok  # noqa: B018
    assert "pending: lasting" in notebook.run("%ftl plan").ok.text
    assert notebook.cluster.call("lasting.total", {"sku": "a", "quantity": 2}) == 4
    notebook.run(total("lasting", "count")).ok  # noqa: B018
    assert notebook.cluster.call("lasting.total", {"sku": "a", "count": 2}) == 4


def test_24_a_module_that_others_need_is_not_removed(notebook: Notebook) -> None:
    define_pair(notebook)
    refused = notebook.run("%ftl remove under").refusal
    assert refused.slug == "module-needed"
    assert "<over/module>" in refused.message
    assert notebook.cluster.call("over.twice", 3) == 6
    assert notebook.cluster.call("under.take", {"sku": "a", "quantity": 1}) == "a"


def shapes(answer: str, value: str) -> str:
    return f"""
        import ftl_nb as ftl
        ftl.module("shapes")

        @ftl.verb(export=True)
        def corners(name: str) -> {answer}:
            return {value}
    """


def test_24_a_dependant_that_still_fits_moves_along(notebook: Notebook) -> None:
    painter = """
        import ftl_nb as ftl
        ftl.module("painter")
        from ftl_nb.modules import shapes

        @ftl.verb(export=True)
        def paint(name: str) -> int:
            return round(shapes.corners(name))
    """
    notebook.run(shapes("int", "4"), cell_id="shapes").ok  # noqa: B018
    notebook.run(painter).ok  # noqa: B018
    with commits(notebook) as committed:
        card = notebook.run(shapes("float", "5.75"), cell_id="shapes").card
        assert next(committed) == {"shapes", "painter"}
    assert "painter still fits and moved along" in card.notes
    assert notebook.cluster.call("painter.paint", "square") == 6


# --- 25: fixtures ----------------------------------------------------------------------------------------------------


def test_25_fixtures_run_inside_the_deployment_and_not_again_for_an_edited_verb(notebook: Notebook) -> None:
    notebook.run("%ftl reset")
    notebook.run(PRICES).ok  # noqa: B018
    notebook.run(STOCK).ok  # noqa: B018
    assert any("fixture fill ran" in n for n in notebook.run(FILL).card.notes)
    assert notebook["count_items"]() == 2
    card = notebook.run(PRICE_OF).card
    assert not any("fixture" in n for n in card.notes)
    edited = PRICE_OF.replace("amount_of(sku))", "amount_of(sku) * 2)")
    assert not any("fixture" in n for n in notebook.run(edited).card.notes)
    assert notebook["price"]("tea").amount == 7.0
    assert notebook["count_items"]() == 2


def test_25_an_edited_fixture_runs_again(notebook: Notebook) -> None:
    edited = FILL.replace("VALUES ('tea', 3.5), ('cocoa', 2.0)", "VALUES ('milk', 1.0)")
    assert any("fixture fill ran" in n for n in notebook.run(edited).card.notes)
    assert notebook["count_items"]() == 3


def test_25_a_fixture_that_raises_moves_nothing(notebook: Notebook) -> None:
    before = deployment_keys(notebook)
    raising = """
        %%ftl_fixture
        def fill(*, stock):
            stock.execute("INSERT INTO items VALUES ('rum', 9.0)")
            raise RuntimeError("the shelf is broken")
    """
    refused = notebook.run(raising).refusal
    assert refused.slug == "fixture-failed"
    assert "prices.fill" in refused.message
    assert "the shelf is broken" in refused.message
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<prices/fill>", 4)
    assert notebook["count_items"]() == 3
    assert deployment_keys(notebook) == before
    assert notebook["price"]("tea").amount == 7.0


def test_25_manual_fixtures_run_by_call_alone(notebook: Notebook) -> None:
    manual = """
        %%ftl_fixture --manual
        def sell_out(*, stock):
            stock.execute("DELETE FROM items")
    """
    card = notebook.run(manual).card
    assert not any("ran" in n for n in card.notes)
    assert notebook["count_items"]() == 3
    notebook.run("%ftl call prices.sell_out").ok  # noqa: B018
    assert notebook["count_items"]() == 0


def test_25_a_fixture_may_call_another_module(notebook: Notebook) -> None:
    supplier = """
        import ftl_nb as ftl
        ftl.module("supplier")

        @ftl.verb(export=True)
        def offer(sku: str) -> float:
            return 4.25
    """
    buyer = """
        %%ftl_module buyer
        from ftl_nb.modules import supplier
    """
    shelf = """
        %%ftl_sql buyer.shelf
        -- migrate:up
        CREATE TABLE bought (sku TEXT NOT NULL, amount DOUBLE NOT NULL);
        -- migrate:down
        DROP TABLE bought;

        -- name: Bought :many
        SELECT sku, amount FROM bought;
    """
    buy = """
        %%ftl_fixture
        def buy(*, shelf):
            shelf.execute("INSERT INTO bought VALUES ('jam', $amount)", amount=supplier.offer("jam"))
    """
    for cell in (supplier, buyer, shelf, buy):
        output = notebook.run(cell).ok
    assert any("fixture buy ran" in n for n in output.card.notes)
    assert [(row.sku, row.amount) for row in notebook["bought"]()] == [("jam", 4.25)]


# --- 26: migrations ---------------------------------------------------------------------------------------------------

BOOKS = """
    %%ftl_sql library.books
    -- migrate:up
    CREATE TABLE books (title TEXT NOT NULL);
    -- migrate:down
    DROP TABLE books;

    -- name: CountBooks :one
    SELECT count(*) AS found FROM books;

    -- name: AddBook :exec
    INSERT INTO books (title) VALUES (@title);
"""
SHELVE = """
    %%ftl_fixture --module library
    def shelve(*, add_book):
        add_book("Emma")
"""
WIDER = BOOKS.replace("title TEXT NOT NULL);", "title TEXT NOT NULL, year INTEGER);")


@pytest.fixture
def library(notebook: Notebook) -> Iterator[Notebook]:
    """A database with one row of its fixture and two that a person added."""
    notebook.run("%ftl remove library")
    for cell in ("%%ftl_module library\n'Books.'", BOOKS, SHELVE):
        notebook.run(cell).ok  # noqa: B018
    for title in ("Ulysses", "Middlemarch"):
        notebook["add_book"](title)
    yield notebook
    notebook.run("%ftl reset").ok  # noqa: B018


def test_26_a_changed_migration_rebuilds_with_the_fixtures_and_says_what_went(library: Notebook) -> None:
    assert library["count_books"]() == 3
    card = library.run(WIDER).card
    notes = "\n".join(card.notes)
    assert "database books was rebuilt" in notes
    assert "3 of books" in notes
    assert "fixture shelve ran" in notes
    assert library["count_books"]() == 1


def test_26_keep_refuses_instead(library: Notebook) -> None:
    refused = library.run(WIDER.replace("library.books", "library.books --keep", 1)).refusal
    assert refused.slug == "migration-changed"
    assert library["count_books"]() == 3


def test_26_a_migration_of_a_second_cell_keeps_the_rows_and_runs_the_fixtures_of_its_database(
    library: Notebook,
) -> None:
    second = """
        %%ftl_sql library.books
        -- migrate:up
        CREATE TABLE readers (name TEXT NOT NULL);
        -- migrate:down
        DROP TABLE readers;

        -- name: Readers :many
        SELECT name FROM readers;
    """
    card = library.run(second).card
    assert card.notes == ("fixture shelve ran",)
    assert library["count_books"]() == 4
    assert list(library["readers"]()) == []


def test_26_an_edited_query_leaves_rows_and_fixtures_alone(library: Notebook) -> None:
    edited = BOOKS.replace("count(*) AS found", "count(*) * 10 AS found")
    assert library.run(edited).card.notes == ()
    assert library["count_books"]() == 30


def test_26_a_fixture_that_does_not_fit_the_changed_table_leaves_the_database_as_it_was(library: Notebook) -> None:
    refused = library.run(BOOKS.replace("title TEXT NOT NULL);", "title TEXT NOT NULL, year INTEGER NOT NULL);"))
    assert refused.refusal.slug in ("fixture-failed", "breaks-others")
    assert library["count_books"]() == 3
    library["add_book"]("Persuasion")
    assert library["count_books"]() == 4


def test_26_a_migration_that_is_taken_out_rebuilds_too(library: Notebook) -> None:
    second = BOOKS.replace("books (", "authors (").replace("TABLE books", "TABLE authors")
    second = second[: second.index("-- name: CountBooks")]
    library.run(second, cell_id="authors").ok  # noqa: B018
    emptied = "%%ftl_sql library.books\n-- name: OneBook :one\nSELECT title FROM books LIMIT 1;"
    card = library.run(emptied, cell_id="authors").card
    assert any("database books was rebuilt" in n for n in card.notes)
    assert library["count_books"]() == 1


def test_26_a_column_that_a_verb_reads_moves_with_the_verb(library: Notebook) -> None:
    first_title = """
        %%ftl_verb --module library
        def first_title(*, first_book) -> str:
            return first_book().title
    """
    query = "\n    -- name: FirstBook :one\n    SELECT * FROM books ORDER BY 1 LIMIT 1;\n"
    library.run(BOOKS + query.replace("*", "title, 1 AS n")).ok  # noqa: B018
    library.run(first_title).ok  # noqa: B018
    renamed = BOOKS.replace("title TEXT", "name TEXT").replace("(title)", "(name)") + query.replace("*", "name, 1 AS n")
    assert library.run(renamed).refusal.slug == "breaks-others"
    assert library["first_title"]() == "Emma"
    assert library["count_books"]() == 3
    card = library.run(first_title.replace(".title", ".name")).card
    assert any("database books was rebuilt" in n for n in card.notes)
    assert library["first_title"]() == "Emma"


# --- 27: whose a module is --------------------------------------------------------------------------------------------


@pytest.fixture
def second(system: System) -> Iterator[Kernel]:
    """Another notebook, that closes with the test."""
    kernel = system.kernel("second.ipynb")
    yield kernel
    kernel.close()


def test_27_a_module_belongs_to_the_notebook_that_defined_it(notebook: Notebook, second: Kernel) -> None:
    notebook.run(under("quantity"), cell_id="own").ok  # noqa: B018
    second.run("%load_ext ftl_nb")
    refused = second.run(under("other")).refusal
    assert refused.slug == "module-owned"
    assert "first.ipynb" in refused.message
    used = second.run("from ftl_nb.modules import under\nunder.take(under.Order('tea', 1))").ok
    assert used.text == "'tea'"


def test_27_once_that_notebook_has_closed_another_may_define_it(notebook: Notebook, second: Kernel) -> None:
    cell = """
        %%ftl_module borrowed
        import ftl_nb as ftl

        @ftl.verb(export=True)
        def one() -> int:
            return 1
    """
    second.run("%load_ext ftl_nb")
    second.run(cell).ok  # noqa: B018
    assert "second.ipynb" in notebook.run(cell).refusal.message
    second.close()
    assert until_owned(notebook, cell).card.status in ("deployed", "unchanged")


def test_27_the_owner_is_known_again_once_it_has_rejoined_a_cluster_that_was_ended(
    notebook: Notebook, second: Kernel
) -> None:
    cell = """
        %%ftl_module remembered
        import ftl_nb as ftl

        @ftl.verb(export=True)
        def one() -> int:
            return {value}
    """
    second.run("%load_ext ftl_nb")
    second.run(cell.format(value=1)).ok  # noqa: B018
    notebook.run("%ftl down").ok  # noqa: B018
    assert second.run("one()").ok.text == "1"
    assert "second.ipynb" in notebook.run(cell.format(value=2)).refusal.message
    notebook.run("%ftl down").ok  # noqa: B018
    assert notebook.run(cell.format(value=3)).card.status == "deployed"
    refused = second.run(cell.format(value=4)).refusal
    assert refused.slug == "module-owned"
    assert "first.ipynb" in refused.message


# --- what does not change, and what goes ------------------------------------------------------------------------------

COUNTING = """
    %%ftl_module counting
    import ftl_nb as ftl

    @ftl.verb(export=True)
    def one() -> int:
        return 1

    @ftl.verb(export=True)
    def two() -> int:
        return 2
"""


def test_an_unchanged_cell_is_not_deployed_again(notebook: Notebook) -> None:
    notebook.run(COUNTING).ok  # noqa: B018
    before = deployment_keys(notebook)
    assert notebook.run(COUNTING).card.status == "unchanged"
    assert deployment_keys(notebook) == before


def test_a_cell_that_no_longer_defines_a_verb_removes_it(notebook: Notebook) -> None:
    notebook.run(COUNTING, cell_id="counting").ok  # noqa: B018
    card = notebook.run(COUNTING[: COUNTING.rindex("@ftl.verb")], cell_id="counting").card
    assert [(c.sign, c.name) for c in card.changes] == [("-", "two")]
    assert notebook.run("%ftl call counting.two").refusal.slug == "unknown-verb"
    assert notebook.cluster.call("counting.one") == 1


def test_a_cluster_that_ended_comes_back_with_all_that_was_deployed(notebook: Notebook) -> None:
    for cell in (COUNTING, PRICES, STOCK, FILL, PRICE_OF):
        notebook.run(cell).ok  # noqa: B018
    before = deployment_keys(notebook)
    notebook.run("%ftl down").ok  # noqa: B018
    assert "not started" in notebook.run("%ftl status").ok.text
    assert notebook["price"]("tea").amount == 3.5
    assert "running" in notebook.run("%ftl status").ok.text
    assert deployment_keys(notebook) == before
    assert notebook.run(PRICE_OF).card.status == "unchanged"
    assert notebook.cluster.call("counting.one") == 1


def test_status_marks_what_was_not_run_in_this_session(notebook: Notebook, second: Kernel) -> None:
    notebook.run(COUNTING).ok  # noqa: B018
    second.run("%load_ext ftl_nb")
    theirs = second.run("%ftl status").ok.text
    assert "not run in this session" in line_of(theirs, "counting")
    assert "not run in this session" not in line_of(notebook.run("%ftl status").ok.text, "counting")


# --- what the tests ask of the cluster --------------------------------------------------------------------------------


def deployment_keys(notebook: Notebook) -> dict[str, str]:
    """The key of every canonical deployment by module."""
    from ftl_nb.rpc import workspace_pb2
    from ftl_nb.rpc.services import WorkspaceService

    response = notebook.session.ask(WorkspaceService.status, workspace_pb2.StatusRequest())
    return {m.name: m.deployment for m in response.modules}


@contextmanager
def commits(notebook: Notebook) -> Iterator[Iterator[set[str]]]:
    """The names of the modules that move together, one set a changeset, from here on."""
    from ftl_nb.rpc import schemaservice_pb2
    from ftl_nb.rpc.services import AdminService

    stream = AdminService.pull_schema.on(notebook.session._control())(schemaservice_pb2.PullSchemaRequest())
    next(iter(stream))
    try:
        yield (_moved(r.event) for r in stream if r.event.HasField("changeset_committed_notification"))
    finally:
        stream.cancel()


def _moved(event: Any) -> set[str]:
    changes = event.changeset_committed_notification.changeset.realm_changes
    return {module.name for change in changes for module in change.modules}


def until_owned(notebook: Notebook, cell: str) -> Output:
    """The cell's output once the other notebook's end has been seen."""
    output = notebook.run(cell)
    while output.error is not None and output.refusal.slug == "module-owned":
        output = notebook.run(cell)
    return output


def line_of(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)
