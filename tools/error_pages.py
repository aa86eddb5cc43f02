"""Writes docs/errors.md from the catalogue of errors. With `--check` it only says whether the page is fresh."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ftl_nb.errors import CATALOGUE, Entry

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

#: What the letter of a code means, in the page's order.
GROUPS = {
    "C": ("Cells and names", "The text of a cell or a file, and the names in it. Nothing was deployed."),
    "T": ("Types and values", "Types that cannot cross a verb's boundary, and values that are not of their type."),
    "S": ("SQL and databases", "Migrations, queries, and what a database says."),
    "D": ("Deploying", "The text is right in itself, but it cannot go live. What was deployed before still answers."),
    "V": ("Calls", "A call did not end with an answer."),
    "R": ("Cluster and connections", "The cluster's processes, its folder, and who may connect."),
    "X": ("Defects", "Not caused by you: please report it, with what `%ftl logs` shows."),
}

_FIELD = re.compile(r"(?<!\{)\{(\w+)(?:![rs])?\}(?!\})")
_HEAD = """# Errors

Every error has a code, one sentence, the place (cell, line, column) and mostly a hint. Words in
`{braces}` are filled in. In Python an error is `ftl_nb.FtlError`, with `code`, `message`, `place` and `hint`; what a
verb raised is its subclass `ftl_nb.VerbError`, with the remote traceback as `remote`.

This page is made from `ftl_nb/errors/catalogue.py` by `make docs`.
"""


def letter(entry: Entry) -> str:
    """The group of an entry: the letter of `FTL-C101`."""
    return entry.code[4]


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(key) for key in GROUPS)])


def _section(key: str) -> str:
    title, says = GROUPS[key]
    entries = sorted((e for e in CATALOGUE.values() if letter(e) == key), key=lambda e: e.code)
    rows = ["| code | sentence | hint |", "|---|---|---|", *(row for e in entries for row in _row(e))]
    return "\n".join([f"## {key}: {title}", "", says, "", *rows, ""])


def _row(entry: Entry) -> Iterator[str]:
    yield f'| <a id="{entry.slug}"></a>`{entry.code}` {entry.slug} | {_text(entry.sentence)} | {_text(entry.hint)} |'


def _text(template: str) -> str:
    """A format string as a reader sees it: fields in code marks, doubled braces single, no cell's end."""
    parts = template.replace("|", "\\|").split("`")
    shown = [_code(part) if n % 2 else _words(part) for n, part in enumerate(parts)]
    return "`".join(shown)


def _code(part: str) -> str:
    return _FIELD.sub(r"{\1}", part).replace("{{", "{").replace("}}", "}")


def _words(part: str) -> str:
    """Words outside of code marks; `‹›` stand for a field until the doubled braces are gone."""
    marked = _FIELD.sub(r"‹\1›", part).replace("{{", "{").replace("}}", "}")
    safe = marked.replace("<", "&lt;").replace("*", "\\*")
    return safe.replace("‹", "`{").replace("›", "}`")


def main() -> int:
    """0 where the page is fresh, or was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
    if not fresh:
        print(f"{PAGE.name} is not what the catalogue gives: make docs", file=sys.stderr)
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())
