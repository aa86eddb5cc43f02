"""`%ftl stage, plan, apply, discard, changesets, rollback`: several cells as one change."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ftl_nb.magics.arguments import Parser
from ftl_nb.magics.notebook import Notebook


def stage_words(parser: Parser) -> None:
    parser.add_argument("switch", nargs="?", choices=("on", "off"), default="on", help="default: on")


def stage(notebook: Notebook, words: Namespace) -> None:
    notebook.staging = words.switch == "on"
    if notebook.staging:
        print("cells are staged from here on: %ftl plan shows them, %ftl apply moves them all, %ftl discard drops them")
    else:
        print("cells are deployed from here on; what is staged waits for %ftl apply")


def apply_words(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="move although the text of other modules no longer fits; it is recorded"
    )


def apply(notebook: Notebook, words: Namespace) -> Any:
    """What was staged has moved, so the cells that follow are deployed at once again."""
    moved = notebook.cluster.changes.apply(force=words.force)
    notebook.staging = False
    notebook.take_landed()
    return moved


def discard_words(parser: Parser) -> None:
    parser.add_argument("module", nargs="?", default="", help="a module's name (default: all)")


def discard(notebook: Notebook, words: Namespace) -> None:
    print(notebook.cluster.changes.discard(words.module))


def changesets_words(parser: Parser) -> None:
    parser.add_argument("limit", nargs="?", type=int, default=20, metavar="N", help="the newest N (default: 20)")
    parser.add_argument(
        "--stable", action="store_true", help="leave keys and times out, so that a saved notebook stays the same"
    )


def changesets(notebook: Notebook, words: Namespace) -> Any:
    return notebook.cluster.changes.list(words.limit, stable=words.stable)


def rollback_words(parser: Parser) -> None:
    parser.add_argument("changeset", nargs="?", default="", metavar="KEY", help="default: the newest that moved")
    apply_words(parser)


def rollback(notebook: Notebook, words: Namespace) -> Any:
    moved = notebook.cluster.changes.rollback(words.changeset, force=words.force)
    notebook.refresh_names()
    return moved
