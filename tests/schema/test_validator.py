"""A validator that keeps what it knows finds what the whole validation finds."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ftl_nb import schema
from ftl_nb.schema import testkit

MODULES = ("a", "b", "c", "Empty")
NAMES = ("A", "B", "a", "t", "Empty")
types = st.builds(schema.Ref, st.sampled_from(["", "builtin", "gone", *MODULES]), st.sampled_from(NAMES)) | st.just(
    schema.Int()
)
refs = testkit.tuples(st.builds(schema.Ref, st.sampled_from(MODULES), st.sampled_from(NAMES)), least=1)
names = st.sampled_from(NAMES)
level = st.sampled_from(schema.Visibility)
metadata = st.one_of(
    st.builds(schema.MetadataCalls, refs),
    st.builds(schema.MetadataDatabases, refs),
    st.just(schema.MetadataSQLQuery("one", "SELECT 1")),
    st.just(schema.MetadataTransaction()),
    st.builds(
        schema.MetadataSubscriber,
        st.builds(schema.Ref, st.sampled_from(MODULES), st.just("t")),
        st.just(schema.FromOffset.LATEST),
        st.booleans(),
    ),
    st.builds(schema.MetadataIngress, st.just("http"), st.just("GET"), st.just((schema.IngressPathLiteral("a"),))),
)
decls = st.one_of(
    st.builds(schema.Data, names, testkit.tuples(st.builds(schema.Field, names, types)), visibility=level),
    st.builds(schema.TypeAlias, names, types, level),
    st.builds(schema.Verb, names, types, types, level, testkit.tuples(metadata)),
    st.builds(schema.Topic, names, types, level),
    st.builds(schema.Enum, names, st.just((schema.EnumVariant("V", schema.IntValue(1)),)), types, level),
    st.builds(schema.Database, names, st.just("mysql")),
)
positions = st.builds(schema.Position, st.just(""), st.integers(1, 9), st.integers(1, 9))


@st.composite
def modules(draw: st.DrawFn, name: str) -> schema.Module:
    body = tuple(replace(decl, pos=draw(positions)) for decl in draw(testkit.tuples(decls, most=4)))
    return schema.Module(name, body, pos=draw(positions))


@st.composite
def histories(draw: st.DrawFn) -> list[schema.Schema]:
    """A schema, and what becomes of it while its modules are replaced, added, removed and named twice."""
    now = [draw(modules(name)) for name in draw(st.lists(st.sampled_from(MODULES), min_size=1, max_size=4))]
    found = [schema.Schema((schema.Realm("r", tuple(now)),))]
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(now) - 1))
        now[index] = draw(modules(draw(st.sampled_from([now[index].name] * 4 + [*MODULES]))))
        found.append(schema.Schema((schema.Realm("r", tuple(now)),)))
    return found


@given(histories())
def test_keeping_changes_no_result(history: list[schema.Schema]) -> None:
    validator = schema.Validator()
    for version in history:
        kept, whole = validator.validate(version), schema.validate(version)
        assert kept.problems == whole.problems
        assert str(kept.schema) == str(whole.schema)
        assert kept.schema == whole.schema


TEXT = """realm r {
  module a { export data A { x Int } }
  module b { verb v(a.A) Unit }
  module c { export data C { x Int } }
}"""


def test_modules_that_did_not_ask_are_kept() -> None:
    validator, before = schema.Validator(), schema.parse(TEXT)
    first = validator.validate(before)
    realm = before.realms[0]
    hidden = schema.parse_module("module a { data A { x Int } }")
    second = validator.validate(schema.Schema((replace(realm, modules=(hidden, *realm.modules[1:])),)))
    assert [str(problem) for problem in second.problems] == ['3:21: data "a.A" must be exported']
    assert second.schema.realms[0].modules[2:] == first.schema.realms[0].modules[2:]
    same = zip(second.schema.realms[0].modules[2:], first.schema.realms[0].modules[2:], strict=True)
    assert all(one is other for one, other in same)


def test_one_module_of_a_schema() -> None:
    validator, system = schema.Validator(), schema.parse(TEXT)
    validator.validate(system)
    module = schema.parse_module("module d { data D { y gone.X } }")
    assert validator.validate(system, module) == schema.validate(system, module)
    assert validator.validate(system) == schema.validate(system)
