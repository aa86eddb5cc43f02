"""Schema types as annotations in a stub.

A stub's own imports are private names, and a builtin that the module hides (a verb called `list`, a field called
`bytes`) is written through `_builtins`: whatever the names of a module are, its stub means what it says.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from ftl_nb import schema
from ftl_nb.schema.names import snake

_BUILTINS: dict[type[schema.Node], str] = {
    schema.Int: "int",
    schema.Float: "float",
    schema.String: "str",
    schema.Bytes: "bytes",
    schema.Bool: "bool",
}
_IMPORTS = {
    "_abc": "import collections.abc as _abc",
    "_builtins": "import builtins as _builtins",
    "_dataclasses": "import dataclasses as _dataclasses",
    "_datetime": "import datetime as _datetime",
    "_enum": "import enum as _enum",
    "_ftl_nb": "import ftl_nb as _ftl_nb",
    "_pandas": "import pandas as _pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]",
    "_pyarrow": "import pyarrow as _pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]",
    "_typing": "import typing as _typing",
}
_TYPES = schema.Data | schema.Enum | schema.TypeAlias


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an annotation stands: names of the class around it, and what its type parameters are."""

    hidden: Set[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)


MODULE = Scope()


class TypeTexts:
    """Annotations of one module's stub; remembers which imports they need."""

    def __init__(self, module: schema.Module) -> None:
        self.module = module
        self._hidden = {d.name if isinstance(d, _TYPES) else snake(d.name) for d in module.decls}
        self._used: set[str] = set()
        self._modules: set[str] = set()

    def imports(self) -> list[str]:
        """The import lines of everything that was asked for."""
        own = [_IMPORTS[name] for name in sorted(self._used)]
        return own + [f"from ftl_nb.modules import {name} as _{name}" for name in sorted(self._modules)]

    def of(self, name: str) -> str:
        """A name of one of the stub's own imports, such as `_typing.Any`."""
        self._used.add(name.partition(".")[0])
        return name

    def builtin(self, name: str, scope: Scope = MODULE) -> str:
        """A builtin name, as it must be written where it stands."""
        return self.of(f"_builtins.{name}") if name in self._hidden or name in scope.hidden else name

    def text(self, tp: schema.Type, scope: Scope = MODULE) -> str:
        """The annotation of a schema type."""
        if isinstance(tp, schema.Array):
            return f"{self.builtin('list', scope)}[{self.text(tp.element, scope)}]"
        if isinstance(tp, schema.Map):
            key, value = self.text(tp.key, scope), self.text(tp.value, scope)
            return f"{self.builtin('dict', scope)}[{key}, {value}]"
        if isinstance(tp, schema.Optional):
            return f"{self.text(tp.type, scope)} | None"
        if isinstance(tp, schema.Stream):
            return f"{self.of('_ftl_nb.StreamResult')}[{self.text(tp.element, scope)}]"
        if isinstance(tp, schema.Ref):
            return self._ref(tp, scope)
        return self._primitive(tp, scope)

    def _primitive(self, tp: schema.Type, scope: Scope) -> str:
        if isinstance(tp, schema.Unit):
            return "None"
        if isinstance(tp, schema.Time):
            return self.of("_datetime.datetime")
        return self.builtin(_BUILTINS[type(tp)], scope) if type(tp) in _BUILTINS else self.of("_typing.Any")

    def _ref(self, ref: schema.Ref, scope: Scope) -> str:
        if not ref.module and ref.name in scope.parameters:
            return scope.parameters[ref.name]
        if keyword.iskeyword(ref.name):
            return self.of("_typing.Any")
        name = self._qualified(ref, scope)
        arguments = ", ".join(self.text(argument, scope) for argument in ref.type_parameters)
        return f"{name}[{arguments}]" if arguments else name

    def _qualified(self, ref: schema.Ref, scope: Scope) -> str:
        if ref.module in ("", self.module.name) and ref.name not in scope.hidden:
            return ref.name
        module = ref.module or self.module.name
        self._modules.add(module)
        return f"_{module}.{ref.name}"


def docstring(comments: tuple[str, ...], indent: str = "    ") -> list[str]:
    """The lines of a docstring; none without comments."""
    text = "\n".join(comments).replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip()
    if not text:
        return []
    closing = "\n" if "\n" in text or text.endswith('"') else ""
    return [f"{indent}{line}".rstrip() for line in f'"""{text}{closing}"""'.split("\n")]
