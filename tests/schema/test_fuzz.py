"""Damaged texts, JSON bodies and messages: never anything but the named error, and never for long.

`FTL_FUZZ` is how many inputs are made of all three kinds together, `FTL_FUZZ_SEED` where they begin; `make fuzz` asks
for many. A failure names the seed of its input, which alone brings it back.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest

from ftl_nb import schema
from ftl_nb.schema import json as codecs
from schema.records import Pet

T = TypeVar("T")
RUNS = int(os.environ.get("FTL_FUZZ", "1500")) // 3
SEED = int(os.environ.get("FTL_FUZZ_SEED", "1"))
#: Seconds that one input may take: far more than any needs on a busy machine.
LONG = 10
TEXTS = [
    case["text"]
    for file in sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
    for case in map(json.loads, file.read_text().splitlines())
]
TOKENS = [
    *'{}[]()<>:?.,+="/\\\n\t\r \x00é😀\udc80',
    *("realm ", "module ", "data ", "enum ", "verb ", "export ", "stream ", "Int", "String?", "[[", "{String: ", "//"),
    *("+calls ", "+cron ", "+ingress http GET /", "+retry 1 1s ", "+subscribe ", "1" * 30, "a" * 64, "null", "1e999"),
    *("-0", "true", '{"', '":', "NaN", "\\u", "\\ud800", "2020-01-01T00:00:00Z"),
]


class Color(StrEnum):
    RED = "red"


@dataclass
class Line:
    sku: str
    price: float = 1.5
    at: datetime | None = None


@dataclass
class Order:
    id: int
    data: bytes
    lines: list[Line] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    color: Color = Color.RED
    pet: Pet | None = None
    more: Any = None


BODIES = [
    '{"id": 1, "data": "aGk=", "lines": [{"sku": "tea", "price": 2.5, "at": "2020-01-01T00:00:00.5+01:00"}]}',
    '{"id": -5, "data": "", "counts": {"a": 1}, "color": "red", "pet": {"name": "Cat", "value": {"lives": 9}}}',
    '{"id": 0, "data": "AA==", "more": [null, true, {"x": [1, 2.5, "y"]}]}',
]


READ = "read"


def read_text(text: str) -> str:
    """What the named error says, or that there is none; so do all that are given to `fuzz`."""
    try:
        str(schema.validate(schema.parse(text)).schema)
    except schema.SchemaError as error:
        return str(error)
    return READ


def read_body(text: str) -> str:
    codec = codecs.codec(Order)
    try:
        codec.encode(codec.decode(text.encode("utf-8", "surrogateescape")))
    except codecs.JsonError as error:
        return str(error)
    return READ


def read_message(data: bytes) -> str:
    try:
        node = schema.from_bytes(schema.Schema, data)
        assert schema.from_bytes(schema.Schema, schema.to_bytes(node)) == node
    except schema.SchemaError as error:
        return str(error)
    return READ


def damaged(text: str, rng: random.Random) -> str:
    """A text with a few parts cut, doubled, moved or replaced."""
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.randint(0, len(text)) for _ in range(2))
        end = min(end, start + rng.choice((0, 1, 5, 60)))
        middle = rng.choice(("", rng.choice(TOKENS), text[start:end] * rng.randint(2, 40), text[end : end + 20]))
        text = text[:start] + middle + text[end:]
    return text


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(changed))
        changed[at : at + rng.choice((0, 1, 1, 8))] = rng.randbytes(rng.choice((0, 1, 1, 3)))
    return bytes(changed)


def messages() -> list[bytes]:
    """The messages of all texts that can be read."""
    found = []
    for text in TEXTS:
        try:
            found.append(schema.to_bytes(schema.parse(text)))
        except schema.SchemaError:
            continue
    return found


@contextmanager
def bounded(seed: int) -> Iterator[None]:
    """Fails when the block takes too long."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"input {seed} takes longer than {LONG} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(inputs: list[T], damage: Callable[[T, random.Random], T], read: Callable[[T], str]) -> set[str]:
    """What was said of all inputs."""
    said: set[str] = set()
    for seed in range(SEED, SEED + RUNS):
        rng = random.Random(seed)
        given = damage(rng.choice(inputs), rng)
        try:
            with bounded(seed):
                said.add(read(given))
        except Exception as error:
            error.add_note(f"input {seed}: {given!r:.2000}")
            raise
    return said


def test_texts() -> None:
    said = fuzz(TEXTS, damaged, read_text)
    assert READ in said
    assert len(said) > RUNS / 100
    assert all(said)


def test_bodies() -> None:
    said = fuzz(BODIES, damaged, read_body)
    assert READ in said
    assert len(said) > RUNS / 100
    assert all(said)


def test_messages() -> None:
    said = fuzz(messages(), damaged_bytes, read_message)
    assert said >= {READ, "these bytes are no message Schema"}
    assert all(said)


LONGEST = 10_000_000
NESTED = {"arrays": "[" * 100_000, "objects": '{"id":' * 100_000, "digits": '{"id": ' + "9" * LONGEST + "}"}


@pytest.mark.parametrize("body", NESTED.values(), ids=NESTED)
def test_bombs_of_json_end_in_the_named_error(body: str) -> None:
    with bounded(0), pytest.raises(codecs.JsonError):
        codecs.codec(Order).decode(body.encode())
