"""What surprised somebody new: cells after a refused one, defaults, classes of one name."""

from __future__ import annotations

import time

from e2e.driver import Notebook, System


def test_verbs_after_a_refused_module_cell_are_not_put_into_the_module_before(notebook: Notebook) -> None:
    notebook.card("%%ftl_module before_it\nbase = 1\n")
    assert notebook.run("%%ftl_module refused_one\n1 / 0\n").refusal.slug == "load-failed"
    card = notebook.card("%%ftl_verb\ndef lands() -> int:\n    return 2\n")
    assert card.module == "refused_one"
    assert "lands" not in notebook.schema("before_it")


def test_plain_verbs_after_a_refused_file_cell_are_not_put_into_the_module_before(notebook: Notebook) -> None:
    notebook.run("import ftl_nb as ftl")
    notebook.card("import ftl_nb as ftl\nftl.module('plain_before')\nbase = 1\n")
    assert notebook.run("import ftl_nb as ftl\nftl.module('plain_refused')\n1 / 0\n").refusal.slug == "load-failed"
    card = notebook.card("import ftl_nb as ftl\n@ftl.verb\ndef lands(n: int) -> int:\n    return n\n")
    assert card.module == "plain_refused"


def test_a_request_may_have_a_default(notebook: Notebook) -> None:
    notebook.card("%%ftl_module defaulted\nopened = True\n")
    notebook.card("%%ftl_verb\ndef greet(name: str = 'you') -> str:\n    return f'hello {name}'\n")
    notebook.card("%%ftl_verb\ndef twice() -> str:\n    return greet() + greet('me')\n")
    assert notebook.value("greet()") == "hello you"
    assert notebook.value("greet('us')") == "hello us"
    assert notebook.value("twice()") == "hello youhello me"


def test_two_classes_of_one_name_are_told_apart(notebook: Notebook) -> None:
    text = "from dataclasses import dataclass\n@dataclass\nclass Order:\n    n: int\n"
    notebook.card("%%ftl_module same_a\n" + text)
    notebook.card("%%ftl_verb\ndef first(o: Order) -> int:\n    return o.n\n")
    notebook.card("%%ftl_module same_b\n" + text)
    refused = notebook.run("first(Order(1))").refusal
    assert refused.message == "expected same_a.Order, got same_b.Order."
    assert refused.hint == "the request of same_a.first is Order"


def test_a_name_that_hides_one_of_python_is_said(notebook: Notebook) -> None:
    notebook.card("%%ftl_module hiding\nopened = True\n")
    card = notebook.card("%%ftl_verb\ndef sum(n: int) -> int:\n    return n\n")
    assert card.notes == ("sum is now hiding.sum in this notebook; Python's own is builtins.sum",)
    assert notebook.card("%%ftl_verb\ndef sum(n: int) -> int:\n    return n + 1\n").notes == ()


def test_a_call_of_what_is_not_exported_is_shown_at_the_verb(notebook: Notebook) -> None:
    notebook.card("%%ftl_module private_one\nopened = True\n")
    notebook.card("%%ftl_verb\ndef hidden(n: int) -> int:\n    return n\n")
    notebook.card("%%ftl_module private_user\nfrom ftl_nb.modules import private_one\n")
    refused = notebook.run("%%ftl_verb\ndef peeks(n: int) -> int:\n    return private_one.hidden(n)\n").refusal
    assert refused.message == 'verb "private_one.hidden" must be exported.'
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<private_user/peeks>", 2)
    assert refused.hint == "export it where it is defined: --export, or export=True"


def test_files_may_import_one_another_in_a_chain(system: System) -> None:
    system.file(
        "chain_one.py",
        """
        import ftl_nb as ftl
        ftl.module("chain_one")

        @ftl.verb(export=True)
        def one(n: int) -> int:
            return n + 1
        """,
    )
    for name, before, verb in (("chain_two", "chain_one", "one"), ("chain_three", "chain_two", "two")):
        system.file(
            f"{name}.py",
            f"""
            import ftl_nb as ftl
            from ftl_nb.modules import {before}
            ftl.module("{name}")

            @ftl.verb(export=True)
            def {name.removeprefix("chain_")}(n: int) -> int:
                return {before}.{verb}(n) * 10
            """,
        )
    system.file(
        "chain_app.py",
        """
        import ftl_nb as ftl
        import chain_one, chain_two, chain_three

        if __name__ == "__main__":
            with ftl.Cluster():
                print(chain_three.three(1))
        """,
    )
    done = system.python("chain_app.py")
    assert (done.stdout, done.stderr) == ("200\n", "")


