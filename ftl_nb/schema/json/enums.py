"""Value enums (a text or a number) and type enums (`{"name": variant, "value": value}`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from typing import Any, NamedTuple

from ftl_nb.schema.json.errors import Mismatch, refused_json, refused_value
from ftl_nb.schema.json.shape import Part, Shape

_VARIANT_KEY = "__ftl_variant__"


class EnumShape(Shape):
    """A StrEnum or an IntEnum: its values, as they are."""

    def __init__(self, cls: type[Enum]) -> None:
        super().__init__(cls.__name__, self._encode, self._decode)
        self._class = cls
        self._members = {member.value: member for member in cls}
        self._plain: type = str if issubclass(cls, str) else int

    def _encode(self, value: Any) -> object:
        if not isinstance(value, self._class):
            raise refused_value(self.name, value)
        return value.value

    def _decode(self, raw: Any) -> object:
        if raw.__class__ is not self._plain:
            raise refused_json(self.name, raw)
        member = self._members.get(raw)
        if member is None:
            raise Mismatch(f"{raw} is not a valid variant of enum {self.name}")
        return member


class Variant(NamedTuple):
    """A variant of a type enum: its name in JSON, the class of its values, their shape."""

    name: str
    cls: type
    shape: Shape


class TypeEnumShape(Shape):
    """A union of dataclasses. It exists before its variants do, for one that contains itself."""

    def __init__(self) -> None:
        super().__init__("", self._encode, self._decode)

    def complete(self, variants: tuple[Variant, ...]) -> None:
        self.name = " | ".join(variant.name for variant in variants)
        self._by_class = {variant.cls: variant for variant in variants}
        self._by_name = {variant.name: variant for variant in variants}

    def _variant(self, value: object) -> Variant | None:
        exact = self._by_class.get(type(value))
        return exact or next((v for v in self._by_class.values() if isinstance(value, v.cls)), None)

    def _encode(self, value: Any) -> dict[str, object]:
        variant = self._variant(value)
        if variant is None:
            raise refused_value(self.name, value)
        return {"name": variant.name, "value": variant.shape.encode(value)}

    def _decode(self, raw: Any) -> object:
        if raw.__class__ is not dict:
            raise refused_json(f'{{"name": …, "value": …}} of {self.name}', raw)
        if "name" not in raw or "value" not in raw:
            raise Mismatch(f"no {'value' if 'name' in raw else 'name'} found for type enum variant of {self.name}")
        variant = self._by_name.get(raw["name"]) if raw["name"].__class__ is str else None
        if variant is None:
            raise Mismatch(f"no enum variant found by name {raw['name']}, there is {self.name}")
        return variant.shape.decode(raw["value"])

    def encode_parts(self, value: Any) -> Iterator[Part]:
        variant = self._variant(value)
        if variant is not None:
            yield ".value", variant.shape, value

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        name = raw.get("name") if isinstance(raw, dict) else None
        variant = self._by_name.get(name) if isinstance(name, str) else None
        if variant is not None and "value" in raw:
            yield ".value", variant.shape, raw["value"]


def name_variant(cls: type, name: str) -> None:
    """Mark a dataclass of one field as the stand-in for a variant whose type is no data: its JSON is that field's."""
    setattr(cls, _VARIANT_KEY, name)


def variant_name(cls: type) -> str | None:
    """The variant that a stand-in class stands for; nothing for other classes."""
    name = vars(cls).get(_VARIANT_KEY)
    return None if name is None else str(name)


class StandInShape(Shape):
    """The value of a stand-in's single field."""

    def __init__(self, cls: type, inner: Shape) -> None:
        super().__init__(cls.__name__, self._encode, self._decode)
        self._class, self._inner, self._field = cls, inner, fields(cls)[0].name

    def _encode(self, value: Any) -> object:
        return self._inner.encode(getattr(value, self._field))

    def _decode(self, raw: Any) -> object:
        return self._class(self._inner.decode(raw))

    def encode_parts(self, value: Any) -> Iterator[Part]:
        return self._inner.encode_parts(getattr(value, self._field))

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        return self._inner.decode_parts(raw)
