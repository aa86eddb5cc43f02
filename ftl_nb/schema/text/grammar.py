"""The grammar of schema text.

There are two copies of the type, declaration and metadata rules: in the outer one a type is read on its own and may be
optional; in the inner one (inside a type) it may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from ftl_nb.schema.nodes.types import PRIMITIVES
from ftl_nb.schema.text import builders as build
from ftl_nb.schema.text.engine import (
    NOTHING,
    Alt,
    Capture,
    Not,
    NotBefore,
    Of,
    Part,
    Required,
    Rule,
    Seq,
    Sub,
    When,
    Word,
    many,
    maybe,
    some,
)
from ftl_nb.schema.text.lexer import Kind, Source

IDENT, STRING, NUMBER, SHA256, WS, EOL = (
    Of(kind) for kind in (Kind.IDENT, Kind.STRING, Kind.NUMBER, Kind.SHA256, Kind.WHITESPACE, Kind.EOL)
)
_INLINE = frozenset(("data", "typealias", "enum", "export"))
DECLARED = ("data", "verb", "database", "enum", "typealias", "config", "secret", "topic", "export")
_COMMENTS = many(Capture("comments", Of(Kind.COMMENT)))
_NAME = Capture("name", IDENT)
_VISIBILITY = maybe(Capture("visibility", Seq(Word("export"), maybe(Word(" "), Word("realm")))))


def words(*values: str) -> Alt:
    """One of some words."""
    return Alt(*map(Word, values))


def listed(part: Part) -> tuple[Part, Part]:
    """The part, and more of them behind commas."""
    return part, many(Word(","), part)


@cache
def schema_rule() -> Rule:
    """A schema: realms."""
    schema, realm = Rule("Schema", build.schema), Rule("Realm", build.realm)
    realm.part = Seq(
        maybe(Capture("external", Word("external"))),
        Word("realm"),
        _NAME,
        Word("{"),
        many(When(("+", "headers"), Capture("metadata", _outer().headers))),
        many(Capture("modules", module_rule())),
        Word("}"),
    )
    schema.part = many(Capture("realms", realm))
    return schema


@cache
def module_rule() -> Rule:
    """One module."""
    return _outer().module


def decl_rule() -> Part:
    """One declaration."""
    return _outer().decl


@cache
def type_rule() -> Rule:
    """One type, optional or not."""
    rule = Rule("Type", build.optional)
    rule.part = Seq(Capture("type", _inner().type), maybe(Capture("optional", Word("?"))))
    return rule


@cache
def ref_rule() -> Rule:
    """One reference."""
    return _outer().ref


@cache
def _inner() -> Grammar:
    return Grammar(None)


@cache
def _outer() -> Grammar:
    return Grammar(Sub("Type", type_rule()))


class Grammar:
    """The rules that hold types; with no `type_` given, a type is any but an optional one."""

    def __init__(self, type_: Part | None) -> None:
        self.ref = Rule("Ref", build.ref)
        self.data, self.alias = Rule("Data", build.data), Rule("TypeAlias", build.type_alias)
        self.enum, self.value = Rule("Enum", build.enum), Alt(name="Value")
        self.metadata = Alt(name="Metadata", choose=self._choose_metadata)
        self._by_word: dict[str, Part] = {}
        self.type: Part = type_ or self._bare_type()
        self._define_ref()
        self._define_types()
        self.headers = self._headers()
        self.metadata.parts = tuple(self._metadata())
        self._by_word = _by_word(self.metadata.parts)
        self.metadata.silent = (
            When(("+", "headers"), self.headers),
            When(("+", "ingress", "websocket"), self._socket()),
        )
        self.module = Rule("Module", build.module)
        self._define_module()

    def _rule(self, name: str, builder: build.Builder, *parts: Part) -> Rule:
        rule = Rule(name, builder)
        rule.part = Seq(*parts)
        return rule

    def _bare_type(self) -> Alt:
        union = Alt(name="Type", choose=self._choose_type)
        primitives = {name: self._rule(name, build.primitive(name), Word(name)) for name in PRIMITIVES}
        array = self._rule("Array", build.array, Word("["), Capture("element", union), Word("]"))
        pair = Capture("key", union), Word(":"), Capture("value", union)
        mapping = self._rule("Map", build.map_, Word("{"), *pair, Word("}"))
        names = list(primitives)
        first, last = names[: names.index("Any")], names[names.index("Any") :]
        simple = [primitives[name] for name in first], [primitives[name] for name in last]
        union.parts = (*simple[0], array, mapping, *simple[1], self.data, self.alias, self.enum, self.ref)
        self._primitives = primitives
        return union

    def _choose_type(self, source: Source, raw: int) -> Part | None:
        index = source.following[raw]
        if source.kinds[index] is not Kind.IDENT or source.values[index] in _INLINE:
            return None
        return self._primitives.get(source.values[index], self.ref)

    def _choose_metadata(self, source: Source, raw: int) -> Part | None:
        index = source.following[raw]
        if source.values[index] != "+":
            return NOTHING
        return self._by_word.get(source.values[source.following[index + 1]])

    def _define_ref(self) -> None:
        arguments = listed(Capture("arguments", self.type))
        module = maybe(Capture("module", IDENT), Word("."))
        self.ref.part = Seq(module, _NAME, maybe(Word("<"), *arguments, Word(">")))

    def _define_types(self) -> None:
        metadata = many(Capture("metadata", self.metadata))
        parameter = self._rule("TypeParameter", build.type_parameter, _NAME)
        parameters = maybe(Word("<"), *listed(Capture("type_parameters", parameter)), Word(">"))
        field = self._rule("Field", build.field, _COMMENTS, _NAME, Capture("type", self.type), metadata)
        fields = Word("{"), metadata, many(Capture("fields", field)), Word("}")
        self.data.part = Seq(_COMMENTS, _VISIBILITY, Word("data"), _NAME, parameters, *fields)
        self.alias.part = self._declaration("typealias", Capture("type", self.type), metadata)
        self._define_values()
        value = Capture("value", self.value)
        either = Required(Alt(Seq(Word("="), value), value))
        variant = self._rule("EnumVariant", build.variant, _COMMENTS, _NAME, either)
        of = maybe(Word(":"), Capture("type", self.type))
        self.enum.part = self._declaration("enum", of, Word("{"), many(Capture("variants", variant)), Word("}"))

    def _define_values(self) -> None:
        self.value.parts = (
            self._rule("StringValue", build.string_value, Capture("value", STRING)),
            self._rule("IntValue", build.int_value, Capture("value", NUMBER)),
            self._rule("TypeValue", build.type_value, Capture("value", self.type)),
        )

    def _declaration(self, word: str, *parts: Part) -> Seq:
        return Seq(_COMMENTS, _VISIBILITY, Word(word), _NAME, *parts)

    def _define_module(self) -> None:
        decls = self._decls()
        self.decl = Alt(*decls.values(), name="Decl", choose=_choose_decl(decls))
        self.module.part = Seq(
            _COMMENTS,
            maybe(Capture("builtin", Word("builtin"))),
            Word("module"),
            _NAME,
            Word("{"),
            many(Capture("metadata", self.metadata)),
            many(Capture("decls", self.decl)),
            Word("}"),
        )

    def _decls(self) -> dict[str, Rule]:
        metadata = many(Capture("metadata", self.metadata))
        typed = Capture("type", self.type)
        engine = Capture("engine", Alt(Word("postgres"), Word("mysql"), silent=(Word("duckdb"),)))
        verb, topic = Rule("Verb", build.verb), Rule("Topic", build.topic)
        sides = Word("("), Capture("request", self._side()), Word(")"), Capture("response", self._side())
        verb.part = self._declaration("verb", *sides, metadata)
        topic.part = self._declaration("topic", Capture("event", self.type), metadata)
        return {
            "data": self.data,
            "verb": verb,
            "database": self._rule("Database", build.database, _COMMENTS, Word("database"), engine, _NAME, metadata),
            "enum": self.enum,
            "typealias": self.alias,
            "config": self._rule("Config", build.config, _COMMENTS, Word("config"), _NAME, typed),
            "secret": self._rule("Secret", build.secret, _COMMENTS, Word("secret"), _NAME, typed),
            "topic": topic,
        }

    def _metadata(self) -> list[Rule]:
        return [
            self._list("calls", build.calls),
            self._list("config", build.configs),
            self._ingress(),
            self._item(build.cron, Word("cron"), WS, some(Capture("text", Alt(Word(" "), Not(EOL))))),
            self._database_uses(),
            self._item(build.alias, Word("alias"), Capture("kind", IDENT), Capture("text", STRING)),
            self._retry(),
            self._list("secrets", build.secrets),
            self._subscribe(),
            self._type_map(),
            self._item(build.encoding, Word("encoding"), Capture("type", Word("json")), _flag("lenient")),
            self._list("publish", build.publisher),
            self._item(build.migration, Word("migration"), WS, Word("sha256"), Word(":"), Capture("digest", SHA256)),
            self._item(build.artefact, Word("artefact"), WS, *_pair("path", "digest"), _flag("executable")),
            self._item(build.partitions, Word("partitions"), Capture("count", NUMBER)),
            self._item(
                build.sql_query, Word("sql"), WS, Word("query"), WS, Capture("command", IDENT), WS, _text("query")
            ),
            self._sql_column(),
            self._item(build.generated, Word("generated")),
            self._item(build.git, Word("git"), WS, *_pair("repository", "commit"), _flag("dirty")),
            self._item(build.fixture, Word("fixture"), _flag("manual")),
            self._item(build.transaction, Word("transaction")),
            self._item(build.egress, Word("egress"), *listed(_text("targets"))),
            self._item(build.image, Word("image"), WS, _text("image"), Word(":"), _text("digest")),
        ]

    def _item(self, builder: build.Builder, *parts: Part) -> Rule:
        return self._rule("Metadata", builder, Word("+"), *parts)

    def _list(self, word: str, builder: build.Builder) -> Rule:
        return self._item(builder, Word(word), *listed(Capture("refs", self.ref)))

    def _database_uses(self) -> Rule:
        return self._item(build.databases, Word("database"), Word("uses"), *listed(Capture("refs", self.ref)))

    def _side(self) -> Part:
        """A request or response: a type, or a stream of one. One blank stands behind the word, and no declaration:
        a type may have the name `stream`, and a declaration may follow it."""
        following = NotBefore(Seq(words(*DECLARED), IDENT))
        parts = Word("stream"), Word(" "), following, Capture("element", self.type)
        return Alt(self.type, silent=(self._rule("Stream", build.stream, *parts),), name="Type")

    def _headers(self) -> Rule:
        request, response = (Seq(Word(side), *listed(_text(side))) for side in ("request", "response"))
        return self._item(build.headers, Word("headers"), Alt(Seq(request, maybe(response)), response))

    def _socket(self) -> Rule:
        return self._item(build.websocket, Word("ingress"), Word("websocket"), *self._path())

    def _ingress(self) -> Rule:
        method = Capture("method", words("GET", "POST", "PUT", "DELETE"))
        return self._item(build.ingress, Word("ingress"), maybe(Capture("type", Word("http"))), method, *self._path())

    def _path(self) -> tuple[Part, Part]:
        literal = Capture("text", some(Not(Alt(WS, Word("/"), Word("{"), Word("}")))))
        component = Alt(
            self._rule("IngressPathLiteral", build.path_literal, literal),
            self._rule("IngressPathParameter", build.path_parameter, Word("{"), _NAME, Word("}")),
            name="IngressPathComponent",
        )
        part = Capture("path", component)
        return Word("/"), maybe(part, many(Word("/"), part))

    def _retry(self) -> Rule:
        def duration(name: str) -> Part:
            return maybe(Capture(name, Seq(NUMBER, NotBefore(WS), IDENT)))

        count = maybe(Capture("count", NUMBER), WS)
        catch = maybe(Word("catch"), Capture("catch", self.ref))
        return self._item(build.retry, Word("retry"), count, duration("min"), duration("max"), catch)

    def _subscribe(self) -> Rule:
        offset = Word("from"), Word("="), Capture("offset", words("beginning", "latest"))
        return self._item(build.subscriber, Word("subscribe"), Capture("topic", self.ref), *offset, _flag("deadletter"))

    def _type_map(self) -> Rule:
        runtimes = Alt(Word("go"), Word("kotlin"), Word("java"), silent=(Word("python"),))
        return self._item(build.type_map, Word("typemap"), Capture("runtime", runtimes), _text("native_name"))

    def _sql_column(self) -> Rule:
        either = Alt(IDENT, STRING)
        column = WS, Capture("table", either), Word("."), Capture("column", either)
        return self._item(build.sql_column, Word("sql"), WS, Word("column"), *column)


def _by_word(metadata: Iterable[Part]) -> dict[str, Part]:
    """The metadata that is the only one with its word, by the word; a WebSocket shares its with other ingress."""
    found: dict[str, list[Part]] = {}
    for rule in metadata:
        if isinstance(rule, Rule) and isinstance(rule.part, Seq) and isinstance(rule.part.parts[1], Word):
            found.setdefault(rule.part.parts[1].value, []).append(rule)
    return {word: rules[0] for word, rules in found.items() if len(rules) == 1 and word != "ingress"}


def _choose_decl(decls: dict[str, Rule]) -> Callable[[Source, int], Part | None]:
    """The declaration whose word stands behind comments and visibility; None leaves it to trying all."""

    visible = {word: rule for word, rule in decls.items() if word not in ("config", "secret", "database")}

    def choose(source: Source, raw: int) -> Part | None:
        index = source.following[raw]
        while source.kinds[index] is Kind.COMMENT:
            index = source.following[index + 1]
        exported = source.values[index] == "export"
        if exported:
            index = source.following[index + 1]
            if source.values[index] == "realm" and source.values[index - 1] == " ":
                index = source.following[index + 1]
        word = source.values[index] if source.kinds[index] is Kind.IDENT else ""
        return (visible if exported else decls).get(word)

    return choose


def _text(name: str) -> Capture:
    return Capture(name, STRING)


def _pair(first: str, second: str) -> tuple[Part, Part]:
    return _text(first), _text(second)


def _flag(word: str) -> Part:
    return maybe(Capture(word, Word(word)))
