"""Writes docs/arrow.md from the table of Arrow types. With `--check` it only says whether it is fresh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from ftl_nb import schema
from ftl_nb.schema.arrow import FIELDS_LIMIT
from ftl_nb.schema.arrow.table import ROWS, TAG, Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "arrow.md"

_HEAD = f"""# Types as Arrow

`schema.arrow_schema(schema, type)` gives the Arrow schema of rows of a type, and `schema.type_of_arrow` the type of an
Arrow schema. `schema.arrow_rows(schema, type, Order)` makes record batches of objects (`batch`, `batches`) and objects
of record batches (`rows`). This page is made from `ftl_nb/schema/arrow/` by `make docs`.

- The fields of a data are the columns of a batch. Rows of any other type are one column, `value`.
- The metadata `ftl.type` of a schema names the type of its rows, that of a field the data, enum or alias of its values;
  of all else the Arrow type says it. So the way back is exact. The Arrow schema of another system, which names nothing,
  has the type of its shape, with a data that has no name for a struct.
- A field is nullable where its type is optional. Null elsewhere is refused.
- Columns are found by name: those without a field are skipped, and a field without a column has its default, as with
  keys in JSON. Other layouts of the same are read: narrower numbers, large and view layouts, texts for an enum.
- A type enum is a struct of a tag, `{TAG}`, and a nullable child for each variant. Unions were not taken: Parquet,
  pandas and most kernels of Arrow know none, and a union cannot be null.
- Times have microseconds, as `datetime`, JSON and DuckDB have: nanoseconds would end in the year 2262. Times that come
  with nanoseconds are cut.
- The key of a map cannot be null, so neither `Unit` nor an optional is one.
- The Arrow schema of a type has at most {FIELDS_LIMIT:,} fields, those inside others included.

| type | declared as | Arrow | |
|---|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    return _HEAD + "".join(f"{line}\n" for line in map(_line, ROWS))


def _line(row: Row) -> str:
    declared = f"`{row.declarations}`" if row.declarations else ""
    return f"| `{row.example}` | {declared} | `{shown(arrow_of(row))}` | {row.note} |"


def arrow_of(row: Row) -> pa.Field:
    """The field that the row's example is inside another type."""
    known = schema.parse(f"realm acme {{ module shop {{ {row.declarations} }} }}")
    asked = schema.parse_type(row.example)
    return schema.arrow_schema(known, schema.Array(asked)).field(0).type.value_field


def shown(field: pa.Field) -> str:
    """An Arrow type in a line; `?` stands for nullable."""
    of = field.type
    if pa.types.is_struct(of) or pa.types.is_map(of) or pa.types.is_list(of):
        text = f"{_kind(of)}<{', '.join(_children(of))}>"
    elif pa.types.is_dictionary(of):
        text = f"dictionary<{of.index_type}, {of.value_type}>"
    else:
        text = "arrow.json" if isinstance(of, pa.JsonType) else str(of)
    return f"{text}?" if field.nullable else text


def _kind(of: pa.DataType) -> str:
    return str(of).partition("<")[0]


def _children(of: pa.DataType) -> Iterator[str]:
    if pa.types.is_struct(of):
        yield from (f"{of.field(i).name}: {shown(of.field(i))}" for i in range(of.num_fields))
    elif pa.types.is_map(of):
        yield from (shown(of.key_field), shown(of.item_field))
    else:
        yield shown(of.value_field)


def main() -> int:
    """0 where the page is fresh, or was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
    if not fresh:
        print(f"{PAGE.name} is not what the code gives: make docs", file=sys.stderr)
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())
