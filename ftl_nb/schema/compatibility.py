"""What differs between two versions of one declaration, and whom each difference leaves behind.

Four questions are asked of every difference: do callers who hold the old stub break; if they do not, do new callers
need the new version first; can what was written as the old version still be read; and what is it, in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node, Visibility
from ftl_nb.schema.nodes.types import Ref
from ftl_nb.schema.traversal import transform

_NEW_FIRST = "who uses it needs the new version first"
_SET_AGAIN = "values that are set must fit the new type"
_ROUTE = "HTTP clients follow"


@dataclass(frozen=True, slots=True)
class Reason:
    """One difference of a declaration.

    `requires` is what callers must do where it does not break them: with it, the difference is compatible one way only.
    `readable` tells whether a value written as the old version (an event that is kept) is still one of the new.
    """

    text: str
    breaking: bool = True
    requires: str = ""
    readable: bool = True

    def within(self, place: str) -> Reason:
        """The same, said of a part."""
        return replace(self, text=f"{place}: {self.text}")


@dataclass(frozen=True, slots=True)
class Uses:
    """Who sees a declaration's values: callers send them, callers receive them. An event is both."""

    sent: bool
    received: bool

    def widened(self, text: str) -> Reason:
        """All old values are new values: only who receives them may meet one that it does not know."""
        breaking = self.received or not self.sent
        return Reason(text, breaking, "" if breaking else _NEW_FIRST)

    def narrowed(self, text: str) -> Reason:
        """Some old values are none any more: only who sends them may send one."""
        breaking = self.sent or not self.received
        return Reason(text, breaking, "" if breaking else _NEW_FIRST, readable=False)


_REQUEST, _RESPONSE, _EVENT = Uses(True, False), Uses(False, True), Uses(True, True)


def reasons(old: decls.Decl, new: decls.Decl, uses: Uses) -> Iterator[Reason]:
    """Every difference but comments, positions and runtime; none only when nothing differs."""
    if type(old) is not type(new):
        words = f"{decls.DECL_KINDS[type(old)]} to {decls.DECL_KINDS[type(new)]}"
        yield Reason(f"kind changed from {words}", readable=False)
        return
    yield from _visibility(getattr(old, "visibility", None), getattr(new, "visibility", None))
    match old, new:
        case decls.Verb(), decls.Verb():
            yield from _part("request", old.request, new.request, _REQUEST)
            yield from _part("response", old.response, new.response, _RESPONSE)
        case decls.Data(), decls.Data():
            yield from _data(old, new, uses)
        case decls.Enum(), decls.Enum():
            yield from _enum(old, new, uses)
        case decls.Topic(), decls.Topic():
            yield from _part("event", old.event, new.event, _EVENT)
        case decls.TypeAlias(), decls.TypeAlias():
            yield from _type(old.type, new.type, uses)
        case decls.Config(), decls.Config():
            yield from _local(old.type, new.type)
        case decls.Secret(), decls.Secret():
            yield from _local(old.type, new.type)
        case decls.Database(), decls.Database() if old.type != new.type:
            yield Reason(f"type changed from {old.type} to {new.type}", False, "its rows stay with the old engine")
    if getattr(old, "metadata", ()) != getattr(new, "metadata", ()):
        yield from _metadata(old, new)


def _visibility(old: Visibility | None, new: Visibility | None) -> Iterator[Reason]:
    if old is not None and new is not None and old != new:
        direction = "lowered" if new < old else "raised"
        words = (level.word or "none" for level in (old, new))
        yield Reason(f"visibility {direction} from {' to '.join(words)}", new < old)


def _metadata(old: decls.Decl, new: decls.Decl) -> Iterator[Reason]:
    before, after = (getattr(decl, "metadata", ()) for decl in (old, new))
    yield from (Reason(f"{item} removed", False, _route(item)) for item in before if item not in after)
    yield from (Reason(f"{item} added", False) for item in after if item not in before)


def _route(item: metadata.Metadata) -> str:
    return _ROUTE if isinstance(item, metadata.MetadataIngress) else ""


