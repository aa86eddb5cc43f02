"""Values between verbs: one codec a Python type, built once, that checks on the way out and on the way in.

A codec has two steps each way. A generated function turns a value into JSON-able values (`dict`, `list`, text, numbers)
under schema names and checks every type on the way; msgspec turns those into bytes. Nothing records paths while all is
well: only a refused value is walked a second time, to say where it differs.

`codec(Order).encode(order)` gives bytes, `.decode(data)` an `Order`; both raise `JsonError(path, message)`.
"""

from ftl_nb.schema.json.codec import Codec, codec
from ftl_nb.schema.json.enums import name_variant, variant_name
from ftl_nb.schema.json.errors import FieldCollision, InvalidJson, JsonError, UnresolvedAnnotation, UnsupportedType
from ftl_nb.schema.json.externals import NONE, External, Externals, frozen
from ftl_nb.schema.json.hints import (
    UNRESOLVABLE,
    FieldHint,
    Variants,
    field_hints,
    field_metadata,
    is_data,
    resolved,
    type_parameters,
    unwrapped,
    variants,
)

__all__ = [
    "NONE",
    "UNRESOLVABLE",
    "Codec",
    "External",
    "Externals",
    "FieldCollision",
    "FieldHint",
    "InvalidJson",
    "JsonError",
    "UnresolvedAnnotation",
    "UnsupportedType",
    "Variants",
    "codec",
    "field_hints",
    "field_metadata",
    "frozen",
    "is_data",
    "name_variant",
    "resolved",
    "type_parameters",
    "unwrapped",
    "variant_name",
    "variants",
]
