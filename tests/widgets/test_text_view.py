"""Schema text."""

import re
from html import unescape

from ftl_nb import schema as s
from ftl_nb.widgets import SchemaText, schema_view


def test_text_is_the_canonical_text(system: s.Schema) -> None:
    shop = system.module("shop")
    assert shop is not None
    assert schema_view(shop).plain() == str(shop).rstrip("\n")
    assert "module builtin" not in schema_view(system).plain()
    assert "module shop" in schema_view(system).plain()


def test_colours_change_nothing_of_the_text(system: s.Schema) -> None:
    text = schema_view(system)
    pre = re.search(r"<pre[^>]*>(.*)</pre>", str(text.html()), re.S)
    assert pre is not None
    assert unescape(re.sub(r"<[^>]+>", "", pre[1])) == text.plain()


def test_words_types_and_metadata_are_marked() -> None:
    html = str(SchemaText('// a "note"\nexport verb f(Int) m.D\n  +calls m.g "x // y"').html())
    assert '<span class="ftl-comment">// a "note"</span>' in html
    assert '<span class="ftl-word">verb</span>' in html
    assert '<span class="ftl-type">Int</span>' in html
    assert '<span class="ftl-mark">+calls</span>' in html
    assert '<span class="ftl-string">"x // y"</span>' in html


def test_hostile_text_is_escaped() -> None:
    assert "<b>" not in str(SchemaText('verb "<b>" // <b>').html())
