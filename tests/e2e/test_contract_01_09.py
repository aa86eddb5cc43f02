"""BINDING 1-9 on a real cluster: text, cells, modules, and the names that a notebook gets."""

from __future__ import annotations

import pytest

from e2e.driver import Notebook, System

ORDER = '''
    """Prices and orders."""
    from dataclasses import dataclass

    @dataclass
    class Order:
        sku: str
        quantity: int = 1
'''


def opened(notebook: Notebook, module: str, text: str = ORDER) -> Notebook:
    """The notebook with `module` deployed and open."""
    notebook.card(f"%%ftl_module {module}\n" + _dedented(text))
    return notebook


def _dedented(text: str) -> str:
    import textwrap

    return textwrap.dedent(text).lstrip("\n")


# --- 1: a module is text ------------------------------------------------------------------------------------------


def test_binding_01_cells_share_one_namespace_in_first_run_order(notebook: Notebook) -> None:
    opened(notebook, "one_space", "base = 2\n")
    notebook.card("%%ftl_module one_space\nfactor = base * 10\n")
    notebook.card("%%ftl_verb\ndef scaled(n: int) -> int:\n    return n * factor\n")
    assert notebook.run("scaled(3)").ok.value == 60
    # The first cell again: it keeps its place before the one that reads its name.
    notebook.card("%%ftl_module one_space\nbase = 3\n")
    assert notebook.run("scaled(3)").ok.value == 90


def test_binding_01_a_traceback_shows_the_cell_and_its_own_line(notebook: Notebook) -> None:
    opened(notebook, "lines", "def _deep(n: int) -> float:\n    return 1 / n\n")
    notebook.card("%%ftl_verb\n\ndef broken(n: int) -> float:\n    # two\n    return _deep(n)\n")
    error = notebook.run("broken(0)").refusal
    assert (error.slug, error.message) == ("verb-raised", "lines.broken raised ZeroDivisionError: division by zero.")
    assert error.place is not None
    assert (error.place.filename, error.place.line) == ("<lines/module>", 3)
    assert "<lines/broken>" in error.remote
    assert "line 5" in error.remote
    assert "return _deep(n)" in error.remote
    assert "site-packages" not in error.remote
    assert "ftl_nb/" not in error.remote


def test_binding_01_an_error_while_loading_shows_the_cell_and_its_own_line(notebook: Notebook) -> None:
    error = notebook.run("%%ftl_module loading_lines\nimport math\n\nx = math.sqrt(-1)\n").refusal
    assert error.slug == "load-failed"
    assert error.place is not None
    assert (str(error.place), error.place.source_line) == ("<loading_lines/module>:4:5", "x = math.sqrt(-1)")


def test_binding_01_a_syntax_error_shows_the_cell_and_its_own_line(notebook: Notebook) -> None:
    error = notebook.run("%%ftl_module syntax_lines\nx = 1\ny = (\n").refusal
    assert error.slug == "syntax"
    assert error.place is not None
    assert (error.place.filename, error.place.line) == ("<syntax_lines/module>", 3)


@pytest.mark.parametrize("line", ["%time x = 1", "!ls", "files = !ls", "y = %pwd"])
def test_binding_01_a_cell_with_magic_lines_is_refused(notebook: Notebook, line: str) -> None:
    error = notebook.run(f"%%ftl_module magic_lines\nx = 1\n{line}\n").refusal
    assert error.slug == "cell-magic-line"
    assert error.place is not None
    assert (error.place.line, error.place.source_line) == (3, line)
    plain = notebook.run(f"import ftl_nb as ftl\nftl.module('magic_lines')\n{line}\n").refusal
    assert (plain.slug, plain.place and plain.place.line) == ("cell-magic-line", 3)


# --- 2: which module ----------------------------------------------------------------------------------------------


def test_binding_02_no_open_module_is_an_error(system: System) -> None:
    error = system.kernel("nothing-open.ipynb").run("%%ftl_verb\ndef f() -> int:\n    return 1\n").refusal
    assert (error.slug, error.hint) == (
        "no-module",
        "open one with %%ftl_module NAME, or name it: --module NAME",
    )


def test_binding_02_a_module_is_named_or_the_last_opened(notebook: Notebook) -> None:
    opened(notebook, "named", "a = 1\n")
    opened(notebook, "last_opened", "b = 1\n")
    card = notebook.run("%%ftl_verb\ndef in_last() -> int:\n    return b\n").card
    assert card.module == "last_opened"
    assert card.plain().startswith("last_opened · deployed")
    assert notebook.run("%%ftl_verb --module named\ndef in_named() -> int:\n    return a\n").card.module == "named"


