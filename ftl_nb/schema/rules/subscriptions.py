"""Rules on subscribers, dead letters, retries and catch verbs."""

from __future__ import annotations

from functools import partial

from ftl_nb.schema.durations import BadForm, TooLarge, UnitsOutOfOrder, UnknownUnit, duration
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.normal import dead_letter_event, dead_letter_name
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage

_DAY = 86_400
_DEFAULT_COUNT = 10
_TEXT_RULES: dict[type[ValueError], str] = {
    UnknownUnit: "R072",
    UnitsOutOfOrder: "R073",
    TooLarge: "R074",
    BadForm: "R075",
}


def _one_topic(item: meta.MetadataSubscriber, context: Context) -> Found:
    first = next(other for other in _verb(context).metadata if isinstance(other, meta.MetadataSubscriber))
    if first is not item:
        yield "verb can not subscribe to multiple topics", item.pos


def _is_topic(item: meta.MetadataSubscriber, context: Context) -> Found:
    found = context.scope.resolve(item.topic)
    if found and not isinstance(found.node, decls.Topic):
        name = _verb(context).name
        yield f"verb {name}: expected topic but found *schema.ModuleDecl for {quote(str(item.topic))}", item.pos


def _event_type(item: meta.MetadataSubscriber, context: Context) -> Found:
    verb, found = _verb(context), context.scope.resolve(item.topic)
    if found and isinstance(found.node, decls.Topic) and found.node.event != verb.request:
        differs = f"request type {verb.request} differs from subscription's event type {found.node.event}"
        yield f"verb {verb.name}: {differs}", item.pos


def _sink(item: meta.MetadataSubscriber, context: Context) -> Found:
    verb, found = _verb(context), context.scope.resolve(item.topic)
    if found and isinstance(found.node, decls.Topic) and verb.response != types.Unit():
        yield f"verb {verb.name}: must be a sink to subscribe but found response type {verb.response}", item.pos


def _dead_letter_kind(item: meta.MetadataSubscriber, context: Context) -> Found:
    name = dead_letter_name(_verb(context)) if item.dead_letter else ""
    taken = context.module.decl(name) if name else None
    if taken and not isinstance(taken, decls.Topic):
        where = f"{context.module.name}.{name} to be a dead letter topic but was already declared at {taken.pos}"
        yield f"expected {where}", item.pos


def _dead_letter_type(item: meta.MetadataSubscriber, context: Context) -> Found:
    verb = _verb(context)
    name = dead_letter_name(verb) if item.dead_letter else ""
    topic = context.module.decl(name) if name and name not in context.made else None
    wanted = dead_letter_event(verb)
    if isinstance(topic, decls.Topic) and topic.event != wanted:
        types_ = f"({topic.event}) as the subscription request type ({wanted})"
        yield f"dead letter topic {context.module.name}.{name} must have the same event type {types_}", item.pos


# Retries


def _of_subscriber(item: meta.MetadataRetry, context: Context) -> Found:
    if not _subscribes(context):
        yield "retries can only be added to subscribers", item.pos


def _count(item: meta.MetadataRetry, context: Context) -> Found:
    if _subscribes(context) and item.count is not None and item.count < 0:
        yield "retry count can not be negative", item.pos


