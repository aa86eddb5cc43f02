"""Keyword-only parameters of verbs: what each one gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from ftl_nb.binding.names import Function
from ftl_nb.compiler.cells import Mark, ParsedCell, full_name
from ftl_nb.compiler.namespace import Declaration, Namespace, schema_name
from ftl_nb.errors import fail

_OURS = "ftl_nb.modules."


@dataclass(frozen=True, slots=True)
class Injected:
    """`declaration` is the module's own resource; else `target` is another module's verb as `(module, python name)`."""

    name: str
    declaration: Declaration | None = None
    target: tuple[str, str] | None = None
    annotated: bool = False
    defaulted: bool = False


def injected_parameters(space: Namespace, cell: ParsedCell, mark: Mark) -> tuple[Injected, ...]:
    """What each keyword-only parameter gets. Raises `unknown-injection`, `injection-shadows-field`."""
    arguments = mark.function.args
    fields = set(request_fields(space, mark.function))
    found = []
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.arg in fields:
            raise fail(
                "injection-shadows-field",
                cell.place(argument),
                name=argument.arg,
                verb=f"{space.module}.{schema_name(mark)}",
            )
        found.append(_injected(space, cell, mark, argument, default))
    return tuple(found)


def _injected(space: Namespace, cell: ParsedCell, mark: Mark, argument: ast.arg, default: ast.expr | None) -> Injected:
    annotated = argument.annotation is not None
    target = None if default is None else _inject_target(space, default)
    if target is not None and target.startswith(_OURS):
        module, _, name = target.removeprefix(_OURS).partition(".")
        if module != space.module:
            return Injected(argument.arg, None, (module, name), annotated, True)
        target = name
    if default is not None and target is None:
        if ast.unparse(default).startswith("ftl.inject(") and "ftl" not in space.imports:
            raise fail("ftl-not-imported", cell.place(default))
        shown = ast.unparse(default)
        verb = f"{space.module}.{schema_name(mark)}"
        raise fail("injected-default", cell.place(default), name=argument.arg, verb=verb, default=shown)
    declaration = space.injectable(target or argument.arg)
    if declaration is None:
        near = space.near(target or argument.arg, mark.name)
        verb = f"{space.module}.{schema_name(mark)}"
        place = cell.place(argument)
        raise fail("unknown-injection", place, module=space.module, name=target or argument.arg, verb=verb, near=near)
    return Injected(argument.arg, declaration, None, annotated, default is not None)


def _inject_target(space: Namespace, default: ast.expr) -> str | None:
    """`ftl.inject(shop.checkout)` as `ftl_nb.modules.shop.checkout`, `inject(price_of)` as `price_of`."""
    if not isinstance(default, ast.Call) or full_name(default.func, space.imports) != "ftl_nb.inject":
        return None
    if len(default.args) != 1:
        return None
    argument = default.args[0]
    return full_name(argument, space.imports) or (
        argument.id if isinstance(argument, ast.Name) else ast.unparse(argument)
    )


def request_parameter(function: Function) -> ast.arg | None:
    """The parameter that is the request; None for a source."""
    return next(iter((*function.args.posonlyargs, *function.args.args)), None)


def request_fields(space: Namespace, function: Function) -> Iterator[str]:
    """The fields of the request, where its type is a class of the module's own text."""
    parameter = request_parameter(function)
    annotation = None if parameter is None else parameter.annotation
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from class_fields(space, annotation.value)
    elif isinstance(annotation, ast.Name):
        yield from class_fields(space, annotation.id)


def class_fields(space: Namespace, name: str, seen: frozenset[str] = frozenset()) -> dict[str, ast.AnnAssign]:
    """A class's annotated fields with those of its bases first."""
    found: dict[str, ast.AnnAssign] = {}
    nodes = () if name in seen else space.nodes.get(name, ())
    for node in (n for n in nodes if isinstance(n, ast.ClassDef)):
        for base in node.bases:
            root = base.value if isinstance(base, ast.Subscript) else base
            found |= class_fields(space, root.id, seen | {name}) if isinstance(root, ast.Name) else {}
        found |= {s.target.id: s for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)}
    return found