def test_binding_02_a_cell_stays_in_its_module_on_a_rerun(notebook: Notebook) -> None:
    cell = "%%ftl_verb\ndef stays(n: int) -> int:\n    return n"
    opened(notebook, "first_home", "a = 1\n")
    assert notebook.run(cell, cell_id="stays").card.module == "first_home"
    opened(notebook, "second_home", "b = 1\n")
    assert notebook.run(cell + " + 1\n", cell_id="stays").card.module == "first_home"
    assert "verb stays" not in notebook.schema("second_home")
    plain = "import ftl_nb as ftl\n@ftl.verb\ndef plainly(n: int) -> int:\n    return n"
    assert notebook.run(plain, cell_id="plainly").card.module == "second_home"
    opened(notebook, "first_home", "a = 2\n")
    assert notebook.run(plain + " + 1", cell_id="plainly").card.module == "second_home"


def test_binding_02_reopening_a_module_keeps_its_other_cells(notebook: Notebook) -> None:
    opened(notebook, "reopened")
    notebook.card("%%ftl_verb\ndef total(order: Order) -> int:\n    return order.quantity\n")
    opened(notebook, "reopened", ORDER.replace("= 1", "= 5"))
    assert notebook.run("total(Order('tea'))").ok.value == 5


def test_binding_02_remove_takes_a_module_away(notebook: Notebook) -> None:
    opened(notebook, "removed")
    assert notebook.run("%ftl remove removed").ok.stdout == "removed · removed\n"
    assert notebook.session.view.module("removed") is None
    gone = str(notebook.run("from ftl_nb.modules import removed").error)
    assert gone.startswith("there is no module removed in this cluster; known modules: ")
    assert notebook.run("%ftl schema removed").refusal.slug == "use-before-deploy"
    assert notebook.run("%ftl remove removed").refusal.slug == "use-before-deploy"


def test_binding_02_the_plain_statement_stands_first(notebook: Notebook) -> None:
    text = "import ftl_nb as ftl\nx = 1\nftl.module('too_late')\n"
    error = notebook.run(text).refusal
    assert (error.slug, error.place and error.place.line) == ("module-statement", 3)
    docstring = '"""Doc."""\nimport ftl_nb as ftl\nftl.module("in_time")\nx = 1\n'
    assert notebook.run(docstring).card.status == "deployed"


# --- 3: one verb cell, one verb -----------------------------------------------------------------------------------


def test_binding_03_a_verb_cell_has_one_public_function(notebook: Notebook) -> None:
    opened(notebook, "one_verb", "a = 1\n")
    two = notebook.run("%%ftl_verb\ndef f() -> int:\n    return 1\n\ndef g() -> int:\n    return 2\n").refusal
    assert (two.slug, two.place and two.place.line) == ("verb-candidates", 5)
    none = notebook.run("%%ftl_verb\ndef _f() -> int:\n    return 1\n").refusal
    assert none.slug == "verb-missing"
    helped = (
        "%%ftl_verb\ndef _half(n: int) -> int:\n    return n // 2\n\ndef halved(n: int) -> int:\n    return _half(n)\n"
    )
    assert notebook.run(helped).card.status == "deployed"
    assert notebook.run("halved(8)").ok.value == 4
    assert "_half" not in notebook


def test_binding_03_a_decorator_marks_any_number(notebook: Notebook) -> None:
    text = """
        import ftl_nb as ftl
        ftl.module("many_verbs")

        @ftl.verb
        def one() -> int:
            return 1

        @ftl.verb(export=True, name="second")
        def two() -> int:
            return one() + 1
    """
    assert notebook.run(text).card.status == "deployed"
    assert "export verb second(Unit) Int" in notebook.schema("many_verbs")
    assert notebook.run("one(), two()").ok.value == (1, 2)


def test_binding_03_magic_and_decorator_are_the_same(notebook: Notebook) -> None:
    body = "def doubled(n: int) -> int:\n    return 2 * n\n"
    opened(notebook, "by_magic", "a = 1\n")
    notebook.card("%%ftl_verb --export --name twice\n" + body)
    opened(notebook, "by_decorator", "a = 1\n")
    notebook.card("import ftl_nb as ftl\n@ftl.verb(export=True, name='twice')\n" + body)
    assert notebook.schema("by_magic").replace("by_magic", "by_decorator") == notebook.schema("by_decorator")
    assert notebook.run("doubled(4)").ok.value == 8


# --- 4: a cell's identity -----------------------------------------------------------------------------------------


def test_binding_04_a_cell_id_replaces_in_place(notebook: Notebook) -> None:
    opened(notebook, "with_ids", "a = 1\n")
    notebook.card("%%ftl_verb\ndef before(n: int) -> int:\n    return n\n", cell_id="v")
    card = notebook.run("%%ftl_verb\ndef after(n: int) -> int:\n    return n\n", cell_id="v").card
    assert {(c.sign, c.name) for c in card.changes} == {("+", "after"), ("-", "before")}
    assert "before" not in notebook.schema("with_ids")


