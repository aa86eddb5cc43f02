"""The type check of the whole system as the build sees it: modules in, errors at their cells out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.check import ModuleInput, TypeChecker, refusal
from ftl_nb.errors import FtlError

_log = logging.getLogger(__name__)


class SystemChecker:
    """One warm checker, in a folder of its own, and the stubs that editors read: those of what is canonical."""

    def __init__(self, state: Path, folder: Path) -> None:
        self._checker = TypeChecker(state / "check", roots=(folder,))
        self._stubs = Stubs(state / "stubs" / "ftl_nb-stubs")

    def warm(self) -> None:
        """Starts the checker ahead of the first cell."""
        self._checker.start()

    def check(
        self,
        modules: Iterable[tuple[ModuleSource, schema.Module]],
        changed: Collection[str],
        before: Iterable[schema.Module] = (),
    ) -> dict[str, FtlError]:
        """Errors by module, of the changed ones and of all that depend on them; each is the first, others behind it.

        `before` are the modules that everybody fits already."""
        inputs = [ModuleInput(module.name, source, module) for source, module in modules]
        found = self._checker.check_system(inputs, changed, before)
        return {name: refusal({name: diagnostics}) for name, diagnostics in found.items()}

    def publish(self, modules: Iterable[schema.Module]) -> None:
        """Shows editors the system as it is now."""
        self._stubs.write({module.name: self._checker.stub_of(module) for module in modules})


class Stubs:
    """The stub files of one system below `folder`, a partial stub package (PEP 561). Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._written: dict[Path, str] = {}

    def write(self, stubs: Mapping[str, str]) -> None:
        """Writes what is new and removes what is gone. Where that fails it is logged: no call needs these files."""
        modules = self._folder / "modules"
        texts = {self._folder / "py.typed": "partial\n", modules / "__init__.pyi": ""}
        texts |= {modules / f"{name}.pyi": text for name, text in stubs.items()}
        with self._lock:
            try:
                self._make(modules, texts)
            except OSError as e:
                _log.warning("the stubs for editors were not written: %s", e)

    def _make(self, modules: Path, texts: Mapping[Path, str]) -> None:
        modules.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            if self._written.get(path) != text:
                path.write_text(text, encoding="utf-8")
                self._written[path] = text
        for path in set(modules.glob("*.pyi")) - texts.keys():
            path.unlink()
            self._written.pop(path, None)
