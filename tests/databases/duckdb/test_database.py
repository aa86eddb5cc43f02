"""A live database: SQL verbs, raw statements, migrations beside calls, and processes that die."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pyarrow as pa
import pytest

from ftl_nb.databases import (
    Call,
    DatabaseSource,
    Migration,
    PreparedQuery,
    decode_rows,
    encode_parameters,
    engine,
    split,
)
from ftl_nb.databases.duckdb.database import DuckDBDatabase
from ftl_nb.errors import FtlError

ITEMS = "-- migrate:up\nCREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL, seen TIMESTAMPTZ);"
STOCK = "-- migrate:up\nALTER TABLE items ADD COLUMN stock INTEGER;"
QUERIES = """
-- name: PriceOf :one
SELECT price FROM items WHERE sku = @sku;
-- name: AllItems :many
SELECT * FROM items ORDER BY sku;
-- name: AddItem :exec
INSERT INTO items (sku, price) VALUES (@sku, @price);
-- name: Raise :execrows
UPDATE items SET price = price + @by;
-- name: Take :one
DELETE FROM items WHERE sku = @sku RETURNING *;
-- name: Slow :one
SELECT count(*) FROM range(100000) a(x), range(10000000) b(y) WHERE x * y % 7 = @rest::INTEGER;
"""


def migration(text: str, version: str) -> Migration:
    found = split(text, "<shop/stock>", version).migration
    assert found is not None
    return found


ONE = migration(ITEMS, "1")
TWO = migration(STOCK, "2")


@pytest.fixture(scope="module")
def queries() -> dict[str, PreparedQuery]:
    source = DatabaseSource("shop", "stock", "duckdb", (ONE,), split(QUERIES, "<shop/stock>").queries)
    return {q.verb: q for q in engine("duckdb").analyse(source).queries}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stock"


@pytest.fixture
def database(folder: Path, queries: dict[str, PreparedQuery]) -> Iterator[DuckDBDatabase]:
    database = DuckDBDatabase(folder, "shop.stock")
    database.prepare([ONE]).commit()
    database.execute(queries["addItem"], b'{"sku":"tea","price":3.5}')
    yield database
    database.close()


def slug_of(run: Callable[[], object]) -> str:
    with pytest.raises(FtlError) as caught:
        run()
    return caught.value.slug


def count(database: DuckDBDatabase) -> object:
    return decode_rows(database.query_sql("SELECT count(*) AS n FROM items"))[0]["n"]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.duckdb"))


def test_sql_verbs_answer_json(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    def call(verb: str, body: object = None) -> object:
        return json.loads(database.execute(queries[verb], json.dumps(body).encode()))

    assert call("priceOf", "tea") == 3.5
    assert call("addItem", {"sku": "mug", "price": 8, "of a later version": 1}) == {}
    assert call("raise", 1.0) == 2
    assert call("allItems") == [{"sku": "mug", "price": 9.0, "seen": None}, {"sku": "tea", "price": 4.5, "seen": None}]
    assert call("take", "mug") == {"sku": "mug", "price": 9.0, "seen": None}
    assert count(database) == 1


@pytest.mark.parametrize(
    ("verb", "body", "slug"),
    [
        ("priceOf", b'"coffee"', "no-rows"),
        ("priceOf", b"tea", "json-syntax"),
        ("priceOf", b'{"sku":"tea"}', "json-invalid"),
        ("addItem", b'{"sku":"a"}', "json-invalid"),
        ("addItem", b'{"sku":"tea","price":1}', "sql-failed"),
    ],
)
def test_a_call_that_fails_has_one_error(
    database: DuckDBDatabase, queries: dict[str, PreparedQuery], verb: str, body: bytes, slug: str
) -> None:
    assert slug_of(lambda: database.execute(queries[verb], body)) == slug
    assert count(database) == 1


def test_an_injection_attempt_is_a_value(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    attack = json.dumps({"sku": "x'); DROP TABLE items; --", "price": 1}).encode()
    database.execute(queries["addItem"], attack)
    assert count(database) == 2


def test_arrow_has_the_engines_types_and_the_querys_names(
    database: DuckDBDatabase, queries: dict[str, PreparedQuery]
) -> None:
    table = pa.ipc.open_stream(database.arrow(queries["allItems"], b"")).read_all()
    assert table.schema.names == ["sku", "price", "seen"]
    assert table.column("price").to_pylist() == [3.5]
    one = pa.ipc.open_stream(database.arrow(queries["priceOf"], b'"tea"')).read_all()
    assert one.to_pylist() == [{"price": 3.5}]


def test_raw_statements_take_bound_parameters_and_answer_typed_rows(database: DuckDBDatabase) -> None:
    from datetime import datetime

    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    named = encode_parameters({"sku": "mug", "price": 2, "seen": moment})
    assert database.execute_sql("INSERT INTO items VALUES (@sku, $price, @seen)", named) == 1
    (row,) = decode_rows(database.query_sql("SELECT seen, 'ab'::BLOB AS raw FROM items WHERE sku = ?", b'["mug"]'))
    assert row == {"seen": moment, "raw": b"ab"}
    assert database.execute_sql("CREATE TABLE other (x INTEGER)") == 0
    assert database.execute_sql("DELETE FROM items") == 2


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELEC 1", "SELECT nope FROM items", "", "SELECT @x"])
def test_a_raw_statement_that_fails_says_why(database: DuckDBDatabase, sql: str) -> None:
    with pytest.raises(FtlError) as caught:
        database.query_sql(sql)
    assert caught.value.slug == "sql-failed"
    assert "LINE" not in caught.value.message
    assert "{" not in caught.value.message


def test_many_threads_at_once(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for i in range(30):
            sku = f"{number}-{i}"
            database.execute(queries["addItem"], json.dumps({"sku": sku, "price": i}).encode())
            if json.loads(database.execute(queries["priceOf"], json.dumps(sku).encode())) != i:
                wrong.append(sku)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert count(database) == 181


def test_a_deadline_ends_a_query(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    assert slug_of(lambda: database.execute(queries["slow"], b"3", Call(0.1))) == "deadline"
    assert database.execute(queries["priceOf"], b'"tea"', Call(5)) == b"3.5"


def test_a_cancelled_call_ends_its_query(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    call = Call()
    threading.Timer(0.1, call.cancel).start()
    assert slug_of(lambda: database.execute(queries["slow"], b"3", call)) == "cancelled"
    assert slug_of(lambda: database.execute(queries["priceOf"], b'"tea"', call)) == "cancelled"
    assert database.execute(queries["priceOf"], b'"tea"') == b"3.5"


def test_nothing_to_migrate_is_the_serving_file(database: DuckDBDatabase) -> None:
    candidate = database.prepare([ONE])
    assert (candidate.kind, candidate.pending) == ("none", ())
    assert candidate.execute_sql("INSERT INTO items VALUES ('mug', 1, NULL)") == 1
    candidate.rollback()
    assert count(database) == 2


def test_an_isolated_candidate_leaves_nothing_when_it_is_rolled_back(database: DuckDBDatabase, folder: Path) -> None:
    candidate = database.prepare([ONE], isolated=True)
    candidate.execute_sql("DELETE FROM items")
    candidate.rollback()
    assert count(database) == 1
    assert len(files(folder)) == 1


def test_a_pending_migration_runs_beside_what_serves(
    database: DuckDBDatabase, queries: dict[str, PreparedQuery], folder: Path
) -> None:
    candidate = database.prepare([ONE, TWO])
    assert (candidate.kind, candidate.pending, candidate.rows_gone) == ("pending", ("2",), {})
    candidate.execute_sql("UPDATE items SET stock = 7")
    assert slug_of(lambda: database.query_sql("SELECT stock FROM items")) == "sql-failed"
    assert candidate.execute(queries["priceOf"], b'"tea"') == b"3.5"
    candidate.commit()
    candidate.rollback()
    assert decode_rows(database.query_sql("SELECT stock FROM items")) == [{"stock": 7}]
    assert len(files(folder)) == 1
    versions = decode_rows(database.query_sql("SELECT version FROM schema_migrations ORDER BY 1"))
    assert versions == [{"version": "1"}, {"version": "2"}]


def test_writes_wait_for_a_candidate_and_reads_do_not(
    database: DuckDBDatabase, queries: dict[str, PreparedQuery]
) -> None:
    candidate = database.prepare([ONE, TWO])
    body = b'{"sku":"mug","price":1}'
    assert slug_of(lambda: database.execute(queries["addItem"], body, Call(0.05))) == "database-busy"
    assert database.execute(queries["priceOf"], b'"tea"') == b"3.5"
    waiting = threading.Thread(target=database.execute, args=(queries["addItem"], body))
    waiting.start()
    candidate.commit()
    waiting.join()
    assert decode_rows(database.query_sql("SELECT sku, stock FROM items ORDER BY 1"))[0] == {
        "sku": "mug",
        "stock": None,
    }


def test_one_candidate_at_a_time(database: DuckDBDatabase) -> None:
    candidate = database.prepare([ONE, TWO])
    assert slug_of(lambda: database.prepare([ONE, TWO], timeout=0.05)) == "database-busy"
    candidate.rollback()
    database.prepare([ONE, TWO]).commit()


def test_a_reader_ends_on_the_file_that_it_began_on(database: DuckDBDatabase, folder: Path) -> None:
    old = database._current
    assert old.enter()
    database.prepare([ONE, TWO]).commit()
    assert len(files(folder)) == 2
    assert old.cursor().execute("SELECT count(*) FROM items").fetchall() == [(1,)]
    old.leave()
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    "migrations",
    [
        [migration(ITEMS.replace("DOUBLE", "FLOAT"), "1")],
        [],
        [TWO, ONE],
        [migration("-- migrate:up\nCREATE TABLE first (x INTEGER)", "0"), ONE],
    ],
    ids=["edited", "gone", "another order", "one before it"],
)
def test_a_changed_migration_is_a_new_file(database: DuckDBDatabase, migrations: list[Migration]) -> None:
    if migrations[:1] == [TWO]:
        assert slug_of(lambda: database.prepare(migrations)) == "migration-failed"
        return
    candidate = database.prepare(migrations)
    assert (candidate.kind, dict(candidate.rows_gone)) == ("changed", {"items": 1})
    assert count(database) == 1
    candidate.commit()
    assert decode_rows(database.query_sql("SELECT count(*) AS n FROM schema_migrations")) == [{"n": len(migrations)}]


@pytest.mark.parametrize("options", ["", " transaction:false"])
def test_a_migration_that_fails_half_way_leaves_nothing(database: DuckDBDatabase, folder: Path, options: str) -> None:
    broken = migration(
        f"\n-- migrate:up{options}\nDELETE FROM items;\nINSERT INTO items VALUES ('x', NULL, NULL);", "2"
    )
    with pytest.raises(FtlError) as caught:
        database.prepare([ONE, broken])
    assert caught.value.slug == "migration-failed"
    assert "NOT NULL constraint failed" in caught.value.message
    assert count(database) == 1
    assert len(files(folder)) == 1
    database.prepare([ONE, TWO]).commit()


def test_a_database_is_durable(folder: Path) -> None:
    first = DuckDBDatabase(folder, "shop.stock")
    first.prepare([ONE, TWO]).commit()
    first.execute_sql("INSERT INTO items VALUES ('tea', 1, NULL, 3)")
    first.close()
    second = DuckDBDatabase(folder, "shop.stock")
    assert second.prepare([ONE, TWO]).kind == "none"
    assert count(second) == 1
    second.close()


def test_a_folder_has_one_owner(database: DuckDBDatabase, folder: Path) -> None:
    with pytest.raises(FtlError, match="another process has it open") as caught:
        DuckDBDatabase(folder, "shop.stock")
    assert caught.value.slug == "database-corrupt"
    assert count(database) == 1


@pytest.mark.parametrize(
    ("name", "text", "detail"),
    [
        ("current.json", '{"format": 99, "generation": 2}', "of format 99"),
        ("current.json", "{", "current.json is not readable"),
        ("current.json", '{"format": 1, "generation": 7}', "generation-7.duckdb is missing"),
        ("generation-2.duckdb", "no database at all", "not a valid DuckDB database file"),
    ],
)
def test_a_folder_that_cannot_be_read_has_one_error(folder: Path, name: str, text: str, detail: str) -> None:
    database = DuckDBDatabase(folder, "shop.stock")
    database.prepare([ONE]).commit()
    database.close()
    (folder / name).write_text(text)
    with pytest.raises(FtlError, match=detail) as caught:
        DuckDBDatabase(folder, "shop.stock")
    assert caught.value.slug == "database-corrupt"
    assert str(folder) not in caught.value.message


DYING = """
import sys
from pathlib import Path
from ftl_nb.databases import split
from ftl_nb.databases.duckdb.database import DuckDBDatabase

