"""JSON against a type of the schema, without Python classes: what people and other systems write.

Stricter than a codec in what it takes, since nobody's version is older here: unknown keys are refused unless `lenient`.
Wider in how it may be written, as the public system is: keys by their alias, numbers and truth values as texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ftl_nb.schema.concrete import Concrete, ConcreteTypes
from ftl_nb.schema.json import scalars
from ftl_nb.schema.json.containers import decode_int_key
from ftl_nb.schema.json.errors import InvalidJson, JsonError, Mismatch, json_kind, refused_json
from ftl_nb.schema.json.limits import DEPTH_LIMIT, TOO_DEEP, parsed
from ftl_nb.schema.nodes import decls, metadata, types

_PROBLEMS = 100
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?\Z")
_WORDS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_MAY_BE_MISSING = (types.Optional, types.Any, types.Array, types.Map, types.Bytes, types.Unit)


def check_json(
    schema: decls.Schema, type_: types.Type, value: Any, *, lenient: bool = False, partial: bool = False
) -> Any:
    """The JSON as a codec of the type takes it: by field names, numbers as numbers, with `lenient` without other keys.

    `value` is JSON text as bytes, or what such a text means. With `partial` a field may be missing: whoever decodes it
    knows the defaults that a class in Python has.

    Raises:
        InvalidJson: every part that is not of its type, by its path (`$.items[3].price`).
        JsonError: the text is no JSON, larger than BODY_LIMIT or deeper than DEPTH_LIMIT.
        SchemaError: the type refers to something that is not in the schema.
    """
    import msgspec

    raw = parsed(bytes(value), msgspec.json.Decoder().decode) if isinstance(value, (bytes, bytearray)) else value
    _refuse_depth(raw)
    check = _Check(ConcreteTypes(schema), lenient, partial)
    found = check.value("$", type_, raw)
    if check.problems:
        raise InvalidJson(tuple(check.problems))
    return found


def _refuse_depth(raw: Any) -> None:
    level = [raw]
    for _ in range(DEPTH_LIMIT):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise JsonError("", TOO_DEEP)


def _inside(raw: Any) -> Iterator[Any]:
    inner = raw if isinstance(raw, list) else raw.values() if isinstance(raw, dict) else ()
    return (item for item in inner if isinstance(item, (list, dict)))


class _Check:
    """One JSON text on its way; every method gives the part in its final form, anything once it has problems."""

    def __init__(self, known: ConcreteTypes, lenient: bool, partial: bool) -> None:
        self._types = known
        self._lenient = lenient
        self._partial = partial
        self._time = scalars.time_decoder()
        self.problems: list[JsonError] = []

    def value(self, path: str, type_: types.Type, raw: Any) -> Any:
        found = self._types.concrete(type_)
        match found:
            case types.Array():
                return self._array(path, found, raw)
            case types.Map():
                return self._map(path, found, raw)
            case types.Optional():
                return None if raw is None else self.value(path, found.type, raw)
            case decls.Data():
                return self._data(path, found, raw)
            case decls.Enum():
                return self._enum(path, found, raw)
        return self._scalar(path, found, raw)

    def _refuse(self, path: str, message: str) -> None:
        if len(self.problems) < _PROBLEMS:
            self.problems.append(JsonError(path, message))

    def _is(self, kind: type, path: str, name: object, raw: Any) -> bool:
        if isinstance(raw, kind):
            return True
        self._refuse(path, str(refused_json(str(name), raw)))
        return False

    def _scalar(self, path: str, of: Concrete, raw: Any) -> Any:
        try:
            return self._read(of, raw)
        except Mismatch as error:
            self._refuse(path, str(error))
            return raw

    def _read(self, of: Concrete, raw: Any) -> Any:
        match of:
            case types.Time():
                self._time(raw)
            case types.Unit():
                if raw != {}:
                    raise Mismatch(f"expected Unit, which is {{}}, got {json_kind(raw)}")
            case types.Any():
                pass
            case _:
                return _READERS[type(of)](raw)
        return raw

    def _array(self, path: str, of: types.Array, raw: Any) -> Any:
        if not self._is(list, path, of, raw):
            return raw
        return [self.value(f"{path}[{index}]", of.element, item) for index, item in enumerate(raw)]

    def _map(self, path: str, of: types.Map, raw: Any) -> Any:
        if not self._is(dict, path, of, raw):
            return raw
        whole = isinstance(self._key_type(of), types.Int)
        for key in raw:
            self._key(_at(path, key), of.key, key, whole)
        return {key: self.value(_at(path, key), of.value, item) for key, item in raw.items()}

    def _key_type(self, of: types.Map) -> Concrete:
        found = self._types.concrete(of.key)
        return self._types.literal(found) if isinstance(found, decls.Enum) and found.type else found

    def _key(self, path: str, of: types.Type, key: str, whole: bool) -> None:
        try:
            self.value(path, of, decode_int_key(key) if whole else key)
        except Mismatch as error:
            self._refuse(path, str(error))

    def _data(self, path: str, of: decls.Data, raw: Any) -> Any:
        if not self._is(dict, path, of.name, raw):
            return raw
        given = _by_field_names(of, raw)
        made = {
            field.name: self.value(f"{path}.{field.name}", field.type, given[field.name])
            for field in of.fields
            if field.name in given or self._missing(path, field)
        }
        self._others(path, given.keys() - made.keys(), given)
        return made

    def _missing(self, path: str, field: decls.Field) -> bool:
        if not self._partial and not isinstance(field.type, _MAY_BE_MISSING):
            self._refuse(f"{path}.{field.name}", "is required")
        return False

    def _others(self, path: str, names: set[str], given: dict[str, Any]) -> None:
        for name in () if self._lenient else [name for name in given if name in names]:
            self._refuse(_member(path, name), "is not a valid field")

    def _enum(self, path: str, of: decls.Enum, raw: Any) -> Any:
        if of.type is None:
            return self._type_enum(path, of, raw)
        base = self._types.literal(of)
        before = len(self.problems)
        value = self._scalar(path, base, raw) if not isinstance(raw, str) or isinstance(base, types.String) else raw
        if len(self.problems) == before and value not in [variant.value.value for variant in of.variants]:
            self._refuse(path, f"{value} is not a valid variant of enum {of.name}")
        return value

    def _type_enum(self, path: str, of: decls.Enum, raw: Any) -> Any:
        shown = f'{{"name": …, "value": …}} of enum {of.name}'
        if not self._is(dict, path, shown, raw):
            return raw
        for key in ("name", "value"):
            if key not in raw:
                self._refuse(f"{path}.{key}", "is required")
                return raw
        if not self._is(str, f"{path}.name", "String", raw["name"]):
            return raw
        variant = next((variant for variant in of.variants if variant.name == raw["name"]), None)
        if variant is None or not isinstance(variant.value, types.TypeValue):
            self._refuse(f"{path}.name", f"{raw['name']} is not a valid variant of enum {of.name}")
            return raw
        return {"name": variant.name, "value": self.value(f"{path}.value", variant.value.value, raw["value"])}


def _by_field_names(data: decls.Data, raw: dict[str, Any]) -> dict[str, Any]:
    """The object with the values under aliases moved to their fields, where the field itself is absent."""
    moved = {alias: field for field in data.fields if (alias := _alias(field)) and field.name not in raw}
    return {moved[key].name if key in moved and item is not None else key: item for key, item in raw.items()}


def _alias(field: decls.Field) -> str:
    found = (item for item in field.metadata if isinstance(item, metadata.MetadataAlias))
    return next((item.alias for item in found if item.kind is metadata.AliasKind.JSON), "")


def _at(path: str, key: str) -> str:
    return f'{path}["{key}"]'


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else _at(path, name)


def _int(raw: Any) -> int:
    if isinstance(raw, str) and _WHOLE.match(raw):
        return scalars.decode_int(int(raw))
    return scalars.decode_int(raw)


def _float(raw: Any) -> float:
    return scalars.decode_float(_finite(raw) if isinstance(raw, str) and _NUMBER.match(raw) else raw)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Mismatch("expected Float, got a number out of its range")
    return number


def _bool(raw: Any) -> bool:
    return scalars.decode_bool(_WORDS.get(raw, raw) if isinstance(raw, str) else raw)


def _bytes(raw: Any) -> Any:
    scalars.decode_bytes(raw)
    return raw


_READERS: dict[type, Callable[[Any], Any]] = {
    types.Int: _int,
    types.Float: _float,
    types.Bool: _bool,
    types.String: scalars.decode_str,
    types.Bytes: _bytes,
}