def test_binding_04_without_an_id_a_cell_is_what_it_declares(notebook: Notebook) -> None:
    opened(notebook, "no_ids", "a = 1\n")
    cell = "%%ftl_verb\ndef kept(n: int) -> int:\n    return n"
    notebook.card(cell)
    assert notebook.run(cell + " * 2").card.status == "deployed"
    assert notebook.run("kept(4)").ok.value == 8
    notebook.card("%%ftl_verb\ndef other(n: int) -> int:\n    return n\n")
    assert notebook.run("kept(4), other(4)").ok.value == (8, 4)


def test_binding_04_a_declared_cell_adopts_the_id_that_arrives(notebook: Notebook) -> None:
    opened(notebook, "adopts", "a = 1\n")
    notebook.card("%%ftl_verb\ndef old_name(n: int) -> int:\n    return n\n")
    unchanged = notebook.run("%%ftl_verb\ndef old_name(n: int) -> int:\n    return n\n", cell_id="arrived").card
    assert unchanged.status == "unchanged"
    notebook.card("%%ftl_verb\ndef new_name(n: int) -> int:\n    return n\n", cell_id="arrived")
    schema = notebook.schema("adopts")
    assert "newName" in schema
    assert "oldName" not in schema


def test_binding_04_a_copied_cell_takes_the_place_of_what_it_declares_anew(notebook: Notebook) -> None:
    opened(notebook, "copied", "a = 1\n")
    cell = "%%ftl_verb\ndef same(n: int) -> int:\n    return n"
    notebook.card(cell, cell_id="a")
    assert notebook.card(cell, cell_id="b").status == "unchanged"
    assert notebook.card(cell + " + 1", cell_id="b").status == "deployed"
    assert notebook.schema("copied").count("verb same") == 1


def test_binding_04_status_says_what_was_not_run_in_this_session(notebook: Notebook, system: System) -> None:
    opened(notebook, "run_here")
    assert "not run in this session" not in _line(str(notebook.run("%ftl status").ok.value), "run_here")
    other = system.kernel("looks.ipynb").run("%ftl status").ok.text
    assert "not run in this session" in _line(other, "run_here")
    assert "deleted" not in other


