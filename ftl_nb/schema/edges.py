"""What refers to what: edges of declarations, imports of modules, order and cycles, and views by visibility."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node, Visibility
from ftl_nb.schema.nodes.types import RefKey
from ftl_nb.schema.traversal import refs, transform

_BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Edges:
    """The references of one declaration, sorted by text: from others in the graph, and to others (known or not)."""

    inbound: tuple[RefKey, ...]
    outbound: tuple[RefKey, ...]


def graph(schema: decls.Schema) -> dict[RefKey, Edges]:
    """The edges of every declaration of the internal realms."""
    outbound = {RefKey(module.name, decl.name): outgoing(decl) for module, decl in internal_decls(schema)}
    inbound: dict[RefKey, set[RefKey]] = defaultdict(set)
    for key, targets in outbound.items():
        for target in targets & outbound.keys():
            inbound[target].add(key)
    return {key: Edges(_sorted(inbound[key]), _sorted(targets)) for key, targets in outbound.items()}


def internal_decls(schema: decls.Schema) -> Iterator[tuple[decls.Module, decls.Decl]]:
    """Every declaration of the internal realms, with its module."""
    return (
        (module, decl)
        for realm in schema.realms
        if not realm.external
        for module in realm.modules
        for decl in module.decls
    )


def outgoing(decl: decls.Decl) -> set[RefKey]:
    """What a declaration refers to, metadata included, without its own type parameters."""
    found = {ref.key for ref in refs(decl)}
    return found - _parameters(decl)


def type_edges(decl: decls.Decl) -> set[RefKey]:
    """What a declaration refers to in its types alone: its shape, as others see it."""
    return {ref.key for part in _shape(decl) for ref in refs(part)} - _parameters(decl)


def imports(module: decls.Module) -> tuple[str, ...]:
    """The other modules that qualified references name, sorted."""
    return tuple(sorted({ref.module for ref in refs(module)} - {"", module.name}))


def levels(dependencies: Mapping[str, Collection[str]]) -> list[tuple[str, ...]]:
    """Modules in groups, each group needing only those before it. `builtin` counts as there.

    Raises:
        SchemaError: the modules of a cycle, and those that need them.
    """
    groups: list[tuple[str, ...]] = []
    built = {_BUILTIN}
    waiting = set(dependencies) - built
    while waiting:
        ready = tuple(sorted(name for name in waiting if built.issuperset(dependencies[name])))
        if not ready:
            names = " ".join(f'"{name}"' for name in sorted(waiting))
            message = f"detected a module dependency cycle that impacts these modules: [{names}]"
            raise SchemaError(Problem(message))
        groups.append(ready)
        built.update(ready)
        waiting.difference_update(ready)
    return groups


def import_cycle(realm: decls.Realm) -> tuple[str, ...]:
    """The first cycle of imports: the modules on the way, from the first import's target to the one met again."""
    return cycle_of((module.name, imports(module)) for module in realm.modules)


