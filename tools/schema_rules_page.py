"""Writes docs/schema-rules.md from the rules and their bad examples. With `--check` it only says whether it is fresh.

The bad example of a rule is the shortest text among the cases of the tests that the rule has something to say of.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ftl_nb import schema
from ftl_nb.schema import rules

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "schema-rules.md"
CASES = ROOT / "tests" / "schema" / "cases"

_HEAD = """# The rules of the schema language

`ftl_nb.schema.validate` checks a schema and reports every problem at once, each with the number of its rule as
`Problem.rule`. Numbers with an R are those of the public system's rule table, whose messages these are; numbers with an
X belong to [extensions](schema-extensions.md). Under each rule stand a text that breaks it and what that prints.

This page is made from `ftl_nb/schema/rules/` and the cases in `tests/schema/cases/` by `make docs`.
"""
_NEVER = """## Numbers that are never reported

| rule | why |
|---|---|
"""
_NO_TEXT = "No text can break it, only a schema that was made in code or came as protobuf.\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A text that breaks a rule, and every problem of it as printed."""

    text: str
    printed: tuple[str, ...]


def examples() -> dict[str, Example]:
    """The shortest example of each rule that has one, among whole schemas."""
    found: dict[str, Example] = {}
    for file in sorted(CASES.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if case["entry"] == "schema" and case.get("problems"):
                _offer(found, case["text"])
    return found


def _offer(found: dict[str, Example], text: str) -> None:
    try:
        problems = schema.validate(schema.parse(text)).problems
    except schema.SchemaError:
        return  # a case of the parser
    example = Example(text, tuple(map(str, problems)))
    for rule in {problem.rule for problem in problems}:
        if rule not in found or _size(example) < _size(found[rule]):
            found[rule] = example


def _size(example: Example) -> tuple[int, int]:
    return len(example.printed), len(example.text)


def page() -> str:
    """The whole page."""
    shown = examples()
    says = {number: _says(number) for number in _numbers()}
    sections = (_section(number, says[number], shown.get(number)) for number in sorted(says))
    never = "".join(f"| {number} | {why} |\n" for number, why in sorted(rules.NEVER.items()))
    return "\n".join([_HEAD, *sections, _NEVER + never])


def _numbers() -> set[str]:
    return {rule.number for rule in (*rules.RULES, *rules.ITEM_RULES)} | set(rules.WHOLE)


def _says(number: str) -> str:
    parts = (rule.says for rule in (*rules.RULES, *rules.ITEM_RULES) if rule.number == number)
    return " ".join([rules.WHOLE[number]] if number in rules.WHOLE else list(parts))


def _section(number: str, says: str, example: Example | None) -> str:
    return "\n".join([f"## {number}", "", says, "", *(_shown(example) if example else [_NO_TEXT])])


def _shown(example: Example) -> Iterator[str]:
    yield f"```ftl\n{example.text.rstrip()}\n```"
    yield "```text\n" + "\n".join(example.printed) + "\n```\n"


def main() -> int:
    """0 where the page is fresh, or was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
    if not fresh:
        print(f"{PAGE.name} is not what the rules give: make docs", file=sys.stderr)
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())
