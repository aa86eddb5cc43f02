"""Lists, maps, optional values and `Any`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from ftl_nb.schema.json.errors import Mismatch, UnsupportedType, refused_json, refused_value
from ftl_nb.schema.json.hints import is_data
from ftl_nb.schema.json.scalars import encode_float, encode_int, encode_str
from ftl_nb.schema.json.shape import Convert, Part, Shape, Typed, generate, inline

_INT_TEXT = re.compile(r"-?(0|[1-9][0-9]*)\Z")


class ListShape(Shape):
    """`[T]`; a missing key is an empty list, null is refused."""

    def __init__(self, element: Shape) -> None:
        name = f"[{element.name}]"
        super().__init__(name, _list_encoder(name, element), _list_decoder(name, element))
        self._element = element

    def typed(self) -> Typed:
        inner = self._element.typed()
        expression = "@" if inner.expression == "@" else f"[{inner.of('y')} for y in @]"
        return Typed(list[inner.annotation], expression, inner.names)  # type: ignore[name-defined]

    def encode_parts(self, value: Any) -> Iterator[Part]:
        return self._parts(value)

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        return self._parts(raw)

    def _parts(self, value: Any) -> Iterator[Part]:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield f"[{index}]", self._element, item

    def default(self) -> Callable[[], object]:
        return list


def _list_encoder(name: str, element: Shape) -> Convert:
    return generate(
        [
            "def encode(value):",
            "    if not isinstance(value, list): raise refused(NAME, value)",
            f"    return [{inline(element.encode_test, 'one', 'x')} for x in value]",
        ],
        "encode",
        {"one": element.encode, "NAME": name, "refused": refused_value},
    )


def _list_decoder(name: str, element: Shape) -> Convert:
    return generate(
        [
            "def decode(raw):",
            "    if raw.__class__ is not list: raise refused(NAME, raw)",
            f"    return [{inline(element.decode_test, 'one', 'x')} for x in raw]",
        ],
        "decode",
        {"one": element.decode, "NAME": name, "refused": refused_json},
    )


def decode_int_key(text: str) -> int:
    """A number written as a map key, in its canonical decimal form, of 64 bits."""
    if not _INT_TEXT.match(text) or text == "-0":
        raise Mismatch(f"expected an Int as key, got {text!r}")
    return encode_int(int(text)) if len(text) < 21 else encode_int(2**64)


def _text_key(encode: Convert) -> Convert:
    return lambda key: str(encode(key))


def _int_key(decode: Convert) -> Convert:
    return lambda text: decode(decode_int_key(text))


class MapShape(Shape):
    """`{K: V}` with keys that are text, numbers written as text, or enums of either; a missing key is an empty map."""

    def __init__(self, key: Shape, value: Shape, key_is_int: bool) -> None:
        super().__init__(f"{{{key.name}: {value.name}}}", self._encode, self._decode)
        self._encode_key = _text_key(key.encode)
        self._decode_key = _int_key(key.decode) if key_is_int else key.decode
        self._keys_are_plain = key.native is str
        self._keys = Shape(key.name, self._encode_key, self._decode_key)
        self._value = value

    def _encode(self, value: Any) -> dict[str, object]:
        if not isinstance(value, dict):
            raise refused_value(self.name, value)
        key, one = self._encode_key, self._value.encode
        return {key(k): one(v) for k, v in value.items()}

    def _decode(self, raw: Any) -> dict[object, object]:
        if raw.__class__ is not dict:
            raise refused_json(self.name, raw)
        key, one = self._decode_key, self._value.decode
        return {key(k): one(v) for k, v in raw.items()}

    def typed(self) -> Typed:
        if not self._keys_are_plain:
            return super().typed()
        inner = self._value.typed()
        expression = "@" if inner.expression == "@" else f"{{key: {inner.of('y')} for key, y in @.items()}}"
        return Typed(dict[str, inner.annotation], expression, inner.names)  # type: ignore[name-defined]

    def encode_parts(self, value: Any) -> Iterator[Part]:
        return self._parts(value)

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        return self._parts(raw)

    def _parts(self, value: Any) -> Iterator[Part]:
        for key, item in value.items() if isinstance(value, dict) else ():
            segment = f"[{_quoted(key)}]"
            yield segment, self._keys, key
            yield segment, self._value, item

    def default(self) -> Callable[[], object]:
        return dict


def _quoted(key: object) -> str:
    return f'"{key}"'


class OptionalShape(Shape):
    """`T?`: null, and a missing key, are None."""

    def __init__(self, inner: Shape) -> None:
        super().__init__(f"{inner.name}?", self._encode, self._decode)
        self._inner = inner
        if inner.encode_test and inner.decode_test:
            self.encode_test = f"{{x}} is None or ({inner.encode_test})"
            self.decode_test = f"{{x}} is None or ({inner.decode_test})"

    def _encode(self, value: Any) -> object:
        return None if value is None else self._inner.encode(value)

    def _decode(self, raw: Any) -> object:
        return None if raw is None else self._inner.decode(raw)

    def typed(self) -> Typed:
        inner = self._inner.typed()
        expression = "@" if inner.expression == "@" else f"(None if @ is None else {inner.expression})"
        return Typed(inner.annotation | None, expression, inner.names)

    def encode_parts(self, value: Any) -> Iterator[Part]:
        return self._inner.encode_parts(value)

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        return self._inner.decode_parts(raw)

    def default(self) -> Callable[[], object]:
        return lambda: None


class AnyShape(Shape):
    """Any JSON value. On the way out dataclasses, enums, bytes and datetimes are written as their own types are."""

    def __init__(self, shape_of: Callable[[Any], Shape]) -> None:
        super().__init__("Any", self._encode, lambda raw: raw, decode_test="True", native=Any)
        self._shape_of = shape_of

    def _encode(self, value: Any) -> object:
        if value is None or value.__class__ is bool:
            return value
        if isinstance(value, (list, tuple)):
            return [self._encode(item) for item in value]
        if isinstance(value, dict):
            return {self._key(key): self._encode(item) for key, item in value.items()}
        return self._scalar(value)

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            raise Mismatch(f"expected a String as key, got {type(key).__name__}")
        return encode_str(key)

    def _scalar(self, value: Any) -> object:
        if isinstance(value, (bytes, datetime.datetime, Enum)) or is_data(type(value)):
            return self._typed(value).encode(value)
        if isinstance(value, str):
            return encode_str(value)
        return encode_int(value) if hasattr(value, "__index__") else self._number(value)

    def _number(self, value: object) -> float:
        try:
            return encode_float(value)
        except Mismatch as error:
            raise error if isinstance(value, float) else refused_value("Any", value) from error

    def _typed(self, value: object) -> Shape:
        tp: object = type(value)
        if isinstance(value, (bytes, datetime.datetime)):
            tp = bytes if isinstance(value, bytes) else datetime.datetime
        try:
            return self._shape_of(getattr(value, "__orig_class__", tp))
        except UnsupportedType as error:
            raise Mismatch(f"expected Any, got {type(value).__name__}: {error}") from error

    def encode_parts(self, value: Any) -> Iterator[Part]:
        if isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                yield f"[{index}]", self, item
        elif isinstance(value, dict):
            for key, item in value.items():
                yield f"[{_quoted(key)}]", self, item
        elif is_data(type(value)):
            yield "", self._typed(value), value

    def default(self) -> Callable[[], object]:
        return lambda: None
