"""Hypothesis strategies for whole schemas (needs the `hypothesis` package).

`schemas()` draws what has a text form that can be read again; `everything()` also what only protobuf can hold.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from ftl_nb.schema.builtin import with_builtins
from ftl_nb.schema.edges import instantiate
from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes import runtime as rt
from ftl_nb.schema.nodes.base import Visibility
from ftl_nb.schema.printing import GENERATED_COMMENT

_T = TypeVar("_T")
# Words that mean something else in the places where a name is drawn.
_RESERVED = "data enum typealias export lenient deadletter dirty manual executable catch http from"
_WORDS = {*types.PRIMITIVES, *_RESERVED.split()}
_DIGITS = st.text("0123456789abcdef", min_size=64, max_size=64)


def identifiers() -> Strategy[str]:
    """Names the language accepts everywhere."""
    return st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True).filter(lambda name: name not in _WORDS)


def tuples(items: Strategy[_T], least: int = 0, most: int = 3) -> Strategy[tuple[_T, ...]]:
    """Tuples of up to `most` items."""
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def comments() -> Strategy[tuple[str, ...]]:
    """Comment lines as the parser stores them."""
    text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20).map(
        str.strip
    )
    return tuples(text.filter(lambda line: line != GENERATED_COMMENT), most=2)


def primitives() -> Strategy[types.Type]:
    """The eight types without parts."""
    return st.sampled_from([cls() for cls in types.PRIMITIVES.values()])


def refs(arguments: Strategy[types.Type] | None = None) -> Strategy[types.Ref]:
    """References, qualified or not."""
    given = st.just(()) if arguments is None else tuples(arguments, most=2)
    return st.builds(types.Ref, st.just("") | identifiers(), identifiers(), given)


def bases() -> Strategy[types.Type]:
    """Types as they stand inside others in text: no optional below the top."""

    def extend(inner: Strategy[types.Type]) -> Strategy[types.Type]:
        return st.builds(types.Array, inner) | st.builds(types.Map, inner, inner) | refs(inner)

    return st.recursive(primitives() | refs(), extend, max_leaves=4)


def field_types() -> Strategy[types.Type]:
    """Types as they stand in a field."""
    return bases().flatmap(lambda base: st.sampled_from([base, types.Optional(base)]))


def ingress() -> Strategy[metadata.MetadataIngress]:
    """HTTP routes and WebSockets."""
    literal = st.builds(metadata.IngressPathLiteral, st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True))
    part = literal | st.builds(metadata.IngressPathParameter, identifiers())
    method = st.sampled_from(["GET", "POST", "PUT", "DELETE"])
    http = st.builds(metadata.MetadataIngress, st.sampled_from(["http", ""]), method, tuples(part))
    return http | st.builds(metadata.MetadataIngress, st.just("websocket"), st.just("GET"), tuples(part))


def headers() -> Strategy[metadata.MetadataHeaders]:
    """Headers of at least one side."""
    names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
    none = st.just(())
    some = tuples(names, least=1)
    one = st.builds(metadata.MetadataHeaders, some, none) | st.builds(metadata.MetadataHeaders, none, some)
    return one | st.builds(metadata.MetadataHeaders, some, some)


def retries() -> Strategy[metadata.MetadataRetry]:
    """Retries whose maximum stands only beside a minimum, as text has it."""
    count = st.none() | st.integers(0, 99)
    catch = st.none() | refs()
    backoff = st.sampled_from(["1s", "2s", "1m30s", "1d2h"])
    short = st.builds(metadata.MetadataRetry, count, catch=catch)
    return short | st.builds(metadata.MetadataRetry, count, backoff, st.just("") | backoff, catch)


def sql() -> Strategy[metadata.Metadata]:
    """Queries, columns and migrations."""
    query = st.builds(metadata.MetadataSQLQuery, identifiers(), st.text(max_size=20))
    column = st.builds(metadata.MetadataSQLColumn, identifiers() | st.text(max_size=8), identifiers())
    return query | column | st.builds(metadata.MetadataSQLMigration, _DIGITS)


def verb_metadata() -> Strategy[metadata.Metadata]:
    """Every kind of metadata whose text can be read again."""
    some = tuples(refs(field_types()), least=1, most=6)
    lists = [metadata.MetadataCalls, metadata.MetadataConfig, metadata.MetadataSecrets, metadata.MetadataDatabases]
    offset = st.sampled_from([metadata.FromOffset.BEGINNING, metadata.FromOffset.LATEST])
    # Git and egress texts print raw: a quote would end them and a line break would be indented.
    plain = st.text(st.characters(codec="utf-8", exclude_characters='"\\\n'), max_size=10)
    runtimes = st.sampled_from(["go", "kotlin", "java", "python"])
    return st.one_of(
        *(st.builds(cls, some) for cls in lists),
        st.builds(metadata.MetadataPublisher, some),
        ingress(),
        headers(),
        st.builds(
            metadata.MetadataCronJob, st.from_regex(r"[0-9*]+(/[0-9]+)?( [0-9*]+(-[0-9]+)?){0,4}", fullmatch=True)
        ),
        st.builds(metadata.MetadataAlias, st.sampled_from(metadata.AliasKind), st.text(max_size=10)),
        retries(),
        st.builds(metadata.MetadataSubscriber, refs(), offset, st.booleans()),
        st.builds(metadata.MetadataTypeMap, runtimes, st.text(max_size=10)),
        st.builds(metadata.MetadataEncoding, st.just("json"), st.booleans()),
        sql(),
        st.builds(metadata.MetadataPartitions, st.integers(0, 2**63 - 1)),
        st.builds(metadata.MetadataGit, plain, plain, st.booleans()),
        st.builds(metadata.MetadataFixture, st.booleans()),
        st.builds(metadata.MetadataEgress, tuples(plain, least=1, most=1)),
        st.sampled_from([metadata.MetadataGenerated(), metadata.MetadataTransaction()]),
    )


def inline_metadata() -> Strategy[metadata.Metadata]:
    """Metadata that may stand before more text on its line."""
    greedy = metadata.MetadataCronJob | metadata.MetadataIngress
    return verb_metadata().filter(lambda item: not isinstance(item, greedy))


def sides() -> Strategy[types.Type]:
    """What a verb takes or gives: a type, or a stream of one."""
    return field_types() | st.builds(types.Stream, field_types())


def data() -> Strategy[decls.Data]:
    """Records, generic or not."""
    field = st.builds(decls.Field, identifiers(), field_types(), tuples(inline_metadata(), most=2), comments())
    parameters = tuples(st.builds(decls.TypeParameter, identifiers()), most=2)
    visibility = st.sampled_from(Visibility)
    return st.builds(decls.Data, identifiers(), tuples(field), parameters, visibility, _generated(), comments())


def enums() -> Strategy[decls.Enum]:
    """Value and type enums."""
    return (
        _enums(st.builds(types.IntValue, st.integers(0, 2**63 - 1)), types.Int())
        | _enums(st.builds(types.StringValue, st.text(max_size=10)), types.String())
        | _enums(st.builds(types.TypeValue, field_types()), None)
    )


def declarations() -> Strategy[decls.Decl]:
    """Declarations of every kind."""
    visibility = st.sampled_from(Visibility)
    kinds = st.sampled_from(["postgres", "mysql", "duckdb"])
    block = tuples(verb_metadata())
    return st.one_of(
        data(),
        enums(),
        st.builds(decls.TypeAlias, identifiers(), field_types(), visibility, block, comments()),
        st.builds(decls.Verb, identifiers(), sides(), sides(), visibility, block, comments()),
        st.builds(decls.Topic, identifiers(), field_types(), visibility, block, comments()),
        st.builds(decls.Database, identifiers(), kinds, block, comments()),
        st.builds(decls.Config, identifiers(), field_types(), comments()),
        st.builds(decls.Secret, identifiers(), field_types(), comments()),
    )


def modules(body: Strategy[decls.Decl] | None = None) -> Strategy[decls.Module]:
    """Modules."""
    git = tuples(st.builds(metadata.MetadataGit, st.just("r"), st.just("c"), st.booleans()), most=1)
    shown = st.builds(lambda first, more: (*first, *more), git, tuples(headers(), most=1))
    return st.builds(
        decls.Module, identifiers(), tuples(body or declarations(), most=4), shown, comments(), st.booleans()
    )


def schemas() -> Strategy[decls.Schema]:
    """Schemas whose text can be read again."""
    realm = st.builds(decls.Realm, identifiers(), tuples(modules()), st.booleans(), tuples(headers(), most=1))
    return st.builds(decls.Schema, tuples(realm))


def runtimes() -> Strategy[rt.ModuleRuntime]:
    """What a running system adds to a module."""
    times = st.none() | st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9)
    text = st.none() | st.text(max_size=5)
    state = st.sampled_from(rt.DeploymentState)
    return st.builds(
        rt.ModuleRuntime,
        st.builds(rt.ModuleRuntimeBase, st.text(max_size=5), times, text, text, text),
        _maybe(st.builds, rt.ModuleRuntimeScaling, st.integers(-5, 5)),
        _maybe(st.builds, rt.ModuleRuntimeDeployment, st.text(max_size=5), times, times, state),
        _maybe(st.builds, rt.ModuleRuntimeRunner, st.text(max_size=5), st.booleans()),
        _maybe(st.builds, rt.ModuleRuntimeImage, st.text(max_size=5)),
    )


def everything() -> Strategy[decls.Module]:
    """Modules with runtime nodes, artefacts, inline declarations and nested optionals: only protobuf holds them all."""
    artefact = st.builds(metadata.MetadataArtefact, st.text(max_size=5), _DIGITS, st.booleans())
    image = st.builds(metadata.MetadataImage, st.text(max_size=5), _DIGITS)
    nested = st.builds(types.Array, st.builds(types.Optional, bases()) | data() | enums())
    verb = st.builds(decls.Verb, identifiers(), nested, nested, runtime=st.none() | _verb_runtimes())
    topic = st.builds(
        decls.Topic, identifiers(), nested, runtime=st.none() | st.builds(rt.TopicRuntime, tuples(identifiers()))
    )
    database = st.builds(decls.Database, identifiers(), st.just("mysql"), runtime=st.none() | _database_runtimes())
    body = tuples(declarations() | verb | topic | database, most=4)
    return st.builds(decls.Module, identifiers(), body, tuples(artefact | image), runtime=st.none() | runtimes())


def _verb_runtimes() -> Strategy[rt.VerbRuntime]:
    connector = st.none() | st.builds(rt.PlaintextKafkaSubscriptionConnector, tuples(identifiers()))
    egress = st.builds(rt.EgressRuntime, tuples(st.builds(rt.EgressTarget, identifiers(), identifiers())))
    return st.builds(rt.VerbRuntime, connector, st.none() | egress)


def _database_runtimes() -> Strategy[rt.DatabaseRuntime]:
    connector = st.one_of(
        st.builds(rt.DSNDatabaseConnector, identifiers(), identifiers()),
        st.builds(rt.AWSIAMAuthDatabaseConnector, identifiers(), identifiers(), identifiers()),
        st.builds(rt.YAMLFileCredentialsConnector, identifiers(), identifiers()),
    )
    return st.builds(rt.DatabaseRuntime, st.none() | st.builds(rt.DatabaseRuntimeConnections, connector, connector))


def _enums(value: Strategy[types.Value], of: types.Type | None) -> Strategy[decls.Enum]:
    variant = st.builds(decls.EnumVariant, identifiers(), value, comments())
    return st.builds(decls.Enum, identifiers(), tuples(variant), st.just(of), st.sampled_from(Visibility), comments())


def _generated() -> Strategy[tuple[metadata.Metadata, ...]]:
    return st.sampled_from([(), (metadata.MetadataGenerated(),)])


def _maybe(build: Callable[..., Strategy[_T]], *arguments: object) -> Strategy[_T | None]:
    return st.none() | build(*arguments)


# --- values ---


def json_values(schema: decls.Schema, asked: types.Type) -> Strategy[object]:
    """JSON-able values of a type of a validated schema, as the codecs write them."""
    known = {
        types.RefKey(module.name, decl.name): decl
        for realm in with_builtins(schema).realms
        for module in realm.modules
        for decl in module.decls
    }
    return _values(known, asked)


_Known = dict[types.RefKey, decls.Decl]
_LEAVES: dict[type, Strategy[object]] = {
    types.Int: st.integers(-(2**63), 2**63 - 1),
    types.Float: st.floats(allow_nan=False, allow_infinity=False),
    types.String: st.text(max_size=10),
    types.Bytes: st.binary(max_size=10).map(lambda raw: b64encode(raw).decode()),
    types.Bool: st.booleans(),
    types.Time: st.datetimes().map(lambda when: f"{when.isoformat()}Z"),
    types.Any: st.none() | st.integers() | st.text(max_size=5) | st.just({"a": [1]}),
    types.Unit: st.just({}),
}


def _values(known: _Known, asked: types.Type) -> Strategy[object]:
    match asked:
        case types.Array(element):
            return st.lists(_values(known, element), max_size=3)
        case types.Map(key, value):
            return st.dictionaries(_values(known, key).map(_key_text), _values(known, value), max_size=3)
        case types.Optional(inner):
            return st.none() | st.deferred(lambda: _values(known, inner))
        case types.Ref():
            return _values_of(known, known[asked.key], asked.type_parameters)
    return _LEAVES[type(asked)]


def _key_text(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _values_of(known: _Known, decl: decls.Decl, arguments: tuple[types.Type, ...]) -> Strategy[object]:
    if isinstance(decl, decls.Data):
        fields = instantiate(decl, arguments).fields
        return st.fixed_dictionaries({field.name: _values(known, field.type) for field in fields})
    if isinstance(decl, decls.TypeAlias):
        return _values(known, decl.type)
    assert isinstance(decl, decls.Enum), f"{decl.name} has no values"
    return st.one_of([_variant_values(known, variant) for variant in decl.variants])


def _variant_values(known: _Known, variant: decls.EnumVariant) -> Strategy[object]:
    if isinstance(variant.value, types.TypeValue):
        return _values(known, variant.value.value).map(lambda value: {"name": variant.name, "value": value})
    return st.just(variant.value.value)
