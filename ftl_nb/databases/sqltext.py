"""Splits the text of one SQL cell into its migration and its queries.

dbmate's marks (`-- migrate:up`, `-- migrate:down`) and sqlc's annotations (`-- name: PriceOf :one`) begin a section
each; a section reaches to the next one. Nothing here knows an engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, cast

from ftl_nb.databases.model import COMMANDS, Command, Migration, Query, QueryParameter, SQLText
from ftl_nb.databases.scanner import Token, scan
from ftl_nb.errors import fail
from ftl_nb.schema import names

_MARK = re.compile(r"\s*--\s*(?P<word>migrate:up|migrate:down|name:)(?P<rest>.*)\Z")
_NEAR_MARK = re.compile(r"\s*--\s*(?:migrate\s*:|name\s*:\s*\w+\s+:)")
_ACCEPTED = ", ".join(f":{command}" for command in COMMANDS)


@dataclass(frozen=True, slots=True)
class CellSQL:
    """What one cell defines: at most one migration, any number of queries."""

    migration: Migration | None = None
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class _Section:
    """`head` is the line of the mark, `body` the text of the lines below it."""

    word: str
    rest: str
    head: SQLText
    body: SQLText
    above: tuple[str, ...] = ()


def split(text: str, filename: str, version: str = "") -> CellSQL:
    """The migration and the queries of a cell; `version` is what the session gave the cell's migration.

    Raises `sql-annotation` or `sql-syntax` with the place in the cell.
    """
    sections = list(_sections(text, filename))
    queries = tuple(_query(s) for s in sections if s.word == "name:")
    _distinct(queries)
    return CellSQL(_migration(sections, version), queries)


def keyword_of(query: str) -> str:
    """The first parameter's name in the text that `+sql query` keeps: the keyword of a one-parameter verb."""
    return next((t.name for t in scan(query) if t.is_parameter), "")


def _sections(text: str, filename: str) -> Iterator[_Section]:
    lines = text.split("\n")
    marks = [(i, m) for i, line in enumerate(lines) if (m := _MARK.match(line.rstrip()))]
    _only_comments(SQLText("\n".join(lines[: marks[0][0]] if marks else lines), filename), bool(marks))
    for n, (i, mark) in enumerate(marks):
        end = _docs_start(lines, marks[n + 1][0]) if n + 1 < len(marks) else len(lines)
        body = SQLText("\n".join(lines[i + 1 : end]), filename, i + 2)
        head = SQLText(lines[i].rstrip(), filename, i + 1)
        yield _Section(mark["word"], mark["rest"], head, body, _comments_above(lines, i))


def _only_comments(before: SQLText, marked: bool) -> None:
    for token in scan(before.text):
        if token.kind == "comment" and _NEAR_MARK.match(token.text):
            _refuse(before, token, f"{token.text.strip()!r} is not an annotation")
        if not token.is_blank:
            where = "above the first annotation" if marked else "without an annotation"
            _refuse(before, token, f"There is SQL {where}, so it belongs to no migration and no query")


def _refuse(sql: SQLText, token: Token, detail: str) -> NoReturn:
    hint = f"begin a migration with `-- migrate:up`, or a query with `-- name: PriceOf :one` ({_ACCEPTED})"
    first_line = token.start + len(token.text.split("\n")[0])
    raise fail("sql-annotation", sql.place(token.start, first_line), hint, detail=detail, accepted=_ACCEPTED)


def _docs_start(lines: list[str], index: int) -> int:
    """The first of the comment lines that stand directly above a mark."""
    while index > 0 and _is_comment(lines[index - 1]):
        index -= 1
    return index


def _comments_above(lines: list[str], index: int) -> tuple[str, ...]:
    return tuple(_comment_text(line) for line in lines[_docs_start(lines, index) : index])


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("--") and not _MARK.match(line)


def _comment_text(line: str) -> str:
    return line.lstrip().removeprefix("--").strip()


def _migration(sections: list[_Section], version: str) -> Migration | None:
    ups = [s for s in sections if s.word == "migrate:up"]
    downs = [s for s in sections if s.word == "migrate:down"]
    if len(ups) > 1:
        _misplaced(ups[1], "A cell has one migration, this is its second `-- migrate:up`")
    if len(downs) > 1 or (downs and (not ups or downs[0].head.line < ups[0].head.line)):
        _misplaced(downs[-1], "`-- migrate:down` stands once, below its `-- migrate:up`")
    if not ups:
        return None
    down = downs[0].body.text.strip() if downs else ""
    return Migration(version, ups[0].body, down, _options(ups[0]).get("transaction", "true") == "true")


