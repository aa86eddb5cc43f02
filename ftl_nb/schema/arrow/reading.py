"""From Arrow schemas to types of the language."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from ftl_nb.schema.arrow.types import FTL_TYPE, VALUE
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.text.parser import parse_ref


def type_of_arrow(found: pa.Schema | pa.Field) -> types.Type:
    """The type of a schema's rows or of a field's values: the one it names as `ftl.type`, else the one of its shape.

    A struct that names no data is one without a name.

    Raises:
        SchemaError: it names no type, or is of an Arrow type that the language has none for.
    """
    if isinstance(found, pa.Field):
        return _of_field(found)
    named = _named(found)
    if named is None:
        return decls.Data("", tuple(_declared(field) for field in found))
    if found.names == [VALUE]:
        column = _of_field(found.field(0))
        if str(column) == named:
            return column
    return parse_ref(named)


def _named(found: pa.Schema | pa.Field) -> str | None:
    name = (found.metadata or {}).get(FTL_TYPE)
    return None if name is None else str(name, "utf-8", "replace")


def _of_field(field: pa.Field) -> types.Type:
    named = _named(field)
    if named is not None:
        return types.Optional(parse_ref(named[:-1])) if named.endswith("?") else parse_ref(named)
    of = _of_type(field.type, field.name)
    return types.Optional(of) if field.nullable and not pa.types.is_null(field.type) else of


def _declared(field: pa.Field) -> decls.Field:
    return decls.Field(field.name, _of_field(field))


def is_text(of: pa.DataType) -> bool:
    """Texts of every layout."""
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def is_bytes(of: pa.DataType) -> bool:
    """Byte strings of every layout."""
    views = pa.types.is_binary_view(of) or pa.types.is_large_binary(of)
    return bool(views or pa.types.is_binary(of) or pa.types.is_fixed_size_binary(of))


def is_instant(of: pa.DataType) -> bool:
    """Timestamps of any unit that have a zone."""
    return bool(pa.types.is_timestamp(of) and of.tz is not None)


def is_list(of: pa.DataType) -> bool:
    """Lists of every layout."""
    views = pa.types.is_list_view(of) or pa.types.is_large_list_view(of)
    return bool(views or pa.types.is_list(of) or pa.types.is_large_list(of) or pa.types.is_fixed_size_list(of))


_SHAPES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[], types.Type]], ...] = (
    (pa.types.is_integer, types.Int),
    (pa.types.is_floating, types.Float),
    (is_text, types.String),
    (is_bytes, types.Bytes),
    (pa.types.is_boolean, types.Bool),
    (pa.types.is_null, types.Unit),
    (is_instant, types.Time),
    (lambda of: isinstance(of, pa.JsonType), types.Any),
)


def _of_type(of: pa.DataType, name: str) -> types.Type:
    if pa.types.is_dictionary(of):
        return _of_type(of.value_type, name)
    if pa.types.is_map(of):
        return types.Map(_of_field(of.key_field), _of_field(of.item_field))
    if is_list(of):
        return types.Array(_of_field(of.value_field))
    if pa.types.is_struct(of):
        return decls.Data("", tuple(_declared(of.field(i)) for i in range(of.num_fields)))
    return _scalar(of, name)


def _scalar(of: pa.DataType, name: str) -> types.Type:
    for holds, make in _SHAPES:
        if holds(of):
            return make()
    hint = "; a Time has a zone" if pa.types.is_timestamp(of) else ""
    raise SchemaError(Problem(f"the field {name} is {of}, which no type of the schema language is{hint}"))
