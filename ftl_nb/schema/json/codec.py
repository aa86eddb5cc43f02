"""The codec of a type: shape and msgspec together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ftl_nb.schema.json.build import ShapeBuilder
from ftl_nb.schema.json.errors import JsonError, Mismatch, UnsupportedType
from ftl_nb.schema.json.externals import NONE, External, Externals, frozen
from ftl_nb.schema.json.limits import TOO_DEEP, parsed, too_large
from ftl_nb.schema.json.shape import Convert, Shape, locate_json, locate_value
from ftl_nb.schema.limits import BODY_LIMIT

_TYPING = threading.Lock()


class Codec:
    """Values of one Python type to JSON bytes and back. Stateless: any thread may use it."""

    __slots__ = ("_convert", "_dump", "_encode", "_load", "_load_typed", "_shape", "type")

    #: What `encode` and `decode` raise, for those who do not import this room ahead of its first use.
    error = JsonError

    def __init__(self, tp: Any, shape: Shape, dump: Callable[[Any], bytes], load: Callable[[bytes], Any]) -> None:
        self.type = tp
        self._shape = shape
        self._encode = shape.encode
        self._dump = dump
        self._load = load
        self._load_typed: Callable[[bytes], Any] | None = None
        self._convert: Convert | None = None

    def encode(self, value: Any) -> bytes:
        """The value's JSON, without blanks, fields in declaration order. Raises JsonError."""
        try:
            return self._dump(self._encode(value))
        except Mismatch as error:
            raise JsonError(_rooted(locate_value(self._shape, value)), str(error)) from error.__cause__
        except UnicodeEncodeError as error:
            raise JsonError("", f"a text is not valid Unicode: {error.reason}") from error
        except RecursionError as error:
            raise JsonError("", "the value is nested too deeply, or contains itself") from error

    def decode(self, data: bytes) -> Any:
        """The value of JSON text, of at most BODY_LIMIT bytes. Raises JsonError.

        Unknown keys are skipped, since modules of different versions call each other; `schema.check_json` refuses them
        where people write JSON. Of a key that is there twice the last one counts.
        """
        load = self._load_typed or self._typed()
        if len(data) > BODY_LIMIT:
            raise too_large(len(data))
        try:
            found, convert = load(data), self._convert
            return found if convert is None else convert(found)
        except (Mismatch, ValueError, TypeError, RecursionError):
            # Step by step once more, to say what is wrong and where.
            return self.from_json(self._parse(data))

    def to_json(self, value: Any) -> Any:
        """The JSON-able value that `encode` writes; lists and maps may be shared with `value`. Raises JsonError."""
        try:
            return self._shape.encode(value)
        except Mismatch as error:
            raise JsonError(_rooted(locate_value(self._shape, value)), str(error)) from error.__cause__

    def from_json(self, raw: Any) -> Any:
        """The value of parsed JSON. Raises JsonError."""
        try:
            return self._shape.decode(raw)
        except Mismatch as error:
            raise JsonError(_rooted(locate_json(self._shape, raw)), str(error)) from error.__cause__
        except RecursionError as error:
            raise JsonError("", TOO_DEEP) from error

    def _typed(self) -> Callable[[bytes], Any]:
        """Made at the first decoding: structs take longer to make than a body to read, and many codecs only encode.

        One thread at a time: msgspec notes on a class what it found out before that is whole, and another thread that
        makes a decoder for the class meanwhile would read memory that is not there yet.
        """
        import msgspec

        with _TYPING:
            if self._load_typed is None:
                typed = self._shape.typed()
                self._convert = typed.convert
                self._load_typed = msgspec.json.Decoder(typed.annotation).decode
            return self._load_typed

    def _parse(self, data: bytes) -> Any:
        return parsed(data, self._load)

    def __repr__(self) -> str:
        return f"codec({self._shape.name})"


def _rooted(path: str) -> str:
    return path.lstrip(".")


def codec(tp: Any, externals: Externals = NONE) -> Codec:
    """The codec of a Python type, made once. Raises UnsupportedType when the type has no place in the schema.

    `externals` maps a foreign class to its encode and decode functions. Annotations that are text are resolved in
    `sys.modules[cls.__module__]`.
    """
    try:
        return _codec(tp, frozen(externals))
    except UnsupportedType:
        raise
    except TypeError as error:
        raise UnsupportedType(f"{tp!r} is not a type of the schema") from error


@lru_cache(maxsize=4096)
def _codec(tp: Any, externals: tuple[External, ...]) -> Codec:
    import msgspec

    return Codec(tp, _builder(externals).shape(tp), msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)


@lru_cache(maxsize=64)
def _builder(externals: tuple[External, ...]) -> ShapeBuilder:
    return ShapeBuilder(externals)
