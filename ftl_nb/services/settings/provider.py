"""Where values of configs and secrets come from: one small interface, and the kinds that are known by name.

A provider of another package joins by `register`, or by an entry point of the group `ftl_nb.providers` whose name is
the kind and whose object is the factory. `[tool.ftl_nb]` names them, in the order of asking:
`secrets-providers = ["keyring", "file"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from ftl_nb.errors import fail
from ftl_nb.schema.names import camel

Kind = Literal["config", "secret"]
ENTRY_POINTS = "ftl_nb.providers"


class Ref(NamedTuple):
    """`module.name`, or `name` for every module; names as in the schema."""

    module: str
    name: str

    @classmethod
    def of(cls, path: str) -> Ref:
        module, _, name = path.rpartition(".")
        return cls(module, camel(name))

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.module else self.name


class Provider(Protocol):
    """Values are JSON. Raises FtlError `settings-unreadable` where its store cannot be read, and then keeps it."""

    name: str
    #: Whether `put` keeps values; one that does not only forgets the one of now.
    keeps: bool

    def get(self, ref: Ref) -> bytes | None: ...

    def refs(self) -> Iterable[Ref]:
        """Those that have a value, as far as it can tell."""

    def put(self, ref: Ref, value: bytes | None) -> None:
        """Sets a value, or with None takes it away."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a provider is made for: one kind of value in one project. `key` says where secrets are sealed by."""

    kind: Kind
    state: Path
    realm: str
    key: str = "file"


#: Makes the provider of a site; the text is what follows the kind in `kind:text`.
Factory = Callable[[Site, str], Provider]
_factories: dict[str, Factory] = {}


def register(kind: str, factory: Factory) -> None:
    """Makes a kind of provider known."""
    _factories[kind] = factory


def provider_of(word: str, site: Site) -> Provider:
    """The provider that `kind` or `kind:text` names. Raises FtlError `settings-provider`."""
    from ftl_nb.rpc.hints import near

    kind, _, text = word.partition(":")
    factory = _factories.get(kind) or _installed().get(kind)
    if factory is None:
        raise fail("settings-provider", word=word, near=near(kind, sorted({*_factories, *_installed()})))
    return factory(site, text)


def _installed() -> dict[str, Factory]:
    from importlib.metadata import entry_points

    return {entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}
