"""JSON Schema (2020-12) of a schema type: what its JSON looks like, for whoever speaks no schema language.

The shapes are those of the public system; where it leaves a value open that the codecs refuse (bounds of numbers, the
name of a variant, what a unit holds), it is closed here.
"""

from __future__ import annotations

from typing import Any as Anything
from urllib.parse import quote

from ftl_nb.schema import builtin, edges
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, types

DIALECT = "https://json-schema.org/draft/2020-12/schema"
JsonSchema = dict[str, Anything]

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_SCALARS: dict[type, JsonSchema] = {
    types.Any: {},
    types.Unit: {"type": "object", "maxProperties": 0},
    types.Int: {"type": "integer", "minimum": _SMALLEST, "maximum": _LARGEST},
    types.Float: {"type": "number"},
    types.String: {"type": "string"},
    types.Bool: {"type": "boolean"},
    types.Bytes: {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "contentEncoding": "base64",
        "pattern": _BASE64,
    },
    types.Time: {"type": "string", "format": "date-time"},
}
#: A key is a text whatever its type is.
_KEYS: dict[type, JsonSchema] = {
    types.Int: {"pattern": r"^-?[0-9]+$"},
    types.Bool: {"enum": ["true", "false"]},
    types.Float: {"pattern": r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"},
}


def json_schema(schema: decls.Schema, asked: types.Type) -> JsonSchema:
    """The JSON Schema of a type of `schema`, which is validated; what it refers to is under `$defs`.

    Raises SchemaError for a reference to nothing, or to something that has no values, and for a stream.
    """
    writer = _Writer(builtin.with_builtins(schema))
    if isinstance(asked, types.Ref):
        root = writer.declaration(asked)
    else:
        root = writer.type(asked)
    written = writer.definitions()
    return {"$schema": DIALECT, **root, **({"$defs": written} if written else {})}


class _Writer:
    """Writes each declaration once, those that are met on the way included."""

    def __init__(self, schema: decls.Schema) -> None:
        self._decls = {
            types.RefKey(module.name, decl.name): decl
            for realm in reversed(schema.realms)
            for module in realm.modules
            for decl in module.decls
        }
        self._met: dict[str, types.Ref] = {}

    def definitions(self) -> JsonSchema:
        """All that was referred to, and all that this refers to in turn."""
        written: JsonSchema = {}
        while missing := [name for name in self._met if name not in written]:
            for name in missing:
                written[name] = self.declaration(self._met[name])
        return dict(sorted(written.items()))

    def type(self, asked: types.Type) -> JsonSchema:
        match asked:
            case types.Array(element):
                return {"type": "array", "items": self.type(element)}
            case types.Map(key, value):
                names = self._key(key)
                of_names = {"propertyNames": names} if names else {}
                return {"type": "object", "additionalProperties": self.type(value), **of_names}
            case types.Optional(inner):
                return {"anyOf": [self.type(inner), {"type": "null"}]}
            case types.Ref():
                return self._reference(asked)
            case types.Stream():
                raise SchemaError(Problem("a stream has no JSON Schema, its elements have", asked.pos))
        return dict(_SCALARS[type(asked)])

    def _key(self, key: types.Type) -> JsonSchema:
        return _KEYS.get(type(key), {}) if not isinstance(key, types.Ref) else self.type(key)

    def _reference(self, ref: types.Ref) -> JsonSchema:
        arguments = ", ".join(map(str, ref.type_parameters))
        name = f"{ref.key}[{arguments}]" if arguments else str(ref.key)
        self._find(ref)
        self._met[name] = ref
        return {"$ref": f"#/$defs/{quote(name, safe='')}"}

    def _find(self, ref: types.Ref) -> decls.Decl:
        found = self._decls.get(ref.key)
        if found is None:
            raise SchemaError(Problem(f"unknown ref {ref.key}", ref.pos))
        return found

    def declaration(self, ref: types.Ref) -> JsonSchema:
        """What a reference means, written out."""
        decl = self._find(ref)
        if not isinstance(decl, decls.Data | decls.Enum | decls.TypeAlias):
            raise SchemaError(Problem(f"{ref.key} has no values, so there is no JSON Schema of it", ref.pos))
        written = self._write(decl, ref)
        return _described(written, decl.comments)

    def _write(self, decl: decls.Data | decls.Enum | decls.TypeAlias, ref: types.Ref) -> JsonSchema:
        if isinstance(decl, decls.Data):
            return self._data(edges.instantiate(decl, ref.type_parameters))
        return self.type(decl.type) if isinstance(decl, decls.TypeAlias) else self._enum(decl)

    def _data(self, data: decls.Data) -> JsonSchema:
        required = [field.name for field in data.fields if not isinstance(field.type, types.Optional)]
        return {
            "type": "object",
            "properties": {field.name: _described(self.type(field.type), field.comments) for field in data.fields},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }

    def _enum(self, enum: decls.Enum) -> JsonSchema:
        if all(isinstance(variant.value, types.StringValue | types.IntValue) for variant in enum.variants):
            return {"enum": [getattr(variant.value, "value") for variant in enum.variants]}  # noqa: B009
        return {"oneOf": [self._variant(variant) for variant in enum.variants]}

    def _variant(self, variant: decls.EnumVariant) -> JsonSchema:
        if not isinstance(variant.value, types.TypeValue):
            raise SchemaError(Problem(f"the variant {variant.name} of a type enum is no type", variant.pos))
        written = {
            "type": "object",
            "properties": {"name": {"const": variant.name}, "value": self.type(variant.value.value)},
            "required": ["name", "value"],
            "additionalProperties": False,
        }
        return _described(written, variant.comments)


def _described(written: JsonSchema, comments: tuple[str, ...]) -> JsonSchema:
    return {**written, "description": "\n".join(comments)} if comments else written
