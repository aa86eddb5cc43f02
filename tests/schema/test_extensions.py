"""The page of extensions says what the language reads and prints."""

import re
from pathlib import Path

import pytest

from ftl_nb import schema

PAGE = Path(__file__).parents[2] / "docs" / "schema-extensions.md"
EXAMPLES = re.findall(r"```ftl\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_binding_21_an_example_prints_as_it_stands(text: str) -> None:
    read = schema.parse if text.startswith("realm") else schema.parse_module
    assert str(read(text)).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("text", EXAMPLES)
def test_binding_21_an_example_is_valid(text: str) -> None:
    realm = text if text.startswith("realm") else f"realm acme {{\n{text}}}"
    assert schema.validate(schema.parse(realm)).problems == ()


WORDS = ("database duckdb", "+typemap python", "stream T", "+headers", "+ingress websocket")


def test_binding_21_every_extension_in_use_is_on_the_page() -> None:
    assert [word for word in WORDS if word not in PAGE.read_text()] == []


WITHOUT = [
    "verb a(stream) Unit",
    "verb a(Unit) stream",
    "verb a(stream) stream\n\n  verb b(Unit) Unit",
    "verb stream(stream.stream) stream.stream<Int>",
    "data headers {\n    stream stream\n  }",
]


@pytest.mark.parametrize("decl", WITHOUT)
def test_a_text_without_extensions_reads_as_before(decl: str) -> None:
    assert str(schema.parse_module(f"module m {{ {decl} }}")) == f"module m {{\n  {decl}\n}}"


def test_a_declaration_behind_the_name_stream_is_a_declaration() -> None:
    module = schema.parse_module("module m { verb a(Unit) stream verb b(Unit) Unit }")
    assert [decl.name for decl in module.decls] == ["a", "b"]
    assert isinstance(module.decls[0], schema.Verb)
    assert module.decls[0].response == schema.Ref("", "stream")


BAD = [
    ("verb a(Unit) Unit +ingress websocket /x\n", "X002", "a websocket needs a stream as request or response"),
    ('verb a(Unit) Unit +headers request "a b"', "X003", 'header name "a b" is invalid'),
    ('topic t Int +headers response "a"', "X004", 'metadata "+headers response \\"a\\"" is only valid on'),
    ('verb a(Unit) Unit +headers request "a" +headers request "b"', "R024", "multiple instances of headers"),
    (
        "verb a(stream builtin.HttpRequest<Unit, Unit, Unit>) builtin.HttpResponse<Unit, Unit> +ingress http GET /\n ",
        "R046",
        "request type stream builtin.HttpRequest<Unit, Unit, Unit> must be builtin.HttpRequest",
    ),
    ("verb a(stream Int) Unit +cron 5m\n   ", "R044", "cron job can not have a request type"),
    ("topic t Int verb a(stream Int) Unit +subscribe m.t from=latest", "R038", "request type stream Int differs"),
    (
        """verb a(builtin.HttpRequest<Unit, Unit, Unit>) builtin.HttpResponse<Unit, Unit> +ingress http GET /x

    verb b(stream Int) Unit
      +ingress websocket /x
  """,
        "R064",
        'duplicate websocket ingress GET /x for 1:25:"a" and 3:5:"b"',
    ),
]


@pytest.mark.parametrize(("decl", "rule", "message"), BAD)
def test_a_bad_extension(decl: str, rule: str, message: str) -> None:
    found = schema.validate(schema.parse(f"realm acme {{ module m {{ {decl} }} }}"))
    assert rule in [problem.rule for problem in found.problems]
    assert message in "\n".join(map(str, found.problems))


def test_headers_of_modules_and_realms_are_checked() -> None:
    twice = '+headers request "a" +headers response " "'
    found = schema.validate(schema.parse(f"realm acme {{ {twice} module m {{ {twice} }} }}"))
    assert [(str(problem.pos), problem.rule) for problem in found.problems] == [
        ("1:35", "X003"),
        ("1:35", "X005"),
        ("1:89", "X003"),
        ("1:89", "X005"),
    ]


def test_a_stream_elsewhere_is_refused() -> None:
    stream = schema.Stream(schema.Int())
    nested = schema.Verb("v", schema.Array(stream), stream)
    topic = schema.Topic("t", stream)
    problems = schema.validate_module(schema.Module("m", (nested, topic))).problems
    assert [problem.rule for problem in problems] == ["X001"]
