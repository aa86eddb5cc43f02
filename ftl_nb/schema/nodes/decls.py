"""Schema, realms, modules and the eight kinds of declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node, Visibility

if TYPE_CHECKING:
    from ftl_nb.schema.nodes import metadata as meta
    from ftl_nb.schema.nodes import runtime as rt
    from ftl_nb.schema.nodes import types


class TypeParameter(Node):
    """A type parameter of a generic data."""

    name: str


class Field(Node):
    """A field of a data."""

    name: str
    type: types.Type
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()


class Data(Node):
    """A record, generic when it has type parameters."""

    name: str
    fields: tuple[Field, ...] = ()
    type_parameters: tuple[TypeParameter, ...] = ()
    visibility: Visibility = Visibility.NONE
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()


class EnumVariant(Node):
    """A variant of an enum."""

    name: str
    value: types.Value
    comments: tuple[str, ...] = ()


class Enum(Node):
    """A value enum when it has a type, else a type enum (a tagged union)."""

    name: str
    variants: tuple[EnumVariant, ...] = ()
    type: types.Type | None = None
    visibility: Visibility = Visibility.NONE
    comments: tuple[str, ...] = ()


class TypeAlias(Node):
    """Another name for a type, or a name for a type of the host language (`+typemap`)."""

    name: str
    type: types.Type
    visibility: Visibility = Visibility.NONE
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()


class Verb(Node):
    """A function: one request, one response."""

    name: str
    request: types.Type
    response: types.Type
    visibility: Visibility = Visibility.NONE
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()
    runtime: rt.VerbRuntime | None = None


class Topic(Node):
    """A stream of events."""

    name: str
    event: types.Type
    visibility: Visibility = Visibility.NONE
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()
    runtime: rt.TopicRuntime | None = None


class Database(Node):
    """A database; `type` is `postgres`, `mysql` or `duckdb`."""

    name: str
    type: str
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()
    runtime: rt.DatabaseRuntime | None = None


class Config(Node):
    """A configuration value of a module."""

    name: str
    type: types.Type
    comments: tuple[str, ...] = ()


class Secret(Node):
    """A secret value of a module."""

    name: str
    type: types.Type
    comments: tuple[str, ...] = ()


Decl: Alias = Data | Verb | Database | Enum | TypeAlias | Config | Secret | Topic
DECL_KINDS: dict[type[Node], str] = {
    Config: "config",
    Secret: "secret",
    Database: "database",
    Topic: "topic",
    TypeAlias: "typealias",
    Enum: "enum",
    Data: "data",
    Verb: "verb",
}
"""The kind word of each declaration, in canonical order."""


class Module(Node):
    """The declarations of one module."""

    name: str
    decls: tuple[Decl, ...] = ()
    metadata: tuple[meta.Metadata, ...] = ()
    comments: tuple[str, ...] = ()
    builtin: bool = False
    runtime: rt.ModuleRuntime | None = None

    def decl(self, name: str) -> Decl | None:
        """The first declaration of that name, of any kind."""
        return next((d for d in self.decls if d.name == name), None)


class Realm(Node):
    """Modules that see each other; an external realm is another cluster's."""

    name: str
    modules: tuple[Module, ...] = ()
    external: bool = False
    metadata: tuple[meta.Metadata, ...] = ()

    def module(self, name: str) -> Module | None:
        """The first module of that name."""
        return next((m for m in self.modules if m.name == name), None)


class Schema(Node):
    """The whole system: its realms."""

    realms: tuple[Realm, ...] = ()

    def module(self, name: str) -> Module | None:
        """The first module of that name in any realm."""
        return next((m for r in self.realms if (m := r.module(name))), None)

    def resolve(self, ref: types.Ref | types.RefKey) -> Decl | None:
        """The first declaration the reference names, through the realms in order."""
        modules = (m for r in self.realms for m in r.modules if m.name == ref.module)
        return next((d for m in modules if (d := m.decl(ref.name))), None)
