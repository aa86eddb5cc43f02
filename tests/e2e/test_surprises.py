"""What surprised somebody new: cells after a refused one, defaults, classes of one name."""

from __future__ import annotations

from e2e.driver import Notebook


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
