import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftl_nb import schema
from ftl_nb.schema import testkit

ENTRY_POINTS = [schema.parse, schema.parse_module, schema.parse_type, schema.parse_ref]


@settings(max_examples=40, deadline=None)
@given(testkit.schemas())
def test_printed_schemas_are_read_back(node: schema.Schema) -> None:
    text = str(node)
    again = schema.parse(text)
    assert again == node
    assert str(again) == text


@settings(deadline=None)
@given(testkit.field_types())
def test_printed_types_are_read_back(node: schema.Type) -> None:
    assert schema.parse_type(str(node)) == node


@settings(deadline=None)
@given(testkit.refs(testkit.field_types()))
def test_printed_refs_are_read_back(node: schema.Ref) -> None:
    assert schema.parse_ref(str(node)) == node


WORDS = """realm module data verb enum typealias config export external builtin a
B Int Unit String { } ( ) [ ] < > ? . , :
+ = "x" 7 1.5 // calls ingress http GET / cron retry subscribe from latest sql query column"""
GRAMMATICAL = st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40).map(" ".join)


@settings(deadline=None)
@given(st.sampled_from(ENTRY_POINTS), GRAMMATICAL | st.text(max_size=60))
@example(schema.parse, '"' + "\\" * 5000)
@example(schema.parse_type, "[" * 5000)
@example(schema.parse_module, "module m { verb v(" + "{String:" * 3000)
def test_any_text_is_read_or_refused_with_a_place(entry: object, text: str) -> None:
    assert callable(entry)
    refused: schema.SchemaError | None = None
    try:
        entry(text)
    except schema.SchemaError as error:
        refused = error
    assert refused is None or (refused.line >= 1 and refused.column >= 1)


def test_an_error_shows_line_column_expected_and_caret() -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.parse("realm acme {\n  module shop {\n\tdata A { x }\n  }\n}\n", "shop.ftl")
    error = caught.value
    assert (error.line, error.column, error.source_line) == (3, 13, "\tdata A { x }")
    assert error.expected == '<ident> ("<" Type ("," Type)* ">")?'
    assert error.problem.pretty().splitlines()[1:] == ["  \tdata A { x }", "  \t           ^"]


def test_positions_are_those_of_the_first_token() -> None:
    module = schema.parse_module("module a {\n  // About\n  export data A {\n    x [a.B]?\n  }\n}", "a.ftl")
    data = module.decls[0]
    assert isinstance(data, schema.Data)
    optional = data.fields[0].type
    assert isinstance(optional, schema.Optional)
    assert isinstance(optional.type, schema.Array)
    places = [str(node.pos) for node in (data, data.fields[0], optional.type, optional.type.element)]
    assert places == ["a.ftl:2:3", "a.ftl:4:5", "a.ftl:4:7", "a.ftl:4:8"]
    assert not optional.pos


EXTENSIONS = [
    "module shop {\n  database duckdb stock\n}",
    'module shop {\n  typealias Day Any  \n    +typemap python "datetime.date"\n}',
]


@pytest.mark.parametrize("text", EXTENSIONS)
def test_our_own_words(text: str) -> None:
    assert str(schema.parse_module(text)) == text


SQUEEZED = [
    ("verb a(Unit) Unit +cron 0 12h   5  // each day\n", "+cron 0 12h5each day"),
    ("verb a(Unit) Unit +ingress http GET /a/b.c-d/{id}\n ", "+ingress http GET /a/b.c-d/{id}"),
    ("verb a(Unit) Unit +ingress GET /\n ", "+ingress  GET /"),
    ("verb a(Unit) Unit +retry catch m.c\n ", "+retry  catch m.c"),
    ("verb a(Unit) Unit + fixture manual", "+fixture manual"),
    ('database mysql d +sql column d."unit price"', '+sql column d."unit price"'),
    ("verb a(Unit) Unit +calls a.b<Int?>", "+calls a.b<Int?>"),
]


@pytest.mark.parametrize(("decl", "printed"), SQUEEZED)
def test_metadata_quirks(decl: str, printed: str) -> None:
    module = schema.parse_module(f"module m {{ {decl} }}" if "cron" not in decl else f"module m {{ {decl}}}")
    assert printed in str(module)


SEVERAL = """realm acme {
  module shop {
    data A { x }
    // fine
    data B { x Int }

    verb a() Unit
    export verb b(Unit) Unit
      +foo
    data C {
      data Int
      config ->
    }
    data D { x Int }
  }

  module other {
    verb q(Int) -> Int
  }
}
"""


def test_several_faults_of_one_text() -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.parse(SEVERAL, "s.ftl")
    assert [str(problem.pos) for problem in caught.value.problems] == [
        "s.ftl:3:16",
        "s.ftl:7:12",
        "s.ftl:9:8",
        "s.ftl:12:14",
        "s.ftl:18:17",
    ]
    assert [problem.source_line for problem in caught.value.problems][1:3] == ["    verb a() Unit", "      +foo"]
    assert caught.value.problems[1].expected == '<ident> ("<" Type ("," Type)* ">")?'
    assert str(caught.value).count("\n") == 4


def test_a_fault_hides_no_text_behind_it_that_fits() -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.parse("realm r {\n  module m {\n    data A { x }\n    data B { x Int }\n  }\n  module n {}\n}\n")
    assert len(caught.value.problems) == 1
