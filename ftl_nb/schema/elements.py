"""Runtime elements put into a module: each system updates its own part of a node, and no other's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls
from ftl_nb.schema.nodes import runtime as rt

_OF_MODULE: dict[type[Any], str] = {
    rt.ModuleRuntimeDeployment: "deployment",
    rt.ModuleRuntimeScaling: "scaling",
    rt.ModuleRuntimeRunner: "runner",
    rt.ModuleRuntimeImage: "image",
}
_OF_VERB: dict[type[Any], str] = {
    rt.PlaintextKafkaSubscriptionConnector: "subscription_connector",
    rt.EgressRuntime: "egress_runtime",
}
_DECL: dict[type[Any], type[Any]] = {
    rt.TopicRuntime: decls.Topic,
    rt.DatabaseRuntime: decls.Database,
    **dict.fromkeys(_OF_VERB, decls.Verb),
}


def with_runtime(module: decls.Module, change: rt.RuntimeElement) -> decls.Module:
    """The module with one element in its place; every other part of its runtime stays as it is.

    A deployment without a key keeps the key of the deployment that is there.

    Raises:
        SchemaError: the element belongs to a declaration and names none, one that is not there, or one of another
            kind; or to a module that has no runtime yet.
    """
    element = change.element
    if (part := _OF_MODULE.get(type(element))) is None:
        return _with_decl(module, change)
    if module.runtime is None:
        raise SchemaError(Problem(f"module {module.name} has no runtime"))
    before = module.runtime.deployment
    if isinstance(element, rt.ModuleRuntimeDeployment) and not element.deployment_key and before:
        element = replace(element, deployment_key=before.deployment_key)
    changes: dict[str, Any] = {part: element}
    return replace(module, runtime=replace(module.runtime, **changes))


def _with_decl(module: decls.Module, change: rt.RuntimeElement) -> decls.Module:
    if not change.name:
        raise SchemaError(Problem("missing name in element"))
    decl = module.decl(change.name)
    if decl is None:
        raise SchemaError(Problem(f"decl {change.name} not found"))
    if not isinstance(decl, _DECL[type(change.element)]):
        raise SchemaError(Problem(f"unexpected decl type *schema.{type(decl).__name__}"))
    updated = _updated(decl, change.element)
    return replace(module, decls=tuple(updated if each is decl else each for each in module.decls))


def _updated(decl: Any, element: rt.Runtime) -> Any:
    if (part := _OF_VERB.get(type(element))) is None:
        return replace(decl, runtime=element)
    changes: dict[str, Any] = {part: element}
    return replace(decl, runtime=replace(decl.runtime or rt.VerbRuntime(), **changes))


def runtime_elements(module: decls.Module) -> Iterator[rt.RuntimeElement]:
    """What the running system says of a module and of its declarations: `with_runtime` puts each back."""
    runtime = module.runtime
    key = runtime.deployment.deployment_key if runtime and runtime.deployment else ""
    for part in _OF_MODULE.values() if runtime else ():
        if (element := getattr(runtime, part)) is not None:
            yield rt.RuntimeElement(element, key)
    for decl in module.decls:
        found = getattr(decl, "runtime", None)
        parts = [getattr(found, part) for part in _OF_VERB.values()] if isinstance(found, rt.VerbRuntime) else [found]
        yield from (rt.RuntimeElement(each, key, decl.name) for each in parts if each is not None)
