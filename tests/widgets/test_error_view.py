"""Errors as HTML."""

from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.widgets import ErrorView

PLACE = Place("<shop/checkout>", 3, 12, '    return "a" + 1', 15)


def test_every_part_is_there() -> None:
    html = str(ErrorView(fail("module-name", PLACE, name="a b", why="it has a space")).html())
    assert '<strong class="ftl-bad">FTL-C108</strong>' in html
    assert "'a b' cannot be a module's name: it has a space." in html
    assert "<code>&lt;shop/checkout&gt;:3:12</code>" in html
    assert '    return "a" + 1<span class="ftl-bad">\n           ^^^</span>' in html
    assert "hint: </span>use lower-case letters" in html


def test_plain_form_is_the_errors_own() -> None:
    error = fail("module-name", PLACE, name="a b", why="it has a space")
    assert ErrorView(error).plain() == str(error)


def test_other_errors_and_remote_tracebacks_follow() -> None:
    error = fail("verb-raised", verb="shop.checkout", error="ValueError: <b>")
    error.remote = 'File "<shop/checkout>", line 2'
    error.others = (FtlError("internal", "second <i>"),)
    html = str(ErrorView(error).html())
    assert html.count('class="ftl-error"') == 2
    assert "File &quot;" not in html
    assert 'File "&lt;shop/checkout&gt;", line 2' in html
    assert "second &lt;i&gt;" in html
    assert "<b>" not in html


def test_an_error_without_a_place() -> None:
    html = str(ErrorView(FtlError("internal", "broken")).html())
    assert "at " not in html
    assert "hint" not in html
