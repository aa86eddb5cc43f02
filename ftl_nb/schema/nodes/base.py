"""What every node shares: value semantics, its position, and its canonical text as `str(node)`.

Nodes are frozen, slotted dataclasses. The standard decorator compiles six methods for each of the seventy classes,
which is most of the time an import of the language takes; `node` compiles the constructor alone and takes the other
five from `Struct`.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from enum import IntEnum
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar, dataclass_transform

_T = TypeVar("_T")


class Position(NamedTuple):
    """A place in schema text: line and column start at 1, columns count characters; all empty means no position.

    A tuple, because a text has as many as it has nodes, and the garbage collector passes by tuples of plain values.
    """

    filename: str = ""
    line: int = 0
    column: int = 0

    def __bool__(self) -> bool:
        return bool(self.filename or self.line or self.column)

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.filename}:{place}" if self.filename else place


NOWHERE = Position()


class Visibility(IntEnum):
    """How far a declaration reaches: its own module, its realm, or other realms too."""

    NONE = 0
    MODULE = 1
    REALM = 2

    @property
    def word(self) -> str:
        """The words written before the declaration."""
        return _VISIBILITY_WORDS[self]


_VISIBILITY_WORDS = {Visibility.NONE: "", Visibility.MODULE: "export", Visibility.REALM: "export realm"}


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(cls: type[_T]) -> type[_T]:
    """Make a class a frozen, slotted dataclass with the methods of Struct. Defaults must be immutable values."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    known = fields(made)
    made.__init__ = _constructor(known)
    compared = [each.name for each in known if each.compare]
    made._compared = staticmethod(attrgetter(*compared) if compared else _nothing)
    made._shown = tuple(each.name for each in known if each.repr)
    found: type[_T] = made
    return found


def _constructor(known: tuple[Any, ...]) -> Callable[..., None]:
    values = {f"_{each.name}": each.default for each in known if each.default is not MISSING}
    plain, named = ([each for each in known if each.kw_only is only] for only in (False, True))
    parameters = ["self", *map(_parameter, plain), *(["*", *map(_parameter, named)] if named else [])]
    body = "".join(f"\n _set(self, {each.name!r}, {each.name})" for each in known) or "\n pass"
    names: dict[str, Any] = {**values, "_set": object.__setattr__}
    exec(f"def __init__({', '.join(parameters)}):{body}", names)
    constructor: Callable[..., None] = names["__init__"]
    return constructor


def _parameter(known: Any) -> str:
    return known.name if known.default is MISSING else f"{known.name}=_{known.name}"


def _nothing(value: object) -> tuple[()]:
    return ()


@node
class Struct:
    """Value semantics of a frozen dataclass made by `node`: fields with `compare=False` take no part.

    `unknown` is what a protobuf message held of fields that this version does not know. It is kept with the node, so
    that it moves, is replaced and is dropped with it.
    """

    unknown: bytes = field(default=b"", kw_only=True, compare=False, repr=False)
    _compared: ClassVar[Callable[[Any], Any]]
    _shown: ClassVar[tuple[str, ...]]

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return bool(type(self)._compared(self) == type(self)._compared(other))

    def __hash__(self) -> int:
        return hash((type(self), type(self)._compared(self)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({shown})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __getstate__(self) -> tuple[object, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))

    def __setstate__(self, state: tuple[object, ...]) -> None:
        for each, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, each.name, value)


@node
class Node(Struct):
    """A part of a schema. Immutable and hashable; positions take no part in equality."""

    pos: Position = field(default=NOWHERE, kw_only=True, compare=False, repr=False)

    def __str__(self) -> str:
        from ftl_nb.schema.printing import text

        return text(self)
