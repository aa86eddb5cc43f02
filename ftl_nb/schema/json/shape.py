"""The shape of a type: its two functions, and its parts for finding where a value differs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

Convert: TypeAlias = Callable[[Any], Any]
Part: TypeAlias = "tuple[str, Shape, object]"


class Typed(NamedTuple):
    """What msgspec is to decode JSON into, and the expression over `@` and some names that makes the value of that."""

    annotation: Any
    expression: str = "@"
    names: Mapping[str, object] = MappingProxyType({})

    def of(self, x: str) -> str:
        """The expression over `x`."""
        return self.expression.replace("@", x)

    @property
    def convert(self) -> Convert | None:
        """The function of the expression; nothing where msgspec gives the value itself."""
        if self.expression == "@":
            return None
        return generate(["def convert(x):", f"    return {self.of('x')}"], "convert", dict(self.names))


def called(annotation: Any, function: Convert) -> Typed:
    """A function of what msgspec gives."""
    name = unique()
    return Typed(annotation, f"{name}(@)", {name: function})


def unique() -> str:
    """A name for an expression that no other one uses."""
    return f"k{next(_NUMBERS)}"


_NUMBERS = itertools.count()


class Shape:
    """How values of one type become JSON-able values (`encode`) and back (`decode`); both raise Mismatch.

    `encode_test` and `decode_test` are Python expressions over `{x}` that are true when the value can be taken as it
    is; generated functions put them inline, which saves a call a field. `native` is the annotation of which msgspec
    makes the very values that `decode` gives.
    """

    name: str
    encode: Convert
    decode: Convert
    encode_test: str = ""
    decode_test: str = ""
    native: Any = None

    def __init__(
        self,
        name: str,
        encode: Convert,
        decode: Convert,
        encode_test: str = "",
        decode_test: str = "",
        native: Any = None,
    ) -> None:
        self.name = name
        self.encode = encode
        self.decode = decode
        self.encode_test = encode_test
        self.decode_test = decode_test
        self.native = native

    def typed(self) -> Typed:
        """How msgspec decodes values of this type where it takes nothing that `decode` refuses; else anything goes."""
        return called(Any, self.decode) if self.native is None else Typed(self.native)

    def encode_parts(self, value: Any) -> Iterator[Part]:
        """Path segment, shape and value of each part of a value; nothing for scalars and values of another type."""
        return iter(())

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        """The same of JSON."""
        return iter(())

    def default(self) -> Callable[[], object] | None:
        """What a missing key stands for; nothing when the key is required (schema-language: optional, absent, null)."""
        return None


def locate_value(shape: Shape, value: object) -> str:
    """The path of the first part that does not encode; empty when it is the value itself."""
    for segment, part, inner in shape.encode_parts(value):
        if _refuses(part.encode, inner):
            return segment + locate_value(part, inner)
    return ""


def locate_json(shape: Shape, raw: object) -> str:
    """The path of the first part that does not decode; empty when it is the root."""
    for segment, part, inner in shape.decode_parts(raw):
        if _refuses(part.decode, inner):
            return segment + locate_json(part, inner)
    return ""


def _refuses(convert: Convert, value: object) -> bool:
    from ftl_nb.schema.json.errors import Mismatch

    try:
        convert(value)
    except Mismatch:
        return True
    return False


def inline(test: str, convert: str, x: str) -> str:
    """Source of `x` converted: taken as it is when the test holds."""
    return f"{x} if {test.format(x=x)} else {convert}({x})" if test else f"{convert}({x})"


def generate(lines: list[str], name: str, names: dict[str, object]) -> Convert:
    """The function `name` that the source lines define over `names`."""
    scope = dict(names)
    exec(compile("\n".join(lines), f"<codec {name}>", "exec"), scope)
    function: Convert = scope[name]  # type: ignore[assignment]
    return function
