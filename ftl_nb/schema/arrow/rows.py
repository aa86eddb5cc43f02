"""Objects of a Python type to record batches and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pyarrow as pa

from ftl_nb.schema.arrow.column import READ_ERRORS, WRITE_ERRORS, ArrowError, Column, locate, locate_array
from ftl_nb.schema.arrow.containers import ListColumn, MapColumn, OptionalColumn
from ftl_nb.schema.arrow.records import DataColumn, EnumColumn, FieldColumn, TypeEnumColumn, VariantColumn
from ftl_nb.schema.arrow.scalars import JsonColumn, scalar
from ftl_nb.schema.arrow.types import VALUE, ArrowTypes, is_record, variant_type
from ftl_nb.schema.concrete import ConcreteTypes
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.json.codec import codec
from ftl_nb.schema.json.enums import variant_name
from ftl_nb.schema.json.errors import UnsupportedType
from ftl_nb.schema.json.externals import NONE, Externals
from ftl_nb.schema.json.hints import field_hints, is_data, underlying, variants
from ftl_nb.schema.nodes import decls, types

BATCH_ROWS = 65_536


class ArrowRows:
    """Rows of one type as record batches of `schema`. Stateless: any thread may use it."""

    def __init__(self, schema: pa.Schema, column: Column, record: bool) -> None:
        self.schema = schema
        self._column = column
        self._record = record

    def batch(self, rows: list[Any]) -> pa.RecordBatch:
        """One batch of all the rows. Raises ArrowError, with the row and the field that is wrong."""
        try:
            return pa.RecordBatch.from_arrays(self._arrays(rows), schema=self.schema)
        except WRITE_ERRORS as error:
            raise self._refused(rows, error) from error

    def batches(self, rows: Iterator[Any], size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Batches of `size` rows and one of the rest. Raises ArrowError; paths count rows from the batch's first."""
        held: list[Any] = []
        for row in rows:
            held.append(row)
            if len(held) == size:
                yield self.batch(held)
                held = []
        if held:
            yield self.batch(held)

    def rows(self, batch: pa.RecordBatch) -> list[Any]:
        """The objects of a batch: by column name, other columns are skipped. Raises ArrowError."""
        _refuse_broken(batch)
        found = batch if self._record else self._value(batch)
        try:
            if isinstance(self._column, DataColumn) and self._record:
                return self._column.rows(found, batch.num_rows)
            return self._column.read(found)
        except READ_ERRORS as error:
            path, column = locate_array(self._column, found)
            raise ArrowError(path.lstrip("."), column.failure(error)) from error

    def _value(self, batch: pa.RecordBatch) -> pa.Array:
        """The column of rows that are no data."""
        place = batch.schema.get_field_index(VALUE)
        if place < 0:
            raise ArrowError("", f"there is no column {VALUE}")
        return batch.column(place)

    def _arrays(self, rows: list[Any]) -> list[pa.Array]:
        if isinstance(self._column, DataColumn) and self._record:
            return self._column.columns(rows)
        return [self._column.write(rows)]

    def _refused(self, rows: list[Any], error: Exception) -> ArrowError:
        """Each row alone once more, until one is refused; what only all together are is of no row."""
        for i, row in enumerate(rows):
            try:
                self._column.write([row])
            except WRITE_ERRORS as found:
                path, column = locate(self._column, row)
                return ArrowError(f"[{i}]{path}", column.failure(found))
        return ArrowError("", self._column.failure(error))


def _refuse_broken(batch: pa.RecordBatch) -> None:
    """Offsets and lengths may be anything in what another process sent, and Arrow follows them unchecked."""
    try:
        batch.validate(full=True)
    except pa.ArrowException as error:
        raise ArrowError("", f"the batch is broken: {error}") from error


def arrow_rows(schema: decls.Schema, asked: types.Type, tp: Any, externals: Externals = NONE) -> ArrowRows:
    """Rows that are objects of the Python type `tp`, of a type of `schema`, which is validated.

    Raises:
        SchemaError: as `arrow_schema`; and where the Python type is another one than the schema's.
        UnsupportedType: the Python type has no place in the schema.
    """
    known = ConcreteTypes(schema)
    made = ArrowTypes(known).schema(asked)
    builder = _Builder(known, externals)
    if is_record(known.concrete(asked)):
        return ArrowRows(made, builder.column(asked, tp, pa.struct(list(made))), record=True)
    return ArrowRows(made, builder.column(asked, tp, made.field(0).type), record=False)


