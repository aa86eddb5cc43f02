"""What changed between two schemas, and who breaks.

Breaking is meant for a caller who holds the stub of the old schema: positions, comments and runtime do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from ftl_nb.schema.compatibility import Reason, Uses, reasons
from ftl_nb.schema.edges import internal_decls, metadata_edges, reached, users
from ftl_nb.schema.nodes import decls
from ftl_nb.schema.nodes.base import NOWHERE, Node, Position
from ftl_nb.schema.nodes.types import Ref, RefKey
from ftl_nb.schema.traversal import refs, transform

Compatibility = Literal["compatible", "one way", "breaking"]
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_OF_OTHERS = (decls.Verb, decls.Data, decls.Enum, decls.TypeAlias, decls.Topic)


@dataclass(frozen=True, slots=True)
class Change:
    """One declaration that was added, removed or changed.

    `breaks` are the declarations of other modules, in the new schema, that refer to it: through types at any depth,
    and the callers, subscribers and publishers of what has it in its types. A caller that was redefined in the same
    step is among them too: whether it still breaks is for its own check to say. Each has its declaration's position.
    `requires` is what callers must do, although it does not break them; `unreadable` are the topics whose kept events
    cannot be read any more.
    """

    kind: Literal["added", "removed", "changed"]
    module: str
    name: str
    decl_kind: str
    breaking: bool = False
    reasons: tuple[str, ...] = ()
    breaks: tuple[Ref, ...] = ()
    requires: tuple[str, ...] = ()
    unreadable: tuple[Ref, ...] = ()

    @property
    def compatibility(self) -> Compatibility:
        """Who can stay: all, those of before, or not even they."""
        return "breaking" if self.breaking else "one way" if self.requires else "compatible"

    def report(self) -> str:
        """The change, and under it what to do, whom it breaks with places, and which events are lost."""
        shown = f"{replace(self, breaks=())}{'' if self.breaking else f' ({self.compatibility})'}"
        return "\n".join([shown, *(f"    {line}" for line in self.consequences)])

    @property
    def consequences(self) -> tuple[str, ...]:
        """What follows, a sentence each: what callers must do, whom it breaks, which events are lost."""
        breaks = (f"breaks {ref}{f' at {ref.pos}' if ref.pos else ''}" for ref in self.breaks)
        lost = (f"events of {ref} that are kept cannot be read any more" for ref in self.unreadable)
        return (*self.requires, *breaks, *lost)

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

    def report(self) -> str:
        """Every change with what follows from it."""
        return "\n".join(change.report() for change in self.changes)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break callers."""
        return tuple(change for change in self.changes if change.breaking)

    @property
    def breaks(self) -> tuple[Ref, ...]:
        """Every declaration that breaks, sorted."""
        return tuple(sorted({ref for change in self.changes for ref in change.breaks}, key=str))


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

    def uses(self, key: RefKey) -> Uses:
        """Who sees the values of a declaration."""
        return Uses(key in self.sent, key in self.received)

    def topics(self, key: RefKey) -> tuple[Ref, ...]:
        """The topics whose events have the declaration in them, now and before: those have events of old."""
        found = (topic for topic, inside in self._events.items() if key == topic or key in inside)
        return tuple(Ref(topic.module, topic.name) for topic in sorted(found, key=str))

    @cached_property
    def _events(self) -> dict[RefKey, set[RefKey]]:
        now = {key for key, decl in _decls(self._new).items() if isinstance(decl, decls.Topic)}
        return {
            RefKey(module.name, decl.name): reached(self._new, {ref.key for ref in refs(decl.event)})
            for module, decl in internal_decls(self._old)
            if isinstance(decl, decls.Topic) and RefKey(module.name, decl.name) in now
        }

    @cached_property
    def _places(self) -> dict[RefKey, Position]:
        return {RefKey(module.name, decl.name): decl.pos for module, decl in internal_decls(self._new)}

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
        return tuple(Ref(found.module, found.name, pos=self._places.get(found, NOWHERE)) for found in others)

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
    found = tuple(reasons(old, new, context.uses(key))) or (Reason("order or names of parameters changed", False),)
    breaking = any(reason.breaking for reason in found)
    return Change(
        "changed",
        key.module,
        key.name,
        decls.DECL_KINDS[type(new)],
        breaking,
        tuple(reason.text for reason in found),
        context.breaks(key) if breaking else (),
        tuple(dict.fromkeys(reason.requires for reason in found if reason.requires)),
        () if all(reason.readable for reason in found) else context.topics(key),
    )
