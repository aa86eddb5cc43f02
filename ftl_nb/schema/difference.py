"""What changed between two schemas, and who breaks.

Breaking is meant for a caller who holds the stub of the old schema: positions, comments and runtime do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from ftl_nb.schema.edges import internal_decls, metadata_edges, reached, users
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes.base import Node, Visibility
from ftl_nb.schema.nodes.types import Ref, RefKey
from ftl_nb.schema.traversal import refs, transform

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_OF_OTHERS = (decls.Verb, decls.Data, decls.Enum, decls.TypeAlias, decls.Topic)


@dataclass(frozen=True, slots=True)
class Change:
    """One declaration that was added, removed or changed.

    `breaks` are the declarations of other modules, in the new schema, that refer to it: through types at any depth,
    and the callers, subscribers and publishers of what has it in its types. A caller that was redefined in the same
    step is among them too: whether it still breaks is for its own check to say.
    """

    kind: Literal["added", "removed", "changed"]
    module: str
    name: str
    decl_kind: str
    breaking: bool = False
    reasons: tuple[str, ...] = ()
    breaks: tuple[Ref, ...] = ()

    def __str__(self) -> str:
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        who = f" (breaks {', '.join(map(str, self.breaks))})" if self.breaks else " (breaking)" if self.breaking else ""
        return f"{_SIGNS[self.kind]} {self.decl_kind} {self.module}.{self.name}{why}{who}"


@dataclass(frozen=True, slots=True)
class Diff:
    """Every change, sorted by module and name. Empty (false) when nothing changed; `str()` is one line a change."""

    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes))

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break callers."""
        return tuple(change for change in self.changes if change.breaking)

    @property
    def breaks(self) -> tuple[Ref, ...]:
        """Every declaration that breaks, sorted."""
        return tuple(sorted({ref for change in self.changes for ref in change.breaks}, key=str))


@dataclass(frozen=True, slots=True)
class Reason:
    """One difference of a declaration."""

    text: str
    breaking: bool = True

    def within(self, place: str) -> Reason:
        """The same, said of a part."""
        return Reason(f"{place}: {self.text}", self.breaking)


def diff(old: decls.Schema, new: decls.Schema) -> Diff:
    """What changed in the internal realms; the builtin module does not count."""
    before, after = _decls(old), _decls(new)
    context = _Context(old, new)
    changes = (_change(key, before.get(key), after.get(key), context) for key in before.keys() | after.keys())
    return Diff(
        tuple(sorted((change for change in changes if change), key=lambda change: (change.module, change.name)))
    )


class _Context:
    """What the two schemas say about the uses of a declaration, found once."""

    def __init__(self, old: decls.Schema, new: decls.Schema) -> None:
        self._old, self._new = old, new

    @cached_property
    def sent(self) -> set[RefKey]:
        """What callers send: all that is in a request or an event."""
        return self._reached((decls.Verb, "request"), (decls.Topic, "event"))

    @cached_property
    def received(self) -> set[RefKey]:
        """What callers read: all that is in a response or an event."""
        return self._reached((decls.Verb, "response"), (decls.Topic, "event"))

    @cached_property
    def _users(self) -> dict[RefKey, set[RefKey]]:
        return users(self._new)

    @cached_property
    def _callers(self) -> dict[RefKey, set[RefKey]]:
        found: dict[RefKey, set[RefKey]] = {}
        for module, decl in internal_decls(self._new):
            for target in metadata_edges(decl):
                found.setdefault(target, set()).add(RefKey(module.name, decl.name))
        return found

    def breaks(self, key: RefKey) -> tuple[Ref, ...]:
        """The declarations of other modules that see a change of this one."""
        shaped: set[RefKey] = set()
        waiting = [key]
        while waiting:
            current = waiting.pop()
            if current not in shaped:
                shaped.add(current)
                waiting.extend(self._users.get(current, ()))
        calling = {caller for seen in shaped for caller in self._callers.get(seen, ())}
        others = sorted((found for found in shaped | calling if found.module != key.module), key=str)
        return tuple(Ref(found.module, found.name) for found in others)

    def _reached(self, *places: tuple[type[Node], str]) -> set[RefKey]:
        starts = {
            ref.key
            for schema in (self._old, self._new)
            for _, decl in internal_decls(schema)
            for cls, name in places
            if isinstance(decl, cls)
            for ref in refs(getattr(decl, name))
        }
        return reached(self._old, starts) | reached(self._new, starts)


def _decls(schema: decls.Schema) -> dict[RefKey, decls.Decl]:
    found: dict[RefKey, decls.Decl] = {}
    for module, decl in internal_decls(schema):
        if not module.builtin:
            found.setdefault(RefKey(module.name, decl.name), transform(decl, _bare))
    return found


def _bare(node: Node) -> Node:
    """The node without comments and runtime."""
    dropped: dict[str, Any] = {"comments": ()} if getattr(node, "comments", ()) else {}
    if getattr(node, "runtime", None) is not None and isinstance(node, decls.Verb | decls.Topic | decls.Database):
        dropped["runtime"] = None
    return replace(node, **dropped) if dropped else node


