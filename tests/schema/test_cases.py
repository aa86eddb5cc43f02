"""Texts, and what the public system prints for them: one file a group of rules in `cases/`, one case a line.

A case has an `entry` point (`schema`, `module`, `type`, `ref`, or `add`: a `module` put into a schema), its `text`,
and either `problems` or the text `printed` (without the builtin module, unless it says `builtin`).
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ftl_nb import schema
from ftl_nb.schema import rules

FILES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
CASES = [
    pytest.param(json.loads(line), id=f"{file.stem}-{number}")
    for file in FILES
    for number, line in enumerate(file.read_text().splitlines(), 1)
]


@pytest.mark.parametrize("case", CASES)
def test_a_text_gives_the_public_result(case: dict[str, Any]) -> None:
    try:
        printed, problems = outcome(case)
    except schema.SchemaError as error:
        printed, problems = "", error.problems
    assert [str(problem) for problem in problems] == case.get("problems", [])
    assert "printed" not in case or printed == case["printed"]


def outcome(case: dict[str, Any]) -> tuple[str, tuple[schema.Problem, ...]]:
    text, file = case["text"], case.get("file", "")
    match case["entry"]:
        case "type":
            return str(schema.parse_type(text, file)), ()
        case "ref":
            return str(schema.parse_ref(text, file)), ()
        case "module":
            alone = schema.validate_module(schema.parse_module(text, file))
            return str(alone.module), alone.problems
    given = schema.parse_module(case["module"]) if "module" in case else None
    whole = schema.validate(schema.parse(text, file), given)
    return str(whole.schema if case.get("builtin") else without_builtin(whole.schema)), whole.problems


def without_builtin(system: schema.Schema) -> schema.Schema:
    realms = (
        replace(realm, modules=tuple(module for module in realm.modules if not module.builtin))
        for realm in system.realms
    )
    return schema.Schema(tuple(realms))


def test_every_rule_says_itself_once() -> None:
    said = [rule.says for rule in (*schema.RULES, *schema.ITEM_RULES)]
    assert len(said) == len(set(said))
    assert all(text.endswith(".") for text in said)


def test_rules_with_a_bad_example_report_their_number() -> None:
    shown = {problem.rule for param in CASES for problem in problems_of(param.values[0])}
    numbers = {rule.number for rule in (*schema.RULES, *schema.ITEM_RULES)}
    # These cannot be broken in text: names that are no identifiers, negative numbers and streams elsewhere.
    assert (numbers | set(rules.WHOLE)) - shown == {"R005", "R028", "R030", "R066", "X001"}
    assert not set(rules.NEVER) & shown


def problems_of(case: Any) -> tuple[schema.Problem, ...]:
    try:
        return outcome(case)[1]
    except schema.SchemaError:
        return ()


BUILT = [
    (schema.Data("my-cup"), ['data name "my-cup" is invalid']),
    (schema.Config("a-b", schema.Int()), ['config name "a-b" is invalid', 'invalid config name "a-b"']),
    (schema.Secret("", schema.Int()), ['secret name "" is invalid', "secret name cannot be empty"]),
]


@pytest.mark.parametrize(("decl", "messages"), BUILT)
def test_what_only_code_can_build(decl: schema.Decl, messages: list[str]) -> None:
    module = schema.Module("shop", (decl,))
    found = schema.validate(schema.Schema((schema.Realm("acme", (module,)),)))
    assert [str(problem) for problem in found.problems] == messages


def test_a_negative_retry_count() -> None:
    items = (
        schema.MetadataSubscriber(schema.Ref("shop", "t"), schema.FromOffset.LATEST),
        schema.MetadataRetry(-1, "1s"),
    )
    topic = schema.Topic("t", schema.Int())
    module = schema.Module("shop", (topic, schema.Verb("on", schema.Int(), schema.Unit(), metadata=items)))
    assert [str(problem) for problem in schema.validate_module(module).problems] == ["retry count can not be negative"]


def test_check_raises_every_problem() -> None:
    bad = schema.parse("realm acme { module func { data Time {} } }")
    with pytest.raises(schema.SchemaError) as caught:
        schema.validate(bad).check()
    assert [problem.rule for problem in caught.value.problems] == ["R001", "R003"]


LOOPS = [
    "typealias A shop.B typealias B shop.A enum E: shop.A { X = 1 }",
    "database mysql d verb a(Unit) Unit +database uses shop.d +calls shop.b +transaction verb b(Unit) Unit +calls a",
]


@pytest.mark.parametrize("decls", LOOPS)
def test_loops_end(decls: str) -> None:
    found = schema.validate(schema.parse(f"realm acme {{ module shop {{ {decls} }} }}"))
    assert all(problem.rule == "R020" for problem in found.problems)
