from collections.abc import Mapping

import pytest

from ftl_nb.binding.source import Cell, CellKind
from ftl_nb.compiler.cells import ParsedCell, parse, parse_cell
from ftl_nb.errors import FtlError


def refusal(text: str, kind: CellKind = "module", options: Mapping[str, object] | None = None) -> FtlError:
    with pytest.raises(FtlError) as caught:
        parse_cell(text, kind, options, module="shop", label="c")
    return caught.value


def marked(text: str) -> ParsedCell:
    return parse_cell(f"import ftl_nb as ftl\nfrom ftl_nb import verb as v, fixture\n{text}", "module", module="shop")


def test_syntax_error_shows_the_cells_own_line_and_caret() -> None:
    error = refusal("\ndef f(:\n    pass\n")
    assert error.slug == "syntax"
    assert error.place is not None
    assert (error.place.filename, error.place.line, error.place.column) == ("<shop/c>", 2, 7)
    assert error.place.source_line == "def f(:"


def test_what_only_the_compiler_refuses_is_a_syntax_error_too() -> None:
    error = refusal("x = 1\nreturn x\n")
    assert error.slug == "syntax"
    assert error.message == "'return' outside function."


@pytest.mark.parametrize(
    "line", ["%matplotlib inline", "!ls", "    %time f()", "files = !ls", "now = %time f()", "?print", "print?"]
)
def test_a_cell_with_a_magic_or_shell_line_is_refused(line: str) -> None:
    error = refusal(f"\nif True:\n    pass\n{line}\n")
    assert error.slug == "cell-magic-line"
    assert error.place is not None
    assert (error.place.line, error.place.source_line) == (4, line)
    assert line.strip() in error.message


def test_a_percent_sign_that_continues_an_expression_is_python() -> None:
    assert parse_cell("x = (7\n  % 2)\n", "module").names.variables == ("x",)


def test_declared_names_by_kind() -> None:
    text = """
import numpy as np
from os import path
A, (B, *C) = 1, (2, 3)
if A:
    D: int = 4
for e in []:
    with open("x") as f:
        pass
try:
    pass
except ValueError as g:
    import json
match A:
    case [h]:
        pass
squares = [k for k in (1, 2) if (last := k)]
class K: inner = 1
async def m(): local = 1
def _n(): ...
"""
    names = parse_cell(text, "module").names
    assert names.functions == ("m", "_n")
    assert names.classes == ("K",)
    assert names.imports == ("np", "path", "json")
    assert set(names.variables) == {"A", "B", "C", "D", "e", "f", "g", "h", "squares", "last"}
    assert "_n" not in names.public


def test_one_verb_cell_one_verb() -> None:
    cell = parse_cell("\ndef _round(x): ...\ndef checkout(order): ...\n", "verb", {"export": True}, "shop", "checkout")
    assert cell.function == "checkout"
    assert [(m.name, m.subject, m.options) for m in cell.marks] == [("checkout", "verb", {"export": "module"})]


def test_two_candidates_are_an_error_at_the_second() -> None:
    error = refusal("def one(): ...\nasync def two(): ...\n", "verb")
    assert error.slug == "verb-candidates"
    assert "one, two" in error.message
    assert error.place is not None
    assert (error.place.line, error.place.column, error.place.end_column) == (2, 11, 14)


@pytest.mark.parametrize("text", ["", "x = 1\n", "def _helper(): ...\n"])
def test_no_candidate_is_an_error(text: str) -> None:
    assert refusal(text, "verb").slug == "verb-missing"


def test_a_fixture_cell_takes_manual() -> None:
    assert parse_cell("def fill(): ...", "fixture").marks[0].options == {"fixture": True}
    assert parse_cell("def fill(): ...", "fixture", {"manual": True}).marks[0].options == {"fixture": "manual"}


def test_decorators_of_ours_under_any_alias_mark_any_number() -> None:
    cell = marked(
        '@ftl.verb(export="realm", name="pay", calls=["bank.transfer"])\ndef a(): ...\n'
        "@v\ndef b(): ...\n@fixture(manual=True)\ndef c(): ...\n@ftl.fixture\ndef d(): ...\n@print\ndef e(): ...\n"
    )
    assert [(m.name, m.subject, dict(m.options)) for m in cell.marks] == [
        ("a", "verb", {"export": "realm", "name": "pay", "calls": ["bank.transfer"]}),
        ("b", "verb", {}),
        ("c", "fixture", {"fixture": "manual"}),
        ("d", "fixture", {"fixture": True}),
    ]


def test_an_alias_of_an_earlier_cell_counts() -> None:
    cell = Cell("", "module", "c", "@ftl.verb\ndef a(): ...\n")
    assert parse(cell, "shop").marks == ()
    assert [m.name for m in parse(cell, "shop", {"ftl": "ftl_nb"}).marks] == ["a"]


def test_a_decorator_in_a_verb_cell_adds_to_the_cells_words() -> None:
    text = '@ftl.verb(name="pay")\ndef checkout(): ...\n'
    cell = Cell("", "verb", "c", text, {"export": "realm", "name": "buy"})
    (mark,) = parse(cell, "shop", {"ftl": "ftl_nb"}).marks
    assert mark.options == {"export": "realm", "name": "pay"}


@pytest.mark.parametrize(
    ("word", "slug", "says"),
    [
        ("cron='* * * * *'", "unknown-option", "accepted are name, module, export, fixture, calls."),
        ("idempotent=True", "unknown-option", "'idempotent'"),
        ("export='world'", "bad-option", '"module" or "realm"'),
        ("export=WHO", "bad-option", "literal"),
        ("calls='shop.checkout'", "bad-option", "list of verbs"),
        ("calls=['checkout']", "bad-option", "list of verbs"),
        ("fixture='later'", "bad-option", "manual"),
        ("name='not a name'", "bad-option", "name"),
        ("**words", "bad-option", "literal"),
        ("'x'", "bad-option", "keywords"),
    ],
)
def test_unknown_or_wrong_option_words_are_one_error_at_their_place(word: str, slug: str, says: str) -> None:
    error = refusal(f"import ftl_nb as ftl\n@ftl.verb({word})\ndef a(): ...\n")
    assert error.slug == slug
    assert says in error.message
    assert error.place is not None
    assert error.place.line == 2


def test_words_of_a_magic_are_checked_alike() -> None:
    assert refusal("def a(): ...", "verb", {"ingress": "GET /"}).slug == "unknown-option"
