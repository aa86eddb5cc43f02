"""The drawing of a graph."""

import re
import subprocess
import sys
from xml.etree import ElementTree

from ftl_nb import schema as s
from ftl_nb.schema import RefKey
from ftl_nb.widgets import graph
from ftl_nb.widgets.graph import Edge, Graph, Node

ATTACK = '</title><script>alert("1")</script>\x1b\ud800'


def test_drawing_is_a_document(system: s.Schema) -> None:
    root = ElementTree.fromstring(graph(system).svg())
    titles = [title.text or "" for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "3 modules, 15 declarations, 17 references"
    assert "shop.receipts is read by mail.send" in titles
    assert any("+calls shop.priceOf, users.find" in title for title in titles)


def test_hostile_names_stay_text() -> None:
    key = RefKey(ATTACK, ATTACK)
    drawn = Graph((Node(key, "verb", ATTACK, ATTACK),), (Edge(key, key, "calls", ATTACK),))
    ElementTree.fromstring(drawn.svg())
    assert "<script" not in str(drawn.html())
    str(drawn.html()).encode("utf-8")
    assert "\x1b" not in drawn.plain()


def test_long_names_are_cut_and_kept_whole_in_the_tooltip() -> None:
    name = "a" * 80
    drawn = graph(s.Schema((s.Realm("r", (s.Module("m", (s.Database(name, "duckdb"),)),)),))).svg()
    assert f">{'a' * 31}…</text>" in drawn
    assert f"database duckdb {name}" in drawn


def test_an_empty_system_says_so() -> None:
    assert "no modules" in str(graph(s.Schema()).html())


_SCRIPT = """
from ftl_nb import schema as s
from ftl_nb.widgets import graph
names = [f"m{i}" for i in range(12)]
def module(i, name):
    calls = s.MetadataCalls(tuple(s.Ref(other, "f") for other in names[i + 1 :: 3]))
    return s.Module(name, (s.Data("D"), s.Verb("f", s.Ref(name, "D"), s.Unit(), metadata=(calls,))))
drawn = graph(s.Schema((s.Realm("r", tuple(module(i, name) for i, name in enumerate(names))),)))
print(drawn.html(), drawn.plain(), drawn.mermaid())
"""


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1


def test_text_left_by_a_sanitizer_reads_as_a_list(system: s.Schema) -> None:
    page = str(graph(system).html())
    text = re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page))
    lines = text.splitlines()
    assert lines[0] == "3 modules, 15 declarations, 17 references"
    assert "shop.checkout calls shop.priceOf" in lines
    assert lines[lines.index("users") : lines.index("users") + 3] == [
        "users",
        "  verb find",
        "export verb find(users.Email) users.User  ",
    ]
