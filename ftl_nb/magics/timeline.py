"""`%ftl timeline`: events by filters, or a statement over them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ftl_nb.magics.arguments import Parser
from ftl_nb.magics.notebook import Notebook

if TYPE_CHECKING:
    from ftl_nb.console.events import Answer


def show_words(parser: Parser) -> None:
    parser.add_argument("verb", nargs="?", default="", metavar="MODULE[.VERB]", help="of this module or verb alone")
    parser.add_argument("--type", action="append", default=[], metavar="T", help="call, log, lease …; may be repeated")
    parser.add_argument("--request", default="", metavar="KEY", help="of this request alone")
    parser.add_argument("--level", default="", metavar="L", help="log lines of this level and above")
    parser.add_argument("--since", default="", metavar="SPAN", help="the newest of them: 90s, 10m, 2h, 1d")
    parser.add_argument("--errors", action="store_true", help="what failed")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="rows (default: 50)")
    parser.add_argument("--sql", default="", metavar="SELECT …", help="a statement, up to the end of the line")


def show(notebook: Notebook, words: Namespace) -> Answer:
    from ftl_nb.console.events import Wanted, ask

    session = notebook.cluster.session
    if words.sql:
        return ask(session, words.sql)
    wanted = Wanted(words.type, words.verb, words.request, words.level, words.since, words.errors, words.limit)
    return ask(session, wanted.sql())


def read(parser: Parser, line: str) -> Namespace:
    """A statement is taken as it stands, quotes and blanks included."""
    before, found, sql = line.partition("--sql ")
    words = parser.read(before)
    words.sql = sql.strip() if found else ""
    return words
