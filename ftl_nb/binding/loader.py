"""Executes a module's cells, each compiled on its own under its own name and line numbers, in one module object."""

from __future__ import annotations

import ast
import importlib
import linecache
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from ftl_nb.binding.dispatch import loading
from ftl_nb.binding.names import declared
from ftl_nb.binding.resources import Setting
from ftl_nb.binding.source import Cell
from ftl_nb.binding.verbs import Verb, VerbOptions
from ftl_nb.schema.names import camel

PACKAGE = "ftl_nb.modules"


def module_object(name: str) -> ModuleType:
    """The one module object of module `name` in this process, made empty when there is none."""
    full = f"{PACKAGE}.{name}"
    found = sys.modules.get(full)
    if found is None:
        found = ModuleType(full)
        sys.modules[full] = found
        setattr(importlib.import_module(PACKAGE), name, found)
    return found


def run_cell(module: str, cell: Cell, *, keep: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Executes one Python cell in its module's object; returns the top-level names that it bound.

    Classes in `keep` are there already and are not defined again. Whatever the text raises goes out as it is; the
    caller says which process it was and trims the traceback.
    """
    target = module_object(module)
    filename = cell.filename(module)
    remember_source(filename, cell.text)
    tree = ast.parse(cell.text, filename)
    code = compile(_without(tree, keep), filename, "exec", dont_inherit=True)
    namespace = target.__dict__
    with loading(module):
        exec(code, namespace)
    if cell.kind in ("verb", "fixture"):
        _decorate(module, tree, cell, namespace)
    names = declared(tree).all
    _name_resources(module, names, namespace)
    return {name: namespace[name] for name in names if name in namespace}


def _without(tree: ast.Module, classes: frozenset[str]) -> ast.Module:
    body = [n for n in tree.body if not (isinstance(n, ast.ClassDef) and n.name in classes)]
    return ast.Module(body, tree.type_ignores)


def remember_source(filename: str, text: str) -> None:
    """Lets tracebacks and `inspect` show the lines of a cell."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def _decorate(module: str, tree: ast.Module, cell: Cell, namespace: dict[str, Any]) -> None:
    """A verb cell's one function becomes a verb with the words of the magic line."""
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    name = next(n for n in functions if not n.startswith("_"))
    function = namespace[name]
    if isinstance(function, Verb):
        return
    options = _options(cell)
    namespace[name] = Verb(module, options.name or camel(name), function=function, options=options)


def _name_resources(module: str, names: Iterable[str], namespace: Mapping[str, Any]) -> None:
    """A config or secret without a name of its own is called like its variable."""
    for name in names:
        value = namespace.get(name)
        if isinstance(value, Setting) and value.module == module:
            value.name = value.name or name


def _options(cell: Cell) -> VerbOptions:
    words = {word: value for word, value in cell.options.items() if word in VerbOptions.__slots__}
    if cell.kind == "fixture":
        words["fixture"] = "manual" if cell.options.get("manual") else words.get("fixture", True)
    return VerbOptions.of(words)
