"""Types, references and enum values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node

if TYPE_CHECKING:
    from ftl_nb.schema.nodes import decls


@dataclass(frozen=True, slots=True)
class Int(Node):
    """A signed 64-bit integer."""


@dataclass(frozen=True, slots=True)
class Float(Node):
    """A 64-bit floating point number."""


@dataclass(frozen=True, slots=True)
class String(Node):
    """A UTF-8 text."""


@dataclass(frozen=True, slots=True)
class Bytes(Node):
    """A byte string."""


@dataclass(frozen=True, slots=True)
class Bool(Node):
    """True or false."""


@dataclass(frozen=True, slots=True)
class Time(Node):
    """An instant (RFC 3339)."""


@dataclass(frozen=True, slots=True)
class Any(Node):
    """Any JSON value."""


@dataclass(frozen=True, slots=True)
class Unit(Node):
    """No value."""


@dataclass(frozen=True, slots=True)
class Array(Node):
    """`[element]`."""

    element: Type


@dataclass(frozen=True, slots=True)
class Map(Node):
    """`{key: value}`."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Optional(Node):
    """`type?`."""

    type: Type


@dataclass(frozen=True, slots=True)
class RefKey:
    """The identity of a declaration: module and name, without type arguments."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.module else self.name


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """A reference to a declaration; an empty module means unqualified (a type parameter, or not yet resolved)."""

    module: str
    name: str
    type_parameters: tuple[Type, ...] = ()

    @property
    def key(self) -> RefKey:
        """What the reference names, without its type arguments."""
        return RefKey(self.module, self.name)


@dataclass(frozen=True, slots=True)
class StringValue(Node):
    """A text variant of a value enum."""

    value: str


@dataclass(frozen=True, slots=True)
class IntValue(Node):
    """A number variant of a value enum."""

    value: int


@dataclass(frozen=True, slots=True)
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
    Ref,
    "decls.Data",
    "decls.Enum",
    "decls.TypeAlias",
]
Value: Alias = StringValue | IntValue | TypeValue
PRIMITIVES: dict[str, type[Node]] = {c.__name__: c for c in (Int, Float, String, Bytes, Bool, Time, Any, Unit)}
