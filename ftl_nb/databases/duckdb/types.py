"""DuckDB's types and what they are in a schema. The table is `types.json`, which the tests run against the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from ftl_nb import schema
from ftl_nb.schema import names

if TYPE_CHECKING:
    import duckdb

    from ftl_nb.schema.nodes.types import Type


@dataclass(frozen=True, slots=True)
class NativeType:
    """A DuckDB type: `kind` is its row in the table, `text` how SQL writes it, `members` what it nests, by name."""

    kind: str
    text: str
    members: tuple[tuple[str, NativeType], ...] = ()

    def member(self, name: str) -> NativeType:
        return dict(self.members)[name]


@cache
def table() -> dict[str, dict[str, Any]]:
    """The rows of `types.json` by the engine's word."""
    text = (resources.files(__package__) / "types.json").read_text(encoding="utf-8")
    return {row["type"]: row for row in json.loads(text)}


_SCHEMA_TYPES: dict[str, Type] = {
    "Bool": schema.Bool(), "Int": schema.Int(), "Float": schema.Float(), "String": schema.String(),
    "Bytes": schema.Bytes(), "Time": schema.Time(), "Any": schema.Any(),
}  # fmt: skip
_NESTED = {"list": ("child",), "array": ("child",), "map": ("key", "value")}


def read_type(native: duckdb.DuckDBPyType) -> NativeType:
    """The engine's own description of a type."""
    text, word = str(native), str(native.id)
    if text == "JSON":
        return NativeType("JSON", text)
    if word == "struct" or word in _NESTED:
        wanted = _NESTED.get(word)
        children = [(n, c) for n, c in native.children if wanted is None or n in wanted]
        return NativeType(word.upper(), text, tuple((n, read_type(c)) for n, c in children))
    return NativeType(text.strip('"') if word == "null" else word.upper(), text)


def parse_type(text: str, connection: duckdb.DuckDBPyConnection) -> NativeType:
    """The type that SQL text names. Raises the engine's error for text that names none."""
    kind = text.split("(", 1)[0].strip('"')
    if table().get(kind, {}).get("result_only") or kind == "NULL":
        return NativeType(kind, text)
    return read_type(connection.sqltype(text))


def schema_type(native: NativeType, module: str, data_name: str) -> tuple[Type, tuple[schema.Data, ...]]:
    """The schema type, and the data generated for the structs in it: `data_name` names the outermost."""
    if native.kind in ("LIST", "ARRAY"):
        element, data = schema_type(native.member("child"), module, data_name)
        return schema.Array(element), data
    if native.kind == "MAP":
        value, data = schema_type(native.member("value"), module, data_name)
        if native.member("key").kind != "VARCHAR":
            return schema.Any(), ()
        return schema.Map(schema.String(), value), data
    if native.kind == "STRUCT":
        return schema.Ref(module, data_name), tuple(_struct_data(native, module, data_name))
    return _SCHEMA_TYPES[table()[native.kind]["schema"]], ()


def _struct_data(native: NativeType, module: str, data_name: str) -> Iterator[schema.Data]:
    fields: list[schema.Field] = []
    for (_, member), name in zip(native.members, field_names(n for n, _ in native.members), strict=True):
        type_, nested = schema_type(member, module, data_name + names.pascal(name))
        fields.append(schema.Field(name, schema.Optional(type_)))
        yield from nested
    yield schema.Data(data_name, tuple(fields), metadata=(schema.MetadataGenerated(),))


def field_names(columns: Iterator[str]) -> list[str]:
    """Schema names for the names of columns, in order; a name that is there already gets a number."""
    taken: dict[str, int] = {}
    out: list[str] = []
    for column in columns:
        name = names.camel("_".join(word for word in names.words(column) if word.isalnum()) or "column")
        name = f"_{name}" if name[0].isdigit() else name
        taken[name] = taken.get(name, 0) + 1
        out.append(name if taken[name] == 1 else f"{name}{taken[name]}")
    return out


def scalar_text(native: NativeType) -> str:
    """The schema type as text, structs as `shop.Thing`: the form of the table's `schema` column."""
    return str(cast(schema.Node, schema_type(native, "shop", "Thing")[0]))
