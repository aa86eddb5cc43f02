"""Types, references and enum values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node, Struct

if TYPE_CHECKING:
    from ftl_nb.schema.nodes import decls


class Int(Node):
    """A signed 64-bit integer."""


class Float(Node):
    """A 64-bit floating point number."""


class String(Node):
    """A UTF-8 text."""


class Bytes(Node):
    """A byte string."""


class Bool(Node):
    """True or false."""


class Time(Node):
    """An instant (RFC 3339)."""


class Any(Node):
    """Any JSON value."""


class Unit(Node):
    """No value."""


class Array(Node):
    """`[element]`."""

    element: Type


class Map(Node):
    """`{key: value}`."""

    key: Type
    value: Type


class Optional(Node):
    """`type?`."""

    type: Type


class Stream(Node):
    """`stream element`: many values, one after another. Only a verb's request or response is one."""

    element: Type


class RefKey(Struct):
    """The identity of a declaration: module and name, without type arguments."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.module else self.name


class Ref(Node):
    """A reference to a declaration; an empty module means unqualified (a type parameter, or not yet resolved)."""

    module: str
    name: str
    type_parameters: tuple[Type, ...] = ()

    @property
    def key(self) -> RefKey:
        """What the reference names, without its type arguments."""
        return RefKey(self.module, self.name)


class StringValue(Node):
    """A text variant of a value enum."""

    value: str


class IntValue(Node):
    """A number variant of a value enum."""

    value: int


class TypeValue(Node):
    """A variant of a type enum."""

    value: Type


Type: Alias = Union[
    Int,
    Float,
    String,
    Bytes,
    Bool,
    Time,
    Any,
    Unit,
    Array,
    Map,
    Optional,
    Stream,
    Ref,
    "decls.Data",
    "decls.Enum",
    "decls.TypeAlias",
]
Value: Alias = StringValue | IntValue | TypeValue
PRIMITIVES: dict[str, type[Node]] = {c.__name__: c for c in (Int, Float, String, Bytes, Bool, Time, Any, Unit)}
