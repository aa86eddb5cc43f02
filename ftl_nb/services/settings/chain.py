"""One value looked up, set and taken away over all providers, in the order that the project names."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftl_nb.errors import fail
from ftl_nb.services.settings.environment import Environment
from ftl_nb.services.settings.provider import Kind, Provider, Ref, Site, provider_of

_WORDS = {"config": "config-providers", "secret": "secrets-providers"}


class Found(NamedTuple):
    """A value, and who gives it."""

    value: bytes
    provider: str


class Chain:
    """The module's own value comes before the one for every module; among the same, the first provider's."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = tuple(providers)
        self._lock = threading.Lock()

    def of(self, ref: Ref) -> Found | None:
        """The value of exactly this ref."""
        for provider in self._providers:
            value = provider.get(ref)
            if value is not None:
                return Found(value, provider.name)
        return None

    def lookup(self, module: str, name: str) -> Found | None:
        """What a verb of the module sees."""
        return self.of(Ref(module, name)) or self.of(Ref("", name))

    def refs(self) -> set[Ref]:
        """Those known to have a value."""
        return {ref for provider in self._providers for ref in provider.refs()}

    def seen_by(self, module: str, names: Iterable[str]) -> dict[str, bytes]:
        """The values of these names for a module's verbs."""
        found = {name: self.lookup(module, name) for name in names}
        return {name: one.value for name, one in found.items() if one is not None}

    def set(self, ref: Ref, value: bytes) -> None:
        """Keeps it in the first provider that keeps values; what would stand before it is forgotten."""
        with self._lock:
            for provider in self._providers:
                provider.put(ref, value if provider.keeps else None)
                if provider.keeps:
                    return
        raise fail("settings-provider", word="a place to keep values", near="name one of file, keyring")

    def unset(self, ref: Ref) -> None:
        """Takes it from every provider."""
        with self._lock:
            for provider in self._providers:
                provider.put(ref, None)


def chain_of(
    kind: Kind, settings: Mapping[str, Any], state: Path, realm: str, variables: MutableMapping[str, str]
) -> Chain:
    """The environment, then what `config-providers` or `secrets-providers` of `[tool.ftl_nb]` names: a file else."""
    site = Site(kind, state, realm, str(settings.get("secrets-key", "file")))
    words = settings.get(_WORDS[kind], "file")
    return Chain(
        [
            Environment(kind, variables),
            *(provider_of(str(w), site) for w in ([words] if isinstance(words, str) else words)),
        ]
    )