def _line(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


# --- 5: SQL cells add to one database -----------------------------------------------------------------------------

ITEMS = """
    -- migrate:up
    CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL);
    -- migrate:down
    DROP TABLE items;
"""


def sql(notebook: Notebook, target: str, text: str, cell_id: str = "") -> None:
    notebook.card(f"%%ftl_sql {target}\n" + _dedented(text), cell_id=cell_id)


def test_binding_05_several_sql_cells_add_to_one_database(notebook: Notebook) -> None:
    opened(notebook, "sql_cells", "a = 1\n")
    sql(notebook, "sql_cells.stock", ITEMS, "first")
    sql(
        notebook,
        "sql_cells.stock",
        "-- migrate:up\nALTER TABLE items ADD COLUMN name TEXT;\n-- migrate:down\n",
        "second",
    )
    sql(notebook, "sql_cells.stock", "-- name: Named :many\nSELECT sku, name FROM items;\n", "third")
    assert notebook.run("named()").ok.value == []
    versions = [c["version"] for c in _sql_options(notebook, "sql_cells")]
    sql(notebook, "sql_cells.stock", "-- name: Named :many\nSELECT name FROM items;\n", "third")
    assert [c["version"] for c in _sql_options(notebook, "sql_cells")] == versions
    assert versions == sorted(versions)


def _sql_options(notebook: Notebook, module: str) -> list[dict[str, str]]:
    from ftl_nb.client.session import source_of
    from ftl_nb.rpc import workspace_pb2
    from ftl_nb.rpc.services import WorkspaceService

    answer = notebook.session.ask(WorkspaceService.module, workspace_pb2.ModuleRequest(module=module))
    return [dict(c.options) for c in source_of(answer.deployed.source).sql_cells]  # type: ignore[arg-type]


# --- 7: names in the notebook -------------------------------------------------------------------------------------


def test_binding_07_the_names_of_a_module_are_bound_in_the_notebook(notebook: Notebook) -> None:
    opened(notebook, "bound_names", ORDER + "    _hidden = 1\n    rate = 0.5\n")
    assert notebook["bound_names"].Order is notebook["Order"]
    assert notebook["Order"].__module__ == "ftl_nb.modules.bound_names"
    assert notebook["rate"] == 0.5
    assert "_hidden" not in notebook


def test_binding_07_answers_decode_into_the_same_classes(notebook: Notebook) -> None:
    opened(notebook, "same_classes")
    notebook.card("%%ftl_verb\ndef doubled(order: Order) -> Order:\n    return Order(order.sku, 2 * order.quantity)\n")
    assert notebook.run("type(doubled(Order('tea', 2))) is Order").ok.value is True


def test_binding_07_only_the_changed_cell_is_executed_again(notebook: Notebook) -> None:
    opened(notebook, "changed_only", "executions = []\n")
    notebook.card("%%ftl_module changed_only\nexecutions.append('second')\nsecond = 1\n")
    notebook.card("%%ftl_module changed_only\nexecutions.append('third')\nthird = 1\n")
    notebook.card("%%ftl_module changed_only\nexecutions.append('third again')\nthird = 2\n")
    assert notebook["changed_only"].executions == ["second", "third", "third again"]


def test_binding_07_an_unchanged_class_is_kept(notebook: Notebook) -> None:
    opened(notebook, "kept_class")
    notebook.run("old = Order('tea', 1)")
    opened(notebook, "kept_class", ORDER + "    rate = 2\n")
    assert notebook.run("isinstance(old, Order), old == Order('tea', 1)").ok.value == (True, True)
    opened(notebook, "kept_class", ORDER.replace("quantity: int = 1", "quantity: int = 1\n        note: str = ''"))
    assert notebook.run("isinstance(old, Order)").ok.value is False


def test_binding_07_of_two_modules_order_the_last_run_wins_with_a_note(notebook: Notebook) -> None:
    opened(notebook, "order_here")
    card = notebook.run("%%ftl_module order_there\n" + _dedented(ORDER)).card
    assert any("Order is now order_there.Order" in note and "order_here.Order" in note for note in card.notes)
    assert notebook["Order"] is notebook["order_there"].Order
    assert notebook.run("order_here.Order('tea').sku").ok.value == "tea"


def test_binding_07_names_that_are_gone_leave_the_module(notebook: Notebook) -> None:
    opened(notebook, "names_go", "first = 1\nsecond = 2\n")
    opened(notebook, "names_go", "first = 1\n")
    assert not hasattr(notebook["names_go"], "second")


# --- 8: ftl_nb.modules everywhere ---------------------------------------------------------------------------------


def test_binding_08_the_own_module_is_real_and_others_are_clients_in_a_runner(notebook: Notebook) -> None:
    opened(notebook, "finder_a", "secret_value = 7\n")
    notebook.card("%%ftl_verb --export\ndef public(n: int) -> int:\n    return n + 1\n")
    notebook.card(
        """
        import ftl_nb as ftl
        ftl.module("finder_b")
        from ftl_nb.modules import finder_a

        @ftl.verb
        def own_value() -> int:
            from ftl_nb.modules import finder_b
            return finder_b.mine

        @ftl.verb
        def others() -> list[str]:
            return sorted(n for n in vars(finder_a) if not n.startswith("_"))

        @ftl.verb
        def through(n: int) -> int:
            return finder_a.public(n)

        mine = 3
        """
    )
    assert notebook.run("own_value(), others(), through(1)").ok.value == (3, ["public"], 2)


def test_binding_08_the_kernel_a_script_and_a_test_see_clients(notebook: Notebook, system: System) -> None:
    opened(notebook, "clients")
    notebook.card("%%ftl_verb --export\ndef sized(order: Order) -> int:\n    return order.quantity\n")
    use = "from ftl_nb.modules import clients\nassert clients.sized(clients.Order('tea', 4)) == 4\n"
    other = system.kernel("uses.ipynb")
    other.run("%load_ext ftl_nb")
    assert other.run("from ftl_nb.modules import clients\nclients.sized(clients.Order('tea', 4))").ok.text == "4"
    system.file("uses_clients.py", use)
    assert system.python("uses_clients.py").stderr == ""
    system.file("test_uses.py", "def test_use():\n    " + use.replace("\n", "\n    ") + "\n")
    done = system.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_uses.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_binding_08_editors_see_stubs(notebook: Notebook, system: System) -> None:
    opened(notebook, "stubbed")
    notebook.card("%%ftl_verb --export\ndef size_of(order: Order) -> int:\n    return order.quantity\n")
    found = list(system.state.rglob("stubbed.pyi"))
    assert found, "no stub"
    assert "size_of" in found[0].read_text()


# --- 9: rooms -----------------------------------------------------------------------------------------------------


def test_binding_09_binding_imports_no_room_above_rpc(system: System) -> None:
    program = (
        "import sys, ftl_nb.binding; print(sorted({n.split('.')[1] for n in sys.modules if n.startswith('ftl_nb.')}))"
    )
    rooms = eval(system.python("-c", program).stdout)
    assert set(rooms) <= {"binding", "errors", "schema", "rpc", "store"}
