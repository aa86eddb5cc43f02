"""DuckDB's errors as the project's. Connections run with `errors_as_json`, so that places come as data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import duckdb

from ftl_nb.databases.model import SQLText
from ftl_nb.errors import FtlError, Place, fail

_UNKNOWN_NAME = ("COLUMN_NOT_FOUND", "MISSING_ENTRY")
_OF_THE_ENGINE = ("pg_", "information_schema.", "duckdb_", "sqlite_")


@dataclass(frozen=True, slots=True)
class Fault:
    """One engine error: its kind (`Parser`, `Binder`, `Constraint` …), its sentence, the bytes it points at."""

    kind: str
    message: str
    subtype: str = ""
    candidates: tuple[str, ...] = ()
    start: int = -1
    length: int = 1


_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z))*")


def read_fault(error: duckdb.Error) -> Fault:
    """What an exception of the engine says, with or without `errors_as_json`."""
    text = str(error)
    kind, _, rest = text.partition(" Error: ")
    try:
        data = json.loads(rest)
    except ValueError:
        first = (rest or text).split("\n\nLINE ", 1)[0]
        return Fault(kind, first.strip())
    start, length = (int(n) for n in re.findall(r"-?\d+", data.get("location") or "[-1,1]"))
    message = str(data["exception_message"]).split("\nCandidate bindings:", 1)[0].split("\nDid you mean", 1)[0]
    message = message.split("\n\nLINE ", 1)[0].strip()
    near = (name for name in (data.get("candidates") or "").split(",") if name and not name.startswith(_OF_THE_ENGINE))
    return Fault(
        data["exception_type"], message, data.get("error_subtype") or "", tuple(near)[:3], start, max(length, 1)
    )


def place_of(fault: Fault, sql: SQLText, prefix: int = 0, begin: int = 0) -> Place:
    """Where a fault points in a piece of a cell; `prefix` is the number of bytes that were sent before it.

    A fault that points nowhere is at the first line of code from character `begin` on.
    """
    if fault.start < prefix:
        return sql.whole() if sql.text.strip() == "" else _first_code(sql, begin)
    raw = sql.text.encode()
    start = len(raw[: fault.start - prefix].decode(errors="ignore"))
    end = len(raw[: fault.start - prefix + fault.length].decode(errors="ignore"))
    return sql.place(start, end)


def _first_code(sql: SQLText, begin: int) -> Place:
    blank = _BLANK.match(sql.text, begin)
    start = blank.end() if blank is not None else begin
    end = sql.text.find("\n", start)
    return sql.place(start, end if end >= 0 else len(sql.text))


def source_error(error: duckdb.Error, sql: SQLText, prefix: int = 0) -> FtlError:
    """The error for SQL of the author's that the engine refuses before it runs."""
    fault = read_fault(error)
    slug = "sql-unknown-name" if fault.subtype in _UNKNOWN_NAME else "sql-syntax"
    detail = fault.message.rstrip(".!").replace("\n", " ")
    near = f"did you mean {' or '.join(fault.candidates)}" if fault.candidates else ""
    fix = near or _FIXES.get(fault.kind, "")
    return fail(slug, place_of(fault, sql, prefix), detail=detail, fix=fix)


_FIXES = {
    "Parser": "mend the statement and run the cell again",
    "Binder": "check it against the columns that the migrations make",
    "Catalog": "make it in a migration of this database",
}


def run_error(error: duckdb.Error, verb: str) -> FtlError:
    """The error for a statement that failed while it ran."""
    if isinstance(error, duckdb.InterruptException):
        return fail("cancelled", verb=verb)
    detail = read_fault(error).message.rstrip(".!").replace("\n", " ")
    return no_space() if out_of_space(detail) else fail("sql-failed", verb=verb, detail=detail)


def out_of_space(detail: str) -> bool:
    """Whether the engine's words say that the disk is full."""
    return "No space left" in detail


def no_space() -> FtlError:
    return fail("disk-full", folder="The database's folder", detail="No space left on device")