def _data(old: decls.Data, new: decls.Data, uses: Uses) -> Iterator[Reason]:
    if len(old.type_parameters) != len(new.type_parameters):
        words = f"{len(old.type_parameters)} to {len(new.type_parameters)}"
        yield Reason(f"type parameters changed from {words}", readable=False)
    before = {field.name: field for field in old.fields}
    after = {field.name: field for field in _with_parameters_of(old, new).fields}
    yield from (Reason(f"field {name} removed") for name in before if name not in after)
    for name, field in after.items():
        if name in before:
            yield from _field(before[name], field, uses)
        elif isinstance(field.type, types.Optional):
            yield Reason(f"optional field {name} added", False)
        else:
            requires = "" if uses.sent else f"whoever makes one must set {name}"
            yield Reason(f"required field {name} added", uses.sent, requires, readable=False)


def _with_parameters_of(old: decls.Data, new: decls.Data) -> decls.Data:
    """The new declaration with the old names of its type parameters: a parameter's name is nobody else's concern."""
    names = {after.name: before.name for before, after in zip(old.type_parameters, new.type_parameters, strict=False)}

    def renamed(node: Node) -> Node:
        if isinstance(node, Ref) and not node.module and node.name in names:
            return replace(node, name=names[node.name])
        return node

    return transform(new, renamed) if any(name != names[name] for name in names) else new


def _field(old: decls.Field, new: decls.Field, uses: Uses) -> Iterator[Reason]:
    if isinstance(new.type, types.Optional) and new.type.type == old.type:
        yield uses.widened(f"{new.name}: made optional")
    elif isinstance(old.type, types.Optional) and old.type.type == new.type:
        yield uses.narrowed(f"{new.name}: made required")
    else:
        yield from _part(new.name, old.type, new.type, uses)
    if old.metadata != new.metadata:
        yield Reason(f"{new.name}: metadata changed", False, _ROUTE if _aliases(old) != _aliases(new) else "")


def _aliases(field: decls.Field) -> list[metadata.Metadata]:
    return [item for item in field.metadata if isinstance(item, metadata.MetadataAlias)]


def _enum(old: decls.Enum, new: decls.Enum, uses: Uses) -> Iterator[Reason]:
    if old.type and new.type:
        yield from _type(old.type, new.type, uses)
    elif old.type or new.type:
        yield Reason("changed between a value enum and a type enum", readable=False)
    before, after = ({variant.name: variant.value for variant in enum.variants} for enum in (old, new))
    yield from (Reason(f"variant {name} removed", readable=False) for name in before if name not in after)
    for name, value in after.items():
        if name not in before:
            yield Reason(f"variant {name} added", uses.received, "" if uses.received else _NEW_FIRST)
        elif before[name] != value:
            yield Reason(f"variant {name} changed from {before[name]} to {value}", readable=False)


def _part(place: str, old: types.Type, new: types.Type, uses: Uses) -> Iterator[Reason]:
    return (reason.within(place) for reason in _type(old, new, uses))


def _type(old: types.Type, new: types.Type, uses: Uses) -> Iterator[Reason]:
    if old == new:
        return
    match old, new:
        case types.Array(), types.Array():
            yield from _part("array", old.element, new.element, uses)
        case types.Stream(), types.Stream():
            yield from _part("stream", old.element, new.element, uses)
        case types.Optional(), types.Optional():
            yield from _part("optional", old.type, new.type, uses)
        case types.Map(), types.Map():
            yield from _part("map key", old.key, new.key, uses)
            yield from _part("map value", old.value, new.value, uses)
        case _:
            yield _replaced(old, new, uses)


def _replaced(old: types.Type, new: types.Type, uses: Uses) -> Reason:
    text = f"type changed from {_word(old)} to {_word(new)}"
    if _within(old, new):
        return uses.widened(text)
    return uses.narrowed(text) if _within(new, old) else Reason(text, readable=False)


def _within(narrow: types.Type, wide: types.Type) -> bool:
    """Whether the JSON of every value of one type is one of the other, and its Python value too."""
    match narrow, wide:
        case (types.Stream(), _) | (_, types.Stream()) | (types.Unit(), _) | (_, types.Unit()):
            return False
        case (_, types.Any()) | (types.Int(), types.Float()):
            return True
        case _, types.Optional():
            return wide.type is not None and (narrow == wide.type or _within(narrow, wide.type))
    return False


def _local(old: types.Type, new: types.Type) -> Iterator[Reason]:
    """The differences of what no other module can see."""
    return (Reason(reason.text, False, _SET_AGAIN) for reason in _type(old, new, _EVENT))


def _word(type_: types.Type) -> str:
    """The kind word of a type; a reference by its text, since two of them may differ."""
    return str(type_) if isinstance(type_, Ref) else type(type_).__name__.lower()