class _Fault(Exception):
    """What is wrong with the backoffs of a retry, and the number of its rule."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def _backoff(rule: str, item: meta.MetadataRetry, context: Context) -> Found:
    """The fault of one rule: the first fault of a retry hides the others."""
    if _subscribes(context) and not (item.count is not None and item.count < 0):
        try:
            _check_backoffs(item)
        except _Fault as fault:
            if fault.rule == rule:
                yield str(fault), item.pos


def _check_backoffs(item: meta.MetadataRetry) -> None:
    count = _DEFAULT_COUNT if item.count is None else item.count
    if not item.min_backoff:
        if count:
            raise _Fault("R067", "retry must have a minimum backoff")
        return
    least = _limited("min", item.min_backoff)
    longest = _limited("max", item.max_backoff) if item.max_backoff else None
    if longest is not None and longest < least:
        limits = f"({item.max_backoff}) needs to be at least as long as initial backoff ({item.min_backoff})"
        raise _Fault("R076", f"max backoff duration {limits}")
    if not count and item.catch is None:
        raise _Fault("R077", "can not define a backoff duration when retry count is 0 and no catch is declared")


def _limited(which: str, text: str) -> int:
    begin = f"could not parse {which} backoff duration: "
    try:
        seconds = duration(text)
    except ValueError as error:
        raise _Fault(_TEXT_RULES[type(error)], f"{begin}could not parse retry duration: {error}") from None
    if seconds < 1:
        raise _Fault("R068" if which == "min" else "R069", f"{begin}retry must have a minimum backoff of 1s")
    if seconds > _DAY:
        raise _Fault("R070" if which == "min" else "R071", f"{begin}retry backoff can not be larger than 1d")
    return seconds


# Catch verbs: those of another module are not looked at in the public system either.


def _known_catch(item: meta.MetadataRetry, context: Context) -> Found:
    if _subscribes(context) and item.catch and _is_own(item.catch, context) and _catch_decl(item, context) is None:
        yield f"could not resolve catch verb {quote(str(item.catch))}", item.pos


def _catch_is_verb(item: meta.MetadataRetry, context: Context) -> Found:
    decl = _catch_decl(item, context)
    if decl is not None and not isinstance(decl, decls.Verb):
        yield "expected catch to be a verb", item.pos


def _catch_request(item: meta.MetadataRetry, context: Context) -> Found:
    decl, request = _catch_decl(item, context), _verb(context).request
    if not isinstance(decl, decls.Verb):
        return
    accepted = tuple(f"builtin.CatchRequest<{type_}>" for type_ in (request, "Any"))
    if str(decl.request) not in accepted:
        wanted = f"{accepted[0]} or {accepted[1]}"
        yield f"catch verb must have a request type of {wanted}, but found {decl.request}", item.pos


def _catch_response(item: meta.MetadataRetry, context: Context) -> Found:
    decl = _catch_decl(item, context)
    if isinstance(decl, decls.Verb) and decl.response != types.Unit():
        yield f"catch verb must not have a response type but found {decl.response}", item.pos


def _catch_decl(item: meta.MetadataRetry, context: Context) -> decls.Decl | None:
    own = item.catch and _subscribes(context) and _is_own(item.catch, context)
    return context.module.decl(item.catch.name) if item.catch and own else None


def _is_own(ref: types.Ref, context: Context) -> bool:
    return ref.module in ("", context.module.name)


def _subscribes(context: Context) -> bool:
    return any(isinstance(item, meta.MetadataSubscriber) for item in _verb(context).metadata)


def _verb(context: Context) -> decls.Verb:
    assert isinstance(context.decl, decls.Verb)
    return context.decl


_BACKOFF_RULES = {
    "R067": "A retry that counts has a minimum backoff.",
    "R068": "The minimum backoff is a second or more.",
    "R069": "The maximum backoff is a second or more.",
    "R070": "The minimum backoff is a day or less.",
    "R071": "The maximum backoff is a day or less.",
    "R072": "A backoff's units are d, h, m and s.",
    "R073": "A backoff's units go from large to small, each once.",
    "R074": "A backoff's numbers have 64 bits.",
    "R075": "A backoff is numbers with units.",
    "R076": "The maximum backoff is not below the minimum.",
    "R077": "A retry of nothing has no backoff.",
}
_SUBSCRIBER = (meta.MetadataSubscriber,)
_RETRY = (meta.MetadataRetry,)
ITEM_RULES = (
    Rule("R036", "A verb subscribes once.", _SUBSCRIBER, _one_topic),
    Rule("R037", "A verb subscribes to a topic.", _SUBSCRIBER, _is_topic, Stage.BOTH),
    Rule("R038", "A subscriber's request is the topic's event.", _SUBSCRIBER, _event_type, Stage.BOTH),
    Rule("R039", "A subscriber has no response.", _SUBSCRIBER, _sink, Stage.BOTH),
    Rule("R040", "The name of a dead letter topic is free.", _SUBSCRIBER, _dead_letter_kind),
    Rule("R041", "A dead letter topic has the failed event.", _SUBSCRIBER, _dead_letter_type),
    Rule("R065", "Only subscribers retry.", _RETRY, _of_subscriber),
    Rule("R066", "A retry count is not negative.", _RETRY, _count),
    *(Rule(number, says, _RETRY, partial(_backoff, number)) for number, says in _BACKOFF_RULES.items()),
    Rule("R078", "A catch verb is known.", _RETRY, _known_catch),
    Rule("R079", "A catch is a verb.", _RETRY, _catch_is_verb),
    Rule("R080", "A catch verb takes the failed request.", _RETRY, _catch_request),
    Rule("R081", "A catch verb has no response.", _RETRY, _catch_response),
)
