"""Which Arrow type each type of the language is: the table that the page shows and a test holds."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from ftl_nb.schema.nodes import types

INT = pa.int64()
FLOAT = pa.float64()
STRING = pa.utf8()
BYTES = pa.binary()
BOOL = pa.bool_()
#: Microseconds hold every `datetime` (nanoseconds would end in 2262), as JSON's codecs and DuckDB have it.
TIME = pa.timestamp("us", "UTC")
JSON = pa.json_(pa.utf8())
#: Of `Unit` and `Unit?` alike, whose one value in Python is None.
UNIT = pa.null()
INDEX = pa.int32()
#: The first child of a type enum. No identifier is written like this, so no variant is.
TAG = "$variant"

SCALARS: dict[type, pa.DataType] = {
    types.Int: INT,
    types.Float: FLOAT,
    types.String: STRING,
    types.Bytes: BYTES,
    types.Bool: BOOL,
    types.Time: TIME,
    types.Any: JSON,
    types.Unit: UNIT,
}


class Row(NamedTuple):
    """A row of the page: an example in schema text, the declarations it needs, and what is to know."""

    example: str
    declarations: str
    note: str


ROWS = (
    Row("Int", "", ""),
    Row("Float", "", "NaN and the infinities pass, other than in JSON"),
    Row("String", "", ""),
    Row("Bytes", "", ""),
    Row("Bool", "", ""),
    Row("Time", "", "the instant; the offset is not kept, read values are in UTC"),
    Row("Any", "", "JSON as text, in the extension type `arrow.json`"),
    Row("Unit", "", ""),
    Row("[Int]", "", ""),
    Row("{String: Float}", "", "keys keep their type"),
    Row("Int?", "", "a nullable field; every other one is not nullable"),
    Row("shop.Line", "data Line { sku String count Int }", "a struct; the columns of a batch when its rows are of it"),
    Row("shop.Page<Int>", "data Page<T> { items [T] }", "with its type arguments filled in"),
    Row("shop.Node", "data Node { value Int next shop.Node? }", "inside itself JSON, since Arrow's types end"),
    Row("shop.Level", 'enum Level: String { Low = "low" High = "high" }', "the dictionary is the variants' values"),
    Row("shop.Rank", "enum Rank: Int { First = 1 }", "the same over numbers"),
    Row("shop.Pet", "enum Pet { Cat String Dog Int }", f"`{TAG}` says which child holds the value"),
    Row("shop.Sku", "typealias Sku String", "what the alias stands for"),
)
