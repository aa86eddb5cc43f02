"""BINDING 15-17: calls inside one module, options, the limit of a body."""

from __future__ import annotations

import pytest

from e2e.driver import Notebook, System

# --- 15: calls inside one module ----------------------------------------------------------------------------------


def test_binding_15_values_never_alias_within_a_module(notebook: Notebook) -> None:
    notebook.module(
        "no_alias",
        """
        import ftl_nb as ftl
        kept = []

        @ftl.verb
        def keep(items: list[int]) -> list[int]:
            kept.append(items)
            return items

        @ftl.verb
        def changes_its_own(n: int) -> list[list[int]]:
            mine = [n]
            returned = keep(mine)
            mine.append(2)
            returned.append(3)
            return [mine, returned, kept[-1]]
        """,
    )
    assert notebook.value("changes_its_own(1)") == [[1, 2], [1, 3], [1]]
    trace = str(notebook.value("%ftl trace --stable"))
    assert "no_alias.changesItsOwn" in trace
    assert "no_alias.keep" in trace


def test_binding_15_the_callee_inside_a_module_has_its_own_deadline(notebook: Notebook) -> None:
    notebook.module(
        "own_deadline",
        """
        import threading
        import ftl_nb as ftl

        @ftl.verb
        def never() -> int:
            while True:
                threading.Event().wait(0.01)

        @ftl.verb
        def gives_up() -> str:
            try:
                return str(never.with_timeout(0.2)())
            except ftl.FtlError as e:
                return e.slug
        """,
    )
    assert notebook.value("gives_up()") == "deadline"


def test_binding_15_a_type_that_does_not_fit_is_refused_inside_a_module_too(notebook: Notebook) -> None:
    notebook.module(
        "codec_inside",
        """
        from typing import Any
        import ftl_nb as ftl

        @ftl.verb
        def takes(n: int) -> int:
            return n

        @ftl.verb
        def gives(value: Any) -> int:
            return takes(value)
        """,
    )
    assert notebook.value("gives(3)") == 3
    assert notebook.run("gives('three')").refusal.slug == "json-invalid"


def test_binding_15_caller_tells_the_calling_module(notebook: Notebook) -> None:
    notebook.module("callee", "import ftl_nb as ftl\n")
    notebook.verb("def who() -> str:\n    return ftl.caller()\n", "--export")
    notebook.verb("def inside() -> str:\n    return who()\n")
    notebook.module("calling", "from ftl_nb.modules import callee\n")
    notebook.verb("def asks() -> str:\n    return callee.who()\n")
    assert notebook.value("who(), inside(), asks()") == ("", "callee", "calling")


# --- 16: options --------------------------------------------------------------------------------------------------


def test_binding_16_an_unknown_word_is_one_error_that_lists_the_known(notebook: Notebook) -> None:
    notebook.module("words")
    text = "import ftl_nb as ftl\n\n@ftl.verb(ingres='GET /')\ndef f() -> int:\n    return 1\n"
    error = notebook.run(text).refusal
    assert error.slug == "unknown-option"
    assert error.message == "'ingres' is not an option here; accepted are name, module, export, fixture, calls."
    assert error.place is not None
    assert error.place.line == 3
    magic = notebook.run("%%ftl_verb --ingres x\ndef f() -> int:\n    return 1\n").refusal
    assert magic.slug == "usage"
    assert "--ingres" in magic.message
    assert "--export" in magic.hint


@pytest.mark.parametrize(
    "word", ["ingress='GET /'", "cron='* * * * *'", "retry='1s'", "transaction=True", "egress=['x']"]
)
def test_binding_16_a_word_of_a_later_capability_is_not_accepted(notebook: Notebook, word: str) -> None:
    text = f"import ftl_nb as ftl\nftl.module('later_words')\n\n@ftl.verb({word})\ndef f() -> int:\n    return 1\n"
    assert notebook.run(text).refusal.slug == "unknown-option"


def test_binding_16_fixture_takes_the_words_of_verb(notebook: Notebook) -> None:
    notebook.module(
        "fixture_words",
        """
        import ftl_nb as ftl
        loaded = []

        @ftl.fixture(manual=True, name="loadMore", export=True)
        def load_by_hand() -> None:
            loaded.append(1)

        @ftl.verb
        def how_many() -> int:
            return len(loaded)
        """,
    )
    assert "export verb loadMore(Unit) Unit" in notebook.schema("fixture_words")
    assert notebook.value("how_many()") == 0
    assert notebook.value("%ftl call fixture_words.loadMore") is None
    assert notebook.value("how_many()") == 1


def test_binding_16_an_unknown_word_in_a_script_is_the_same_error(system: System) -> None:
    system.file(
        "bad_word.py",
        "import ftl_nb as ftl\nftl.module('bad_word')\n\n@ftl.verb(colour='red')\ndef f() -> int:\n    return 1\n",
    )
    done = system.python("bad_word.py")
    assert "'colour' is not an option here; accepted are name, module, export, fixture, calls." in done.stderr


# --- 17: body limit -----------------------------------------------------------------------------------------------


def test_binding_17_a_body_over_the_limit_is_one_error_with_the_limit(notebook: Notebook) -> None:
    notebook.module("bodies")
    notebook.verb("def length(data: str) -> int:\n    return len(data)\n")
    notebook.verb("def long_answer(n: int) -> str:\n    return 'x' * n\n")
    error = notebook.run("length('x' * 200_000_000)").refusal
    assert error.slug == "body-too-large"
    assert "bodies.length" in error.message
    assert "67108864" in error.message
    answer = notebook.run("long_answer(70_000_000)").refusal
    assert (answer.slug, "67108864" in answer.message) == ("body-too-large", True)
    assert notebook.value("length('x' * 10_000_000), len(long_answer(10_000_000))") == (10_000_000, 10_000_000)
