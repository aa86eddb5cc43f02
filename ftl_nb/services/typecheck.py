"""The type check of the whole system as the build sees it: modules in, errors at their cells out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.check import ModuleInput, TypeChecker, refusal
from ftl_nb.errors import FtlError


class SystemChecker:
    """One warm checker; its stubs are those that editors read, under the state folder's `stubs`."""

    def __init__(self, state: Path, folder: Path) -> None:
        self._checker = TypeChecker(state, roots=(folder,))

    def warm(self) -> None:
        """Starts the checker ahead of the first cell."""
        self._checker.start()

    def check(
        self, modules: Iterable[tuple[ModuleSource, schema.Module]], changed: Collection[str]
    ) -> dict[str, FtlError]:
        """Errors by module, of the changed ones and of all that depend on them; each is the first, others behind it."""
        inputs = [ModuleInput(module.name, source, module) for source, module in modules]
        found = self._checker.check_system(inputs, changed)
        return {name: refusal({name: diagnostics}) for name, diagnostics in found.items()}
