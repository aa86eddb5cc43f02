"""The typed client that each verb of a module is, as text for the module's shadow copy.

Inside a module a verb's name is a client like anywhere else: it is called with its request or with the fields of its
request, has `aio`, `map` and `with_timeout`, and takes what is injected by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ftl_nb.binding.names import Function
from ftl_nb.compiler.analysis import VerbUse
from ftl_nb.compiler.injection import class_fields, request_parameter
from ftl_nb.compiler.namespace import Namespace

CLASS_PREFIX = "_Ftl_"
DECORATOR_PREFIX = "_ftl_client_"

CLIENT_IMPORTS = (
    "from typing import Any as _FtlAny, Protocol as _FtlProtocol, overload as _ftl_overload",
    "from collections.abc import Iterable as _FtlIterable",
    "def _ftl_any() -> _FtlAny: raise NotImplementedError",
)


def client_lines(space: Namespace, verb: VerbUse) -> Iterator[str]:
    """A protocol class for the verb, and the decorator that makes its function one."""
    function = space.marks[verb.function][1].function
    name = CLASS_PREFIX + verb.function
    response = _text(function.returns) if function.returns is not None else "None"
    signatures = list(_signatures(space, verb, function))
    yield f"class {name}(_FtlProtocol):"
    for prefix, method in (("", "__call__"), ("async ", "aio")):
        for parameters in signatures:
            if len(signatures) > 1:
                yield "    @_ftl_overload"
            yield f"    {prefix}def {method}({parameters}) -> {response}: ..."
    yield f"    def with_timeout(self, seconds: float) -> {name!r}: ..."
    yield f"    def map(self, requests: _FtlIterable[{_request(function)}]) -> list[{response}]: ..."
    yield f"def {DECORATOR_PREFIX}{verb.function}(function: _FtlAny) -> {name}: raise NotImplementedError"


def _signatures(space: Namespace, verb: VerbUse, function: Function) -> Iterator[str]:
    parameter = request_parameter(function)
    given = [f"{p.name}: _FtlAny = ..." for p in verb.injected]
    if parameter is None:
        yield _parameters(["self"], given)
        return
    default = " = ..." if function.args.defaults else ""
    yield _parameters(["self", f"{parameter.arg}: {_request(function)}{default}"], given)
    fields = list(_field_parameters(space, parameter.annotation))
    if fields:
        yield _parameters(["self"], [*fields, *given] if fields[-1] != "**" else given, fields[-1] == "**")


def _parameters(positional: list[str], keywords: list[str], any_field: bool = False) -> str:
    tail = ["**fields: _FtlAny"] if any_field else []
    star = ["*"] if keywords else []
    return ", ".join([*positional, *star, *keywords, *tail])


def _field_parameters(space: Namespace, annotation: ast.expr | None) -> Iterator[str]:
    """The request's fields as keywords; `**` alone where its class is not of this module's text or is generic."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.Name) and annotation.id in space.nodes:
        for name, field in class_fields(space, annotation.id).items():
            if not _is_class_variable(field):
                yield f"{name}: {_text(field.annotation)}" + (" = ..." if _has_default(field) else "")
    elif isinstance(annotation, ast.Subscript | ast.Attribute) or _is_foreign_class(space, annotation):
        yield "**"


def _is_foreign_class(space: Namespace, annotation: ast.expr | None) -> bool:
    target = space.imports.get(annotation.id, "") if isinstance(annotation, ast.Name) else ""
    return target.startswith("ftl_nb.modules.")


def _is_class_variable(field: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(field.annotation)


def _has_default(field: ast.AnnAssign) -> bool:
    """Whether the field may be left out; `field()` says so by its own words."""
    if not isinstance(field.value, ast.Call) or ast.unparse(field.value.func).rpartition(".")[2] != "field":
        return field.value is not None
    return any(word.arg in ("default", "default_factory", "init") for word in field.value.keywords)


def _request(function: Function) -> str:
    parameter = request_parameter(function)
    annotation = None if parameter is None else parameter.annotation
    return "_FtlAny" if annotation is None else _text(annotation)


def _text(annotation: ast.expr) -> str:
    """The annotation as quoted text: it may name what stands further down."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return repr(annotation.value)
    return repr(ast.unparse(annotation))
