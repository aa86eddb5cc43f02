"""Types from outside the schema: how a `Decimal` becomes a JSON-able value and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, get_origin

Encode: TypeAlias = Callable[[Any], Any]
Decode: TypeAlias = Callable[[Any], Any]
Externals: TypeAlias = Mapping[type, tuple[Encode, Decode]]

NONE: Externals = MappingProxyType({})


class External(NamedTuple):
    """`encode` gives a JSON-able value of a value of `type`, `decode` is its inverse; both may raise on bad values."""

    type: Any
    encode: Encode
    decode: Decode

    @property
    def name(self) -> str:
        """The schema name: the class's own."""
        return str(self.cls.__name__)

    @property
    def native_name(self) -> str:
        """What stands in `+typemap python`, such as `decimal.Decimal`."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"

    @property
    def cls(self) -> type:
        """The class that values are instances of."""
        return get_origin(self.type) or self.type


def frozen(externals: Externals) -> tuple[External, ...]:
    """A registry as it stands now, hashable."""
    return tuple(External(tp, *functions) for tp, functions in externals.items()) if externals else ()
