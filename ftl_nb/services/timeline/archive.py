"""The archive of the timeline: a DuckDB file of bounded size, opened by whoever first needs it.

One connection writes. Whoever reads has a cursor of its own, reads what is committed, and waits for no writer.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from ftl_nb.rpc import event_pb2
from ftl_nb.services.timeline import tables
from ftl_nb.services.timeline.rows import COLUMNS, event_of, lines

#: Nothing that a statement says reaches files, the network, other extensions or Python's own variables.
_CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "256MB",
    "threads": "1",
}
#: What says that the file cannot be opened now, not that it is broken.
_NOT_NOW = ("lock", "permission denied", "no space", "read-only file system", "too many open files")
#: Of what is over the bound, and this part more, the oldest go at once.
_SPARE = 0.1
_LONG = "request, response, message, stack"


class ArchiveFailed(Exception):
    """The archive could not be opened, read or written; the text is one sentence's worth."""


class Archive:
    """Events in `folder`; at most about `rows` of them and `size` bytes. `say` is told what went wrong with the file.

    Every method raises ArchiveFailed.
    """

    def __init__(self, folder: Path, rows: int, size: int, say: Callable[[str], None]) -> None:
        self.file = folder / "events.duckdb"
        self._rows, self._size, self._say = rows, size, say
        self._connection: Any = None
        self._opening = Lock()
        self._count = 0

    # --- opening -------------------------------------------------------------------------------------------------

    def cursor(self) -> Any:
        """A connection of its own to the open archive."""
        with self._opening:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.cursor()

    def _open(self) -> Any:
        import duckdb

        try:
            return self._opened()
        except (duckdb.Error, OSError) as e:
            if not self.file.exists() or any(word in str(e).lower() for word in _NOT_NOW):
                raise ArchiveFailed(_first_line(e)) from e
            self._put_aside(_first_line(e))
        try:
            return self._opened()
        except (duckdb.Error, OSError) as e:
            raise ArchiveFailed(_first_line(e)) from e

    def _opened(self) -> Any:
        import duckdb

        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = duckdb.connect(str(self.file), config=_CONFIG)
        try:
            os.chmod(self.file, 0o600)
            for statement in tables.statements():
                connection.execute(statement)
            found = connection.execute(f"select column_name from (describe {tables.STORED})").fetchall()
            if [name for (name,) in found] != list(COLUMNS):
                raise duckdb.Error("its table is of another version")
            connection.execute("set lock_configuration = true")
            ((self._count,),) = connection.execute(f"select count(*) from {tables.STORED}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def begin_at(self, first: int) -> None:
        """Puts the file aside where it has ids from `first` on: it is of another timeline."""
        if self.last_id() >= first:
            self.close()
            self._put_aside("its ids are higher than any that were given")

    def _put_aside(self, why: str) -> None:
        kept = self.file.with_name(f"events.{time.time_ns()}.broken")
        for path, to in ((self.file, kept), (_wal(self.file), _wal(kept))):
            if path.exists():
                path.rename(to)
        self._say(f"timeline: the archive could not be read ({why}); it is now {kept.name}, and a new one is begun")

    def close(self) -> None:
        """What is written stays; the next use opens the file again."""
        import duckdb

        with self._opening:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    connection.close()
                except duckdb.Error as e:
                    self._say(f"timeline: {_first_line(e)}")

    # --- writing -------------------------------------------------------------------------------------------------

    def write(self, events: Sequence[event_pb2.Event]) -> None:
        """All of them or none, in order of their ids. Ids are above those written before."""
        import duckdb
        import pyarrow

        cursor = self.cursor()
        try:
            cursor.register("arriving", _table(events))
            cursor.execute(tables.insertion("arriving"))
            self._count += len(events)
        except (duckdb.Error, pyarrow.ArrowException, OSError) as e:
            raise ArchiveFailed(_first_line(e)) from e
        finally:
            cursor.close()

    def bound(self) -> None:
        """Removes the oldest where there are too many."""
        import duckdb

        cursor = self.cursor()
        try:
            self._bound(cursor)
        except duckdb.Error as e:
            raise ArchiveFailed(_first_line(e)) from e
        finally:
            cursor.close()

    def _bound(self, cursor: Any) -> None:
        if self._count > self._rows * (1 + _SPARE):
            self._keep(cursor, self._rows)
        ((used,),) = cursor.execute(
            "select used_blocks * block_size from pragma_database_size() where database_name = current_database()"
        ).fetchall()
        if used > self._size:
            self._keep(cursor, int(self._count * (1 - 2 * _SPARE)))

    def _keep(self, cursor: Any, rows: int) -> None:
        cursor.execute(
            f"delete from {tables.STORED} where id <= "
            f"(select id from {tables.STORED} order by id desc offset {rows} limit 1)"
        )
        cursor.execute("checkpoint")
        ((self._count,),) = cursor.execute(f"select count(*) from {tables.STORED}").fetchall()

    def delete(self, kind: str, before_ns: int) -> int:
        """Removes events of one type that are older; how many."""
        ((gone,),) = self._run(f"delete from {tables.STORED} where type = ? and at_ns < ?", [kind, before_ns])
        self._count -= gone
        return int(gone)

    # --- reading -------------------------------------------------------------------------------------------------

    def select(self, where: str, values: Sequence[Any], limit: int, *, descending: bool) -> list[event_pb2.Event]:
        """The first `limit` events by id for which the expression holds."""
        order = "desc" if descending else "asc"
        sql = f"select event, {_LONG} from {tables.STORED} where {where} order by id {order} limit {limit}"
        return [event_of(stored, long) for stored, *long in self._run(sql, values)]

    def requests(self, limit: int) -> list[str]:
        """The keys of the newest requests that called a verb, newest first."""
        sql = (
            f"select request_key from {tables.STORED} where type = 'call' and kind <> 'fixture' "
            f"group by 1 order by max(id) desc limit {limit}"
        )
        return [key for (key,) in self._run(sql)]

    def last_id(self) -> int:
        """The highest id, -1 for none."""
        ((last,),) = self._run(f"select coalesce(max(id), -1) from {tables.STORED}")
        return int(last)

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        import duckdb

        cursor = self.cursor()
        try:
            found: list[tuple[Any, ...]] = cursor.execute(sql, list(values)).fetchall()
        except duckdb.Error as e:
            raise ArchiveFailed(_first_line(e)) from e
        finally:
            cursor.close()
        return found


def _table(events: Sequence[event_pb2.Event]) -> Any:
    # Arrow's own reader of JSON: its conversion of Python lists imports pandas.
    import pyarrow
    from pyarrow import json

    types = {"bigint": pyarrow.int64(), "double": pyarrow.float64()}
    schema = pyarrow.schema([(name, types.get(kind, pyarrow.string())) for name, kind in COLUMNS.items()])
    text = lines(events)
    return json.read_json(
        io.BytesIO(text),
        json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def _wal(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