def _change(key: RefKey, old: decls.Decl | None, new: decls.Decl | None, context: _Context) -> Change | None:
    if new is None and old is not None:
        breaking = isinstance(old, _OF_OTHERS)
        breaks = context.breaks(key) if breaking else ()
        return Change("removed", key.module, key.name, decls.DECL_KINDS[type(old)], breaking, (), breaks)
    if old is None and new is not None:
        return Change("added", key.module, key.name, decls.DECL_KINDS[type(new)])
    if old is None or new is None or old == new:
        return None
    reasons = tuple(_reasons(key, old, new, context)) or (Reason("metadata changed", False),)
    breaking = any(reason.breaking for reason in reasons)
    texts = tuple(reason.text for reason in reasons)
    breaks = context.breaks(key) if breaking else ()
    return Change("changed", key.module, key.name, decls.DECL_KINDS[type(new)], breaking, texts, breaks)


def _reasons(key: RefKey, old: decls.Decl, new: decls.Decl, context: _Context) -> Iterator[Reason]:
    if type(old) is not type(new):
        yield Reason(f"kind changed from {decls.DECL_KINDS[type(old)]} to {decls.DECL_KINDS[type(new)]}")
        return
    yield from _visibility(getattr(old, "visibility", None), getattr(new, "visibility", None))
    match old, new:
        case decls.Verb(), decls.Verb():
            yield from _part("request", old.request, new.request)
            yield from _part("response", old.response, new.response)
        case decls.Data(), decls.Data():
            yield from _data(old, new, key in context.sent, key in context.received)
        case decls.Enum(), decls.Enum():
            yield from _enum(old, new, key in context.received)
        case decls.Topic(), decls.Topic():
            yield from _part("event", old.event, new.event)
        case decls.TypeAlias(), decls.TypeAlias():
            yield from _type(old.type, new.type)
        case decls.Config(), decls.Config():
            yield from _local(old.type, new.type)
        case decls.Secret(), decls.Secret():
            yield from _local(old.type, new.type)
        case decls.Database(), decls.Database() if old.type != new.type:
            yield Reason(f"type changed from {old.type} to {new.type}", False)
    if getattr(old, "metadata", ()) != getattr(new, "metadata", ()):
        yield from _metadata(old, new)


def _visibility(old: Visibility | None, new: Visibility | None) -> Iterator[Reason]:
    if old is not None and new is not None and old != new:
        direction = "lowered" if new < old else "raised"
        words = (level.word or "none" for level in (old, new))
        yield Reason(f"visibility {direction} from {' to '.join(words)}", new < old)


def _metadata(old: decls.Decl, new: decls.Decl) -> Iterator[Reason]:
    before, after = (getattr(decl, "metadata", ()) for decl in (old, new))
    yield from (Reason(f"{item} removed", False) for item in before if item not in after)
    yield from (Reason(f"{item} added", False) for item in after if item not in before)


def _data(old: decls.Data, new: decls.Data, sent: bool, received: bool) -> Iterator[Reason]:
    if len(old.type_parameters) != len(new.type_parameters):
        yield Reason(f"type parameters changed from {len(old.type_parameters)} to {len(new.type_parameters)}")
    before, after = ({field.name: field for field in data.fields} for data in (old, new))
    yield from (Reason(f"field {name} removed") for name in before if name not in after)
    for name, field in after.items():
        if name not in before:
            required = not isinstance(field.type, types.Optional)
            yield Reason(f"{'required' if required else 'optional'} field {name} added", required and sent)
        else:
            yield from _field(before[name], field, sent, received)


def _field(old: decls.Field, new: decls.Field, sent: bool, received: bool) -> Iterator[Reason]:
    if isinstance(new.type, types.Optional) and new.type.type == old.type:
        yield Reason(f"{new.name}: made optional", received or not sent)
    elif isinstance(old.type, types.Optional) and old.type.type == new.type:
        yield Reason(f"{new.name}: made required", sent or not received)
    else:
        yield from _part(new.name, old.type, new.type)
    if old.metadata != new.metadata:
        yield Reason(f"{new.name}: metadata changed", False)


def _enum(old: decls.Enum, new: decls.Enum, received: bool) -> Iterator[Reason]:
    if old.type and new.type:
        yield from _type(old.type, new.type)
    elif old.type or new.type:
        yield Reason("changed between a value enum and a type enum")
    before, after = ({variant.name: variant.value for variant in enum.variants} for enum in (old, new))
    yield from (Reason(f"variant {name} removed") for name in before if name not in after)
    for name, value in after.items():
        if name not in before:
            yield Reason(f"variant {name} added", received)
        elif before[name] != value:
            yield Reason(f"variant {name} changed from {before[name]} to {value}")


def _part(place: str, old: types.Type, new: types.Type) -> Iterator[Reason]:
    return (reason.within(place) for reason in _type(old, new))


def _type(old: types.Type, new: types.Type) -> Iterator[Reason]:
    if old == new:
        return
    match old, new:
        case types.Array(), types.Array():
            yield from _part("array", old.element, new.element)
        case types.Optional(), types.Optional():
            yield from _part("optional", old.type, new.type)
        case types.Map(), types.Map():
            yield from _part("map key", old.key, new.key)
            yield from _part("map value", old.value, new.value)
        case _:
            yield Reason(f"type changed from {_word(old)} to {_word(new)}")


def _local(old: types.Type, new: types.Type) -> Iterator[Reason]:
    """The differences of what no other module can see."""
    return (Reason(reason.text, False) for reason in _type(old, new))


def _word(type_: types.Type) -> str:
    """The kind word of a type; a reference by its text, since two of them may differ."""
    return str(type_) if isinstance(type_, Ref) else type(type_).__name__.lower()
