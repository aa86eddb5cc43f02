"""Tab completion on the lines of the magics: commands, options, and names that the schema has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftl_nb.magics import arguments
from ftl_nb.magics.notebook import Notebook

if TYPE_CHECKING:
    from ftl_nb.schema import Module

_PARSERS = {
    "%%ftl_module": arguments.module_parser,
    "%%ftl_verb": arguments.verb_parser,
    "%%ftl_fixture": arguments.fixture_parser,
    "%%ftl_sql": arguments.sql_parser,
}


def complete(notebook: Notebook, line: str) -> list[str]:
    """What the last word of `line`, the text before the cursor, can be."""
    *before, prefix = line.split(" ")
    before = [word for word in before if word]
    return sorted({c for c in _candidates(notebook, before) if c.startswith(prefix)})


def _candidates(notebook: Notebook, before: list[str]) -> list[str]:
    if not before:
        return []
    if before[0] in ("%ftl", "ftl"):
        return _command_words(notebook, before[1:])
    parser = _PARSERS.get(before[0])
    if parser is None:
        return []
    names = _modules(notebook) if before[-1] == "--module" or before == ["%%ftl_module"] else []
    return [*names, *(_databases(notebook) if before[0] == "%%ftl_sql" else []), *parser().options]


def _command_words(notebook: Notebook, words: list[str]) -> list[str]:
    from ftl_nb.magics.commands import COMMANDS

    if not words:
        return [*COMMANDS, "--help"]
    command = COMMANDS.get(words[0])
    if command is None:
        return []
    if command.name == "call":
        return _verbs(notebook) if len(words) == 1 else []
    return [*_modules(notebook), *command.parser.options]


def _known(notebook: Notebook) -> tuple[Module, ...]:
    """The schema's modules where a session is open: completion starts no cluster."""
    session = notebook.opened
    return session.view.modules if session is not None else ()


def _modules(notebook: Notebook) -> list[str]:
    return [m.name for m in _known(notebook)]


def _verbs(notebook: Notebook) -> list[str]:
    from ftl_nb import schema

    return [f"{m.name}.{d.name}" for m in _known(notebook) for d in m.decls if isinstance(d, schema.Verb)]


def _databases(notebook: Notebook) -> list[str]:
    from ftl_nb import schema

    found = [f"{m.name}.{d.name}" for m in _known(notebook) for d in m.decls if isinstance(d, schema.Database)]
    return [*found, *(f"{m}." for m in _modules(notebook))]
