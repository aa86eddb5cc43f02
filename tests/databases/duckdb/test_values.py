"""The type table against the real engine: every row there and back, and every type that the engine has."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ftl_nb.databases import PreparedQuery, Slot
from ftl_nb.databases.duckdb.database import DuckDBDatabase
from ftl_nb.databases.duckdb.types import parse_type, scalar_text, schema_type, table
from ftl_nb.errors import FtlError

ROWS = list(table().values())


@pytest.fixture
def database(tmp_path: Path) -> DuckDBDatabase:
    return DuckDBDatabase(tmp_path / "db", "shop.stock")


def full(row: dict[str, Any]) -> str:
    return str(row.get("full", row["type"]))


def select(sql: str, type_: str, *parameters: Slot) -> PreparedQuery:
    return PreparedQuery("q", "one", sql, parameters, (Slot("x", type_, optional=True),))


@pytest.mark.parametrize("row", ROWS, ids=full)
def test_a_type_is_what_the_table_says(row: dict[str, Any]) -> None:
    assert scalar_text(parse_type(full(row), duckdb.connect())) == row["schema"]


@pytest.mark.parametrize("row", ROWS, ids=full)
def test_a_value_becomes_the_tables_json(database: DuckDBDatabase, row: dict[str, Any]) -> None:
    answer = database.execute(select(f"SELECT CAST({row['literal']} AS {full(row)})", full(row)), b"")
    assert json.loads(answer) == row["json"]


@pytest.mark.parametrize("row", [r for r in ROWS if not r.get("result_only")], ids=full)
def test_a_parameter_comes_back_as_it_went(database: DuckDBDatabase, row: dict[str, Any]) -> None:
    query = select(f"SELECT CAST($x AS {full(row)})", full(row), Slot("x", full(row), True, "x"))
    assert json.loads(database.execute(query, json.dumps(row["json"]).encode())) == row["json"]
    assert database.execute(query, b"null") == b"null"


def test_the_table_has_every_type_of_the_engine() -> None:
    engines = {t for (t,) in duckdb.sql("SELECT DISTINCT logical_type FROM duckdb_types()").fetchall()}
    assert engines - {"TYPE"} <= table().keys()  # TYPE is the type of types: no column has it


@pytest.mark.parametrize(
    ("type_", "body", "detail"),
    [
        ("INTEGER", b'"1"', 'a whole number of 64 bits is expected, not "1"'),
        ("INTEGER", b"true", "a whole number of 64 bits is expected, not true"),
        ("BIGINT", b"9223372036854775808", "a whole number of 64 bits is expected, not 9223372036854775808"),
        ("DOUBLE", b'"x"', 'a number is expected, not "x"'),
        ("VARCHAR", b"1", "a text is expected, not 1"),
        ("BLOB", b'"?"', ""),
        ("BOOLEAN", b"1", "true or false is expected, not 1"),
        ("DATE", b'"soon"', 'a time is expected (RFC 3339), not "soon"'),
        ("INTEGER[]", b"[1,null]", "a list element is NULL, which its type does not allow"),
        ("MAP(VARCHAR, INTEGER)", b"[]", "an object is expected, not []"),
        ("INTEGER", b"null", "x is missing"),
    ],
)
def test_a_request_that_does_not_fit(database: DuckDBDatabase, type_: str, body: bytes, detail: str) -> None:
    query = select(f"SELECT CAST($x AS {type_})", type_, Slot("x", type_, False, "x"))
    with pytest.raises(FtlError) as caught:
        database.execute(query, body)
    assert caught.value.slug == "json-invalid"
    assert detail in caught.value.message


@pytest.mark.parametrize(
    ("sql", "type_", "detail"),
    [
        ("SELECT 170141183460469231731687303715884105727::HUGEINT", "HUGEINT", "past the 64 bits of Int"),
        ("SELECT 'nan'::DOUBLE", "DOUBLE", "nan is no JSON number"),
        ("SELECT '20000-01-01'::DATE", "DATE", "20000-01-01 is outside of the years 1 to 9999"),
        ("SELECT [1, NULL]", "INTEGER[]", "a list element is NULL"),
    ],
)
def test_a_result_that_json_does_not_have(database: DuckDBDatabase, sql: str, type_: str, detail: str) -> None:
    with pytest.raises(FtlError, match=detail) as caught:
        database.execute(select(sql, type_), b"")
    assert caught.value.slug == "result-invalid"


def test_null_in_a_column_that_is_said_to_have_none(database: DuckDBDatabase) -> None:
    with pytest.raises(FtlError, match="x is NULL"):
        database.execute(PreparedQuery("q", "one", "SELECT NULL::INTEGER", (), (Slot("x", "INTEGER"),)), b"")


def test_members_of_a_struct_have_schema_names_in_both_directions(database: DuckDBDatabase) -> None:
    native = parse_type("STRUCT(unit_name VARCHAR, inner_part STRUCT(a INTEGER)[])", duckdb.connect())
    type_, data = schema_type(native, "shop", "ItemSize")
    assert (str(type_), [str(d).split()[1] for d in data]) == ("shop.ItemSize", ["ItemSizeInnerPart", "ItemSize"])
    query = select(f"SELECT CAST($x AS {native.text})", native.text, Slot("x", native.text, False, "x"))
    body = b'{"unitName":"m","innerPart":[{"a":1},{"a":null}]}'
    assert database.execute(query, body) == body