def test_an_error_in_a_map_does_not_wait_for_the_rest(notebook: Notebook) -> None:
    notebook.card("%%ftl_module mapping\nimport time\n")
    notebook.card("%%ftl_verb\ndef wait(n: int) -> int:\n    time.sleep(n)\n    return 1 // n\n")
    started = time.perf_counter()
    assert notebook.run("wait.map([0, 8])").refusal.slug == "verb-raised"
    assert time.perf_counter() - started < 7


def test_a_verb_with_a_name_of_its_own_is_called_by_that_too(notebook: Notebook) -> None:
    notebook.card("%%ftl_module nicknames\nopened = True\n")
    notebook.card("%%ftl_verb --name renamed\ndef original(n: int) -> int:\n    return n\n")
    notebook.card("%%ftl_verb\ndef another(n: int) -> int:\n    return n\n")
    assert notebook.value("original(1) + renamed(2) + nicknames.renamed(3) + nicknames.original(4)") == 10


def test_a_comment_above_a_cell_magic_keeps_the_lines_of_the_cell(notebook: Notebook) -> None:
    notebook.card("%%ftl_module commented_one\nopened = True\n")
    notebook.card("# Divides.\n# @ftl.verb\n\n%%ftl_verb\ndef halves(n: int) -> int:\n    return 1 // n\n")
    place = notebook.run("halves(0)").refusal.place
    assert place is not None
    assert (place.filename, place.line) == ("<commented_one/halves>", 6)
    sql = "# Shelves.\n%%ftl_sql commented_one.stock\n-- name: One :one\nSELECT 1 AS one;\n"
    notebook.card(sql)
    assert notebook.value("one()") == 1


def test_errors_of_a_file_name_the_file_and_a_renamed_verb_takes_its_place(system: System) -> None:
    notebook = system.notebook
    text = """
        import ftl_nb as ftl
        ftl.module("desk")

        @ftl.verb
        def ring(n: int) -> int:
            return 1 // n
        """
    file = system.file("desk.py", text)
    notebook.cluster.deploy(file)
    place = notebook.run("from ftl_nb.modules import desk\ndesk.ring(0)").refusal.place
    assert place is not None
    assert (place.filename, place.line) == ("desk.py", 6)
    system.file("desk.py", text.replace("ring", "rang"))
    card = notebook.cluster.deploy(file)
    assert [(c.sign, c.name) for c in card.changes] == [("+", "rang"), ("-", "ring")]


def test_editors_see_what_is_deployed_and_nothing_of_what_was_refused(system: System) -> None:
    notebook = system.notebook
    notebook.card("%%ftl_module stubbed\nopened = True\n")
    notebook.card("%%ftl_verb\ndef one(n: int) -> int:\n    return n\n")
    stub = system.state / "stubs" / "ftl_nb-stubs" / "modules" / "stubbed.pyi"
    before = stub.read_text()
    assert "one" in before
    assert notebook.run("%%ftl_verb\ndef two(n: int) -> int:\n    return str(n)\n").refusal.slug == "type-check"
    assert stub.read_text() == before
    notebook.run("%ftl remove stubbed").ok  # noqa: B018
    assert not stub.exists()


def test_a_result_of_another_type_is_shown_at_the_verb(notebook: Notebook) -> None:
    notebook.card("%%ftl_module lying\nopened = True\n")
    notebook.card("%%ftl_verb\ndef lies(n: int) -> int:\n    return 'a'  # type: ignore\n")
    refused = notebook.run("lies(1)").refusal
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<lying/lies>", 2)
    assert refused.hint == "its result is declared as int: return one, or declare what it returns"


def test_modules_that_call_one_another_in_a_circle_are_told_how_to_mend_it(notebook: Notebook) -> None:
    notebook.module("circle_a")
    notebook.verb("def ping(n: int) -> int:\n    return n\n", "--export")
    notebook.module("circle_b", "from ftl_nb.modules import circle_a\n")
    notebook.verb("def pong(n: int) -> int:\n    return circle_a.ping(n)\n", "--export")
    notebook.module("circle_a", "from ftl_nb.modules import circle_b\n")
    refused = notebook.run("%%ftl_verb --export\ndef ping(n: int) -> int:\n    return circle_b.pong(n)\n").refusal
    assert refused.message.startswith("found cycle in dependencies")
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<circle_a/ping>", 2)
    assert refused.hint == "modules call one another in one direction: move what both need into a module of its own"
    assert notebook.value("circle_b.pong(3)") == 3


def test_a_verb_with_letters_that_the_schema_lacks_is_told_of_name(notebook: Notebook) -> None:
    notebook.module("letters")
    refused = notebook.run("%%ftl_verb\ndef größe(n: int) -> int:\n    return n\n").refusal
    assert refused.hint == "names are ASCII letters and digits: --name, or name=, gives a verb another one"
    notebook.verb("def größe(n: int) -> int:\n    return n\n", "--name size")
    assert notebook.value("größe(2) + size(3)") == 5
