"""Values between verbs: one codec a Python type, built once, that checks on the way out and on the way in.

A codec has two steps each way. A generated function turns a value into JSON-able values (`dict`, `list`, text, numbers)
under schema names and checks every type on the way; msgspec turns those into bytes. Nothing records paths while all is
well: only a refused value is walked a second time, to say where it differs.

`codec(Order).encode(order)` gives bytes, `.decode(data)` an `Order`; both raise `JsonError(path, message)`.
"""

from ftl_nb.schema.json.codec import Codec, codec
from ftl_nb.schema.json.errors import JsonError, UnsupportedType
from ftl_nb.schema.json.externals import NONE, External, Externals
from ftl_nb.schema.json.hints import FieldHint, Variants, field_hints, field_metadata, variants

__all__ = [
    "NONE",
    "Codec",
    "External",
    "Externals",
    "FieldHint",
    "JsonError",
    "UnsupportedType",
    "Variants",
    "codec",
    "field_hints",
    "field_metadata",
    "variants",
]