class _Builder:
    """Walks a type, the Python type and the Arrow type together."""

    def __init__(self, known: ConcreteTypes, externals: Externals) -> None:
        self._known = known
        self._externals = externals

    def column(self, asked: types.Type, tp: Any, arrow: pa.DataType) -> Column:
        found = self._known.concrete(asked)
        if isinstance(found, types.Optional):
            return self._optional(found, tp, arrow)
        if isinstance(arrow, pa.JsonType):
            return JsonColumn(codec(tp, self._externals))
        plain = underlying(tp)
        match found:
            case types.Array(element):
                (inner,) = _arguments(asked, plain, list)
                return ListColumn(arrow, self.column(element, inner, arrow.value_type))
            case types.Map(key, value):
                of_key, of_value = _arguments(asked, plain, dict)
                made = self.column(key, of_key, arrow.key_type)
                return MapColumn(arrow, made, self.column(value, of_value, arrow.item_type))
            case decls.Data():
                return self._data(found, plain, arrow)
            case decls.Enum():
                return self._enum(found, plain, arrow)
        return scalar(found)

    def _optional(self, found: types.Optional, tp: Any, arrow: pa.DataType) -> Column:
        union = variants(underlying(tp))
        inner = tp if union is None else _union(union.members)
        return OptionalColumn(self.column(found.type, inner, arrow))

    def _data(self, data: decls.Data, tp: Any, arrow: pa.DataType) -> Column:
        if not is_data(tp):
            raise _another(data, tp)
        hints = {hint.schema_name: hint for hint in field_hints(tp)}
        if hints.keys() != {field.name for field in data.fields}:
            raise _another(data, tp)
        parts = [
            FieldColumn(hints[field.name], self.column(field.type, hints[field.name].type, arrow.field(i).type))
            for i, field in enumerate(data.fields)
        ]
        return DataColumn(arrow, get_origin(tp) or tp, tuple(parts))

    def _enum(self, enum: decls.Enum, tp: Any, arrow: pa.DataType) -> Column:
        if enum.type is not None:
            codec(tp)  # refuses what is no enum of texts or numbers
            values = (v.value.value for v in enum.variants if not isinstance(v.value, types.TypeValue))
            return EnumColumn(arrow, tp, tuple(values))
        union = variants(tp)
        members = {_variant_name(member): member for member in (union.members if union else (tp,))}
        if members.keys() != {variant.name for variant in enum.variants}:
            raise _another(enum, tp)
        made = [self._variant(v, members[v.name], arrow.field(i).type) for i, v in enumerate(enum.variants, 1)]
        return TypeEnumColumn(arrow, tuple(made))

    def _variant(self, variant: decls.EnumVariant, member: Any, arrow: pa.DataType) -> VariantColumn:
        cls = get_origin(member) or member
        held = member if variant_name(cls) is None else field_hints(cls)[0].type
        return VariantColumn(variant.name, cls, self.column(variant_type(variant), held, arrow))


def _variant_name(member: Any) -> str:
    if not is_data(member):
        raise UnsupportedType(f"{member!r} is not a dataclass; members of a union must be")
    cls = get_origin(member) or member
    return variant_name(cls) or str(cls.__name__)


def _union(members: tuple[Any, ...]) -> Any:
    union = members[0]
    for member in members[1:]:
        union = union | member
    return union


def _arguments(asked: types.Type, tp: Any, cls: type) -> tuple[Any, ...]:
    if get_origin(tp) is not cls:
        raise _another(asked, tp)
    return get_args(tp)


def _another(asked: types.Type | decls.Decl, tp: Any) -> SchemaError:
    name = asked.name if isinstance(asked, decls.Data | decls.Enum) else str(asked)
    return SchemaError(Problem(f"{name} is not what the Python type {tp!r} is", asked.pos))