def _misplaced(section: _Section, detail: str) -> NoReturn:
    hint = "put each migration into a cell of its own"
    raise fail("sql-annotation", section.head.whole(), hint, detail=detail, accepted=_ACCEPTED)


def _options(section: _Section) -> dict[str, str]:
    options = dict(word.partition(":")[::2] for word in section.rest.split())
    for word, value in options.items():
        if word != "transaction" or value not in ("true", "false"):
            raise fail(
                "sql-annotation", section.head.whole(), "the option is transaction:false",
                detail=f"`{word}:{value}` is not an option of a migration", accepted=_ACCEPTED,
            )  # fmt: skip
    return options


def _query(section: _Section) -> Query:
    name, command = _annotation(section)
    sql = _one_statement(section)
    docs = (*section.above, *_comments_below(section.body.text))
    return Query(name, command, sql, section.head, _named_parameters(sql), docs)


def _annotation(section: _Section) -> tuple[str, Command]:
    words = section.rest.split()
    name, command = (*words, "", "")[:2]
    if not names.is_identifier(name):
        detail = f"{name!r} is not a name for a query" if name and not name.startswith(":") else "The query has no name"
    elif len(words) != 2 or command.removeprefix(":") not in COMMANDS or not command.startswith(":"):
        what = f"{command} is not a command" if command else "The command is missing"
        detail = f"{what} of query {name}; accepted are {_ACCEPTED}"
    else:
        return name, cast(Command, command[1:])
    raise fail("sql-annotation", section.head.whole(), detail=detail, accepted=_ACCEPTED)


def _comments_below(body: str) -> tuple[str, ...]:
    docs: list[str] = []
    for line in body.split("\n"):
        if not _is_comment(line):
            break
        docs.append(_comment_text(line))
    return tuple(docs)


def _one_statement(section: _Section) -> SQLText:
    tokens = list(scan(section.body.text))
    ends = [t for t in tokens if t.kind == "end"]
    code = [t for t in tokens if not t.is_blank and t.kind != "end"]
    if not code:
        detail = f"The query {section.rest.split()[0]} has no statement"
        raise fail("sql-syntax", section.head.whole(), detail=detail, fix="write it below its name")
    if ends and code[-1].start > ends[0].start:
        second = next(t for t in code if t.start > ends[0].start)
        fix = "give the second statement its own `-- name:` line"
        place = section.body.place(second.start, second.end)
        raise fail("sql-syntax", place, detail="A query is one statement, this one has two", fix=fix)
    return SQLText(section.body.text[: code[-1].end], section.body.filename, section.body.line)


def _named_parameters(sql: SQLText) -> tuple[QueryParameter, ...]:
    found: dict[str, QueryParameter] = {}
    for token in scan(sql.text):
        if token.kind == "positional":
            fix = "name it: @sku"
            detail = f"The parameter {token.text} has no name"
            raise fail("sql-syntax", sql.place(token.start, token.end), detail=detail, fix=fix)
        if token.kind == "macro" and (token.function not in ("arg", "narg") or not token.name):
            fix = "accepted are sqlc.arg(name) and sqlc.narg(name)"
            detail = f"{token.text} is not a parameter"
            raise fail("sql-syntax", sql.place(token.start, token.end), detail=detail, fix=fix)
        if token.is_parameter:
            seen = found.get(token.name) or QueryParameter(token.name, token.start, token.end)
            optional = seen.optional or token.function == "narg"
            found[token.name] = QueryParameter(seen.name, seen.start, seen.end, optional)
    return tuple(found.values())


def _distinct(queries: tuple[Query, ...]) -> None:
    seen: dict[str, Query] = {}
    for query in queries:
        first = seen.setdefault(names.camel(query.name), query)
        if first is not query:
            detail = f"The query {query.name} is there already, in line {first.head.line}"
            raise fail("sql-annotation", query.head.whole(), "rename one of them", detail=detail, accepted=_ACCEPTED)