def cycle_of(found: Iterable[tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """The first cycle, given the imports of each module."""
    edges: dict[str, list[str]] = {}
    for name, imported in found:
        edges[name] = sorted({*edges.get(name, ()), *imported})
    done: set[tuple[str, str]] = set()
    for start in sorted(edges):
        for target in edges[start]:
            if cycle := _cycle_from((start, target), edges, done):
                return cycle
    return ()


def _cycle_from(start: tuple[str, str], edges: Mapping[str, list[str]], done: set[tuple[str, str]]) -> tuple[str, ...]:
    """Depth first over imports, as the public system does it: the cycle is closed by an import met twice."""
    path = {start: iter(edges.get(start[1], ()))}
    while path:
        edge = next(reversed(path))
        target = next(path[edge], None)
        following = (edge[1], target or "")
        if target is None:
            done.add(edge)
            del path[edge]
        elif following in path:
            return (*(name for _, name in path), target)
        elif following not in done:
            path[following] = iter(edges.get(target, ()))
    return ()


def users(schema: decls.Schema) -> dict[RefKey, set[RefKey]]:
    """For every name that is referred to, known or not, the declarations that refer to it in their types."""
    found: dict[RefKey, set[RefKey]] = defaultdict(set)
    for module, decl in internal_decls(schema):
        for target in type_edges(decl):
            found[target].add(RefKey(module.name, decl.name))
    return found


def reached(schema: decls.Schema, starts: Iterable[RefKey]) -> set[RefKey]:
    """The declarations that the given ones are made of, themselves included."""
    found: set[RefKey] = set()
    waiting = list(starts)
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        if decl := schema.resolve(key):
            waiting.extend(type_edges(decl))
    return found


def instantiate(data: decls.Data, arguments: tuple[types.Type, ...]) -> decls.Data:
    """A generic data with its type parameters replaced, in nested references too.

    Raises:
        SchemaError: another number of arguments than of parameters.
    """
    names = [parameter.name for parameter in data.type_parameters]
    if len(names) != len(arguments):
        raise SchemaError(Problem(f"expected {len(names)} type arguments, got {len(arguments)}", data.pos))
    given = dict(zip(names, arguments, strict=True))

    def substitute(node: Node) -> Node:
        bare = isinstance(node, types.Ref) and not node.module and not node.type_parameters
        return given.get(node.name, node) if bare and isinstance(node, types.Ref) else node

    return transform(replace(data, type_parameters=()), substitute)


def visible(realm: decls.Realm, level: Visibility) -> decls.Realm:
    """The realm as seen from outside at a level: declarations at or above it and all that they refer to.

    Modules are sorted by name, declarations keep their order; comments, metadata and runtime stay.
    """
    schema = decls.Schema((realm,))
    starts = [key for key, decl in _keyed(realm) if getattr(decl, "visibility", Visibility.NONE) >= level]
    kept = _closure(schema, starts)
    modules = (_only(module, kept) for module in sorted(realm.modules, key=lambda module: module.name))
    return replace(realm, modules=tuple(module for module in modules if module.decls))


def _closure(schema: decls.Schema, starts: Iterable[RefKey]) -> set[RefKey]:
    found: set[RefKey] = set()
    waiting = list(starts)
    while waiting:
        key = waiting.pop()
        decl = schema.resolve(key)
        if decl and key not in found:
            found.add(key)
            waiting.extend(outgoing(decl))
    return found


def _keyed(realm: decls.Realm) -> Iterator[tuple[RefKey, decls.Decl]]:
    return ((RefKey(module.name, decl.name), decl) for module in realm.modules for decl in module.decls)


def _only(module: decls.Module, kept: Collection[RefKey]) -> decls.Module:
    return replace(module, decls=tuple(decl for decl in module.decls if RefKey(module.name, decl.name) in kept))


def _parameters(decl: decls.Decl) -> set[RefKey]:
    return {RefKey("", parameter.name) for parameter in decl.type_parameters} if isinstance(decl, decls.Data) else set()


def _shape(decl: decls.Decl) -> Iterator[Node]:
    match decl:
        case decls.Verb():
            yield from (decl.request, decl.response)
        case decls.Topic():
            yield decl.event
        case decls.Data():
            yield from (field.type for field in decl.fields)
        case decls.Enum():
            yield from (variant.value for variant in decl.variants)
            yield from (decl.type,) if decl.type else ()
        case decls.TypeAlias() | decls.Config() | decls.Secret():
            yield decl.type
        case decls.Database():
            pass


def metadata_edges(decl: decls.Decl) -> set[RefKey]:
    """What a verb calls, subscribes to, publishes, reads and uses."""
    items: tuple[metadata.Metadata, ...] = getattr(decl, "metadata", ())
    return {ref.key for item in items for ref in refs(item)}


def _sorted(keys: Iterable[RefKey]) -> tuple[RefKey, ...]:
    return tuple(sorted(keys, key=str))
