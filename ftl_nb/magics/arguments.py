"""The words on a magic's line: one parser a magic, that refuses with one error and never abbreviates."""

from __future__ import annotations

import argparse
import shlex
from typing import NoReturn

from ftl_nb.errors import fail


class Help(Exception):
    """`--help` was asked for; the text is the magic's answer."""


class Parser(argparse.ArgumentParser):
    """Raises FtlError `usage` for what it does not take, Help for `--help`."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, description=description, allow_abbrev=False, add_help=False)
        self.add_argument("--help", action="store_true", help="show this and do nothing")

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        raise fail("usage", detail=_sentence(message), hint_text=usage)

    def read(self, line: str) -> argparse.Namespace:
        try:
            words = shlex.split(line)
        except ValueError as e:
            self.error(str(e))
        if "--help" in words:
            raise Help(self.format_help())
        return self.parse_args(words)

    @property
    def options(self) -> list[str]:
        """The option words, for completion."""
        return [word for action in self._actions for word in action.option_strings]


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:].rstrip(".")


def module_parser() -> Parser:
    parser = Parser("%%ftl_module", "Opens a module: its types, resources and helpers.")
    parser.add_argument("name", help="the module's name")
    return parser


def verb_parser() -> Parser:
    parser = Parser("%%ftl_verb", "Defines one verb: the cell's one function without a leading underscore.")
    parser.add_argument("--module", default="", metavar="M", help="the module it belongs to (default: the last opened)")
    exports = parser.add_mutually_exclusive_group()
    exports.add_argument("--export", action="store_true", help="other modules may call it")
    exports.add_argument("--export-realm", action="store_true", help="other realms may call it")
    parser.add_argument("--name", default="", metavar="N", help="its name in the schema (default: the function's)")
    parser.add_argument(
        "--calls",
        action="append",
        default=[],
        metavar="M.V",
        help="a verb it calls by a computed name; may be repeated",
    )
    return parser


def fixture_parser() -> Parser:
    parser = Parser("%%ftl_fixture", "Defines a fixture: it runs inside the deployment, before it is committed.")
    parser.add_argument("--module", default="", metavar="M", help="the module it belongs to (default: the last opened)")
    parser.add_argument("--manual", action="store_true", help="runs only by %%ftl call")
    return parser


def sql_parser() -> Parser:
    parser = Parser("%%ftl_sql", "Adds dbmate migrations and sqlc-style queries to a database.")
    parser.add_argument("database", metavar="MODULE.DB")
    parser.add_argument("--engine", default="duckdb", help="duckdb")
    parser.add_argument("--keep", action="store_true", help="refuse a changed migration instead of rebuilding")
    return parser