one, two = (split(text, "c", str(i)).migration for i, text in enumerate(sys.argv[2:4], 1))
database = DuckDBDatabase(Path(sys.argv[1]), "shop.stock")
database.prepare([one]).commit()
database.execute_sql("INSERT INTO items VALUES ('tea', 1, NULL)")
candidate = database.prepare([one, two])
candidate.execute_sql("INSERT INTO items SELECT 'k' || i, i, NULL, i FROM range(50000) r(i)")
if sys.argv[4] == "after":
    candidate.commit()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.chaos
@pytest.mark.parametrize(("moment", "rows"), [("before", 1), ("after", 50001)])
def test_a_killed_process_leaves_a_usable_folder(folder: Path, moment: str, rows: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(folder), ITEMS, STOCK, moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stdin.close()
    database = DuckDBDatabase(folder, "shop.stock")
    assert len(files(folder)) == 1
    assert count(database) == rows
    assert database.prepare([ONE, TWO]).kind == ("pending" if moment == "before" else "none")
    database.close()


def test_a_file_that_failed_is_opened_anew(database: DuckDBDatabase, queries: dict[str, PreparedQuery]) -> None:
    assert database.execute(queries["priceOf"], b'"tea"') == b"3.5"
    database._current.revive()
    assert database.execute(queries["priceOf"], b'"tea"') == b"3.5"
    assert count(database) == 1
