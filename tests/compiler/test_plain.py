import pytest

from ftl_nb.compiler.plain import plain_form
from ftl_nb.errors import FtlError

FTL = {"ftl": "ftl_nb"}


@pytest.mark.parametrize(
    "text",
    [
        'import ftl_nb as ftl\nftl.module("shop")\n',
        '"""Prices."""\nfrom __future__ import annotations\nimport ftl_nb, json\n\nftl_nb.module("shop")\nx = 1\n',
        'from ftl_nb import module as m\nm("shop")\n',
        'ftl.module("shop")\n%time 1\n'.replace("%time 1\n", ""),
    ],
)
def test_the_module_statement_stands_first_under_any_alias(text: str) -> None:
    form = plain_form(text, FTL)
    assert form is not None
    assert form.module == "shop"


def test_a_decorator_alone_means_the_open_module() -> None:
    form = plain_form('@ftl.verb(export="realm")\ndef checkout(order): ...\n@ftl.fixture\ndef fill(): ...\n', FTL)
    assert form is not None
    assert (form.module, form.verbs) == ("", ("checkout", "fill"))
    assert form.marks[0].options == {"export": "realm"}


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "import ftl_nb as ftl\nftl.Cluster()",
        "@print\ndef f(): ...",
        "import other as ftl\nftl.module('x')",
        "def f(:",
        "%time x",
        "!ls\nx = 1",
        "%%ftl_verb\ndef f(): ...",
    ],
)
def test_an_ordinary_cell_is_none(text: str) -> None:
    assert plain_form(text, FTL) is None


@pytest.mark.parametrize(
    "text",
    [
        'x = 1\nftl.module("shop")',
        'def f(): ...\nftl.module("shop")',
        'if True:\n    ftl.module("shop")',
        'ftl.module("shop")\nftl.module("users")',
        "ftl.module(name)",
        'ftl.module(name="shop")',
        "ftl.module()",
    ],
)
def test_a_module_statement_elsewhere_or_without_a_literal_is_an_error(text: str) -> None:
    with pytest.raises(FtlError) as caught:
        plain_form(text, FTL)
    assert caught.value.slug == "module-statement"
    assert caught.value.place is not None


@pytest.mark.parametrize("name", ["Shop", "class", "func", "a-b", "_x", "", "1a", "builtin", "größe"])
def test_a_name_that_no_module_can_have(name: str) -> None:
    with pytest.raises(FtlError) as caught:
        plain_form(f"ftl.module({name!r})", FTL)
    assert caught.value.slug == "module-name"


def test_plain_form_with_a_magic_line_is_refused() -> None:
    with pytest.raises(FtlError) as caught:
        plain_form('ftl.module("shop")\nif True:\n    %time 1\n', FTL)
    assert caught.value.slug == "cell-magic-line"


def test_unknown_words_are_refused_before_anything_runs() -> None:
    with pytest.raises(FtlError) as caught:
        plain_form("@ftl.verb(cron='*')\ndef f(): ...\n", FTL)
    assert caught.value.slug == "unknown-option"
