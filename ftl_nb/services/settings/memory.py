"""Values that live as long as the cluster: for tests, and for what must not be written down."""

from __future__ import annotations

from collections.abc import Iterable

from ftl_nb.services.settings.provider import Ref, Site


class Memory:
    name = "memory"
    keeps = True

    def __init__(self) -> None:
        self._values: dict[Ref, bytes] = {}

    def get(self, ref: Ref) -> bytes | None:
        return self._values.get(ref)

    def refs(self) -> Iterable[Ref]:
        return tuple(self._values)

    def put(self, ref: Ref, value: bytes | None) -> None:
        self._values.pop(ref, None)
        if value is not None:
            self._values[ref] = value


def memory_provider(site: Site, text: str) -> Memory:
    return Memory()
