"""From types of the language to Arrow schemas."""

from __future__ import annotations

import pyarrow as pa

from ftl_nb.schema.arrow import table
from ftl_nb.schema.concrete import Concrete, ConcreteTypes
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, types

FTL_TYPE = b"ftl.type"
#: The one column of rows that are no data.
VALUE = "value"
#: So many fields, those inside others included, is a batch's schema at most: data in data grows exponentially.
FIELDS_LIMIT = 10_000
_DEPTH = 32


def arrow_schema(schema: decls.Schema, asked: types.Type) -> pa.Schema:
    """The Arrow schema of batches whose rows are of a type of `schema`, which is validated.

    The fields of a data are the columns; anything else is a single column `value`. The metadata `ftl.type` is the type.

    Raises:
        SchemaError: a reference to nothing, or to what has no values; a stream; more than FIELDS_LIMIT fields;
            a key of a map that may be null.
    """
    return ArrowTypes(ConcreteTypes(schema)).schema(asked)


class ArrowTypes:
    """The Arrow types of one schema."""

    def __init__(self, known: ConcreteTypes) -> None:
        self._known = known
        self._inside: list[types.Type] = []
        self._made = 0

    def schema(self, asked: types.Type) -> pa.Schema:
        """See `arrow_schema`."""
        self._made = 0
        found = self._known.concrete(asked)
        if is_record(found):
            columns = list(self.type(asked))
        else:
            columns = [self.field(VALUE, asked)]
        return pa.schema(columns, metadata={FTL_TYPE: str(asked)})

    def field(self, name: str, asked: types.Type, nullable: bool = False) -> pa.Field:
        """A field; the type that a reference names is in its metadata."""
        self._made += 1
        if self._made > FIELDS_LIMIT:
            raise SchemaError(Problem(f"{asked} is part of more than {FIELDS_LIMIT:,} Arrow fields", asked.pos))
        made = self.type(asked)
        named = isinstance(asked.type if isinstance(asked, types.Optional) else asked, types.Ref)
        optional = isinstance(self._known.concrete(asked), types.Optional) or made == table.UNIT
        return pa.field(name, made, nullable or optional, {FTL_TYPE: str(asked)} if named else None)

    def type(self, asked: types.Type) -> pa.DataType:
        """The Arrow type of what is not null; a data that contains itself is JSON in there."""
        if asked in self._inside or len(self._inside) > _DEPTH:
            return table.JSON
        self._inside.append(asked)
        try:
            return self._concrete(self._known.concrete(asked))
        finally:
            self._inside.pop()

    def _concrete(self, found: Concrete) -> pa.DataType:
        match found:
            case types.Array(element):
                return pa.list_(self.field("item", element))
            case types.Map(key, value):
                return pa.map_(self._key(key), self.field("value", value))
            case types.Optional(inner):
                return self.type(inner)
            case decls.Data(fields=fields):
                return pa.struct([self.field(field.name, field.type) for field in fields])
            case decls.Enum():
                return self._enum(found)
        return table.SCALARS[type(found)]

    def _key(self, key: types.Type) -> pa.Field:
        made = self.field("key", key)
        if made.nullable:
            raise SchemaError(Problem(f"{key} is null for some value, as a key in Arrow cannot be", key.pos))
        return made

    def _enum(self, enum: decls.Enum) -> pa.DataType:
        if enum.type is not None:
            text = isinstance(self._known.literal(enum), types.String)
            return pa.dictionary(table.INDEX, table.STRING if text else table.INT)
        tag = pa.field(table.TAG, pa.dictionary(table.INDEX, table.STRING), nullable=False)
        return pa.struct([tag, *(self.field(v.name, variant_type(v), nullable=True) for v in enum.variants)])


def is_record(found: Concrete) -> bool:
    """Whether rows of the type are columns by name: data without fields has none, and would lose its count."""
    return isinstance(found, decls.Data) and bool(found.fields)


def variant_type(variant: decls.EnumVariant) -> types.Type:
    """What a variant of a type enum holds."""
    if not isinstance(variant.value, types.TypeValue):
        raise SchemaError(Problem(f"the variant {variant.name} is of no type", variant.pos))
    return variant.value.value
