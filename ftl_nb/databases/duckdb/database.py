"""A live DuckDB database: a folder that one process owns, with a current file and, while migrating, a candidate.

A migration never touches the file that serves. It runs on a copy (or on a new file) which becomes current by one rename
of `current.json`, or, where the owner of the folder keeps its own record, by being named when the folder is opened.
What is not named then is left over from a process that died, and goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from ftl_nb.databases.call import Call
from ftl_nb.databases.duckdb.execution import RawStatement, answer, arrow
from ftl_nb.databases.duckdb.faults import run_error
from ftl_nb.databases.duckdb.generation import Generation, remove_file
from ftl_nb.databases.duckdb.migrator import Plan, migrate, plan, row_counts
from ftl_nb.databases.gate import WriteGate
from ftl_nb.databases.model import Migration, PreparedQuery
from ftl_nb.errors import FtlError, fail

T = TypeVar("T")

FORMAT = 1
WRITE_TIMEOUT = 30.0  # seconds that a write without a deadline waits for a migration


class DuckDBDatabase:
    """`folder` is made when it is missing; `name` (`shop.stock`) is for errors.

    `generation` is the file that counts, 0 for the one that `current.json` names. `prepared` is one that was prepared
    before this process was started: it stays, and writes wait until it is taken or dropped.
    Raises `database-corrupt` when the folder is in use, of another format, or its file is not readable.
    """

    def __init__(self, folder: Path, name: str, generation: int = 0, prepared: int = 0) -> None:
        self.name = name
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._owner = self._own()
        try:
            self._number = self._read_current(generation)
            self._sweep(prepared)
            self._current = Generation(self._path(self._number), name)
            self._write_current(self._number)
        except BaseException:
            os.close(self._owner)
            raise
        self._gate = WriteGate(name)
        if prepared:
            self._gate.close(0)
        self._swap = threading.Lock()
        self._beside: Generation | None = None

    def execute(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        """The JSON answer of a SQL verb.

        Raises `json-invalid`, `no-rows`, `result-invalid`, `sql-failed`, `database-busy`, `deadline` or `cancelled`.
        """
        return self._serve(query.writes, call, lambda generation: answer(generation, query, body, call))

    def arrow(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        """The result of a SQL verb as an Arrow IPC stream; errors as of `execute`."""
        return self._serve(query.writes, call, lambda generation: arrow(generation, query, body, call))

    def query_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> bytes:
        """Rows of one raw statement; `parameters` and the answer as in `ftl_nb.binding.rows`."""
        statement = self._statement(sql, parameters)
        return self._serve(statement.writes, call, lambda generation: statement.rows(generation, call))

    def execute_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> int:
        """Runs one raw statement; the number of changed rows."""
        statement = self._statement(sql, parameters)
        return self._serve(statement.writes, call, lambda generation: statement.affected(generation, call))

    def prepare(
        self, migrations: Sequence[Migration], *, isolated: bool = False, timeout: float = WRITE_TIMEOUT
    ) -> Candidate:
        """The database with exactly these migrations, beside the one that serves. Exactly one candidate at a time.

        Until `commit` or `rollback`, calls of the database are answered by what serves now and writes wait. When there
        is nothing to migrate the candidate is the serving file itself, unless `isolated` asks for a copy.
        Raises `migration-failed` (nothing of it stays), `database-busy` or `disk-full`.
        """
        due = plan(self._current.cursor(), migrations)
        if due.kind == "none" and not isolated:
            return Candidate(self, self._current, due, {}, self._number, own=False)
        self._gate.close(timeout)
        try:
            return self._candidate(due)
        except BaseException:
            self._gate.open()
            raise

    def take(self, number: int) -> None:
        """Serves a file that an earlier process had prepared. Raises `database-corrupt` when it is not there."""
        if number == self._number:
            self._gate.open()
            return
        self.adopt(Generation(self._there(number), self.name), number)

    def drop(self, number: int) -> None:
        """Removes a file that an earlier process had prepared."""
        if number != self._number:
            remove_file(self._path(number))
        self._gate.open()

    def close(self) -> None:
        """Ends every call's connection, drops an open candidate and gives the folder free."""
        if self._beside is not None:
            self.discard(self._beside)
        self._current.close()
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1

    def _serve(self, writes: bool, call: Call | None, run: Callable[[Generation], T]) -> T:
        if not writes:
            return self._within(run)
        timeout = WRITE_TIMEOUT if call is None else call.remaining(WRITE_TIMEOUT)
        with self._gate.writing(timeout):
            return self._within(run)

    def _within(self, run: Callable[[Generation], T]) -> T:
        """Runs on the current file, which stays as long as that takes."""
        generation = self._current
        while not generation.enter():
            generation = self._current
        try:
            return run(generation)
        finally:
            generation.leave()

    def _statement(self, sql: str, parameters: bytes) -> RawStatement:
        return self._within(lambda generation: RawStatement(generation, sql, parameters))

    def _candidate(self, due: Plan) -> Candidate:
        gone: Mapping[str, int] = row_counts(self._current.cursor()) if due.kind == "changed" else {}
        path = self._path(self._number + 1)
        generation: Generation | None = None
        try:
            if due.kind != "changed":
                self._current.copy_to(path)
            generation = Generation(path, self.name)
            migrate(generation.cursor(), due.pending, self.name)
            self._beside = generation
            return Candidate(self, generation, due, gone, self._number + 1, own=True)
        except BaseException as error:
            if generation is not None:
                generation.close()
            remove_file(path)
            raise self._told(error) from None

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, OSError):
            return fail("disk-full", folder=f"The folder of {self.name}", detail=error.strerror or str(error))
        return run_error(error, self.name) if isinstance(error, duckdb.Error) else error

    def adopt(self, generation: Generation, number: int) -> None:
        """Makes a candidate's file the current one."""
        try:
            self._write_current(number)
        except OSError as error:
            raise self._told(error) from None
        with self._swap:
            old, self._current, self._beside = self._current, generation, None
            self._number = number
        old.replace()
        self._gate.open()

    def discard(self, generation: Generation) -> None:
        """Throws a candidate's file away."""
        self._beside = None
        generation.remove()
        self._gate.open()

    def _path(self, number: int) -> Path:
        return self._folder / f"generation-{number}.duckdb"

    def _own(self) -> int:
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            hint = "one process owns a DuckDB database: end the other one"
            raise self._unreadable("another process has it open", hint) from None
        return descriptor

    def _read_current(self, given: int) -> int:
        path = self._folder / "current.json"
        if not path.exists():
            return given or 1
        try:
            raw: dict[str, Any] = json.loads(path.read_text())
            found, number = raw["format"], int(raw["generation"])
        except (ValueError, KeyError, TypeError):
            raise self._unreadable("current.json is not readable") from None
        if found != FORMAT:
            hint = "use the version of ftl_nb that made it, or make a fresh one with %ftl reset"
            raise self._unreadable(f"its folder is of format {found}, this version reads {FORMAT}", hint)
        self._there(given or number)
        return given or number

    def _there(self, number: int) -> Path:
        path = self._path(number)
        if not path.exists():
            raise self._unreadable(f"{path.name} is missing")
        return path

    def _write_current(self, number: int) -> None:
        path = self._folder / "current.json"
        new = path.with_suffix(".new")
        with new.open("w") as file:
            json.dump({"format": FORMAT, "generation": number}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sweep(self, prepared: int) -> None:
        """Removes the files of a process that died while it had a candidate."""
        names = [self._path(number).name for number in (self._number, prepared)]
        for path in self._folder.glob("generation-*.duckdb*"):
            if path.name.removesuffix(".wal") not in names:
                path.unlink()

    def _unreadable(self, detail: str, hint: str = "") -> FtlError:
        return fail("database-corrupt", hint=hint, database=self.name, detail=detail)


class Candidate:
    """A migrated database before it serves: fixtures run on it, then it is committed or rolled back.

    `kind` is `none`, `pending` or `changed`; `pending` the versions that were run; `rows_gone` the rows by table that a
    changed migration costs; `number` the file that serves once it is committed.
    """

    def __init__(
        self,
        database: DuckDBDatabase,
        generation: Generation,
        due: Plan,
        rows_gone: Mapping[str, int],
        number: int,
        *,
        own: bool,
    ) -> None:
        self.kind = due.kind
        self.pending = tuple(m.version for m in due.pending)
        self.rows_gone = rows_gone
        self.number = number
        self._database = database
        self._generation = generation
        self._own = own

    def execute(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        return answer(self._generation, query, body, call) if self._own else self._database.execute(query, body, call)

    def arrow(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        return arrow(self._generation, query, body, call) if self._own else self._database.arrow(query, body, call)

    def query_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> bytes:
        if not self._own:
            return self._database.query_sql(sql, parameters, call)
        return RawStatement(self._generation, sql, parameters).rows(self._generation, call)

    def execute_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> int:
        if not self._own:
            return self._database.execute_sql(sql, parameters, call)
        return RawStatement(self._generation, sql, parameters).affected(self._generation, call)

    def commit(self) -> None:
        """Serves from now on. Raises `disk-full`; then it is still a candidate. A second call does nothing."""
        if self._own:
            self._database.adopt(self._generation, self.number)
            self._own = False

    def rollback(self) -> None:
        """Leaves the database as it was. Does nothing after `commit`."""
        if self._own:
            self._own = False
            self._database.discard(self._generation)
