"""Values of every kind, as authors write them."""

from __future__ import annotations

import datetime as dt
from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum, StrEnum
from typing import Generic, NewType, TypeVar

T = TypeVar("T")
K = TypeVar("K")


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Line:
    sku: str
    unit_price: float = 1.5


@dataclass
class Order:
    order_id: str
    lines: list[Line]
    total: float = 0.0
    note: str | None = None


@dataclass
class Cat:
    lives: int


@dataclass
class Dog:
    name: str


Pet = Cat | Dog


@dataclass
class Node:
    value: int
    children: list[Node]
    parent: Node | None = None


@dataclass
class Box(Generic[T]):
    content: T
    spares: list[T] = field(default_factory=list)


@dataclass
class Pair(Generic[K, T]):
    key: K
    box: Box[T]


@dataclass
class Labelled(Box[int]):
    label: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    _: KW_ONLY
    y: int = 2


@dataclass
class Counted:
    text: str
    size: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("text is empty")
        self.size = len(self.text)


@dataclass
class Owner:
    pet: Pet
    by_name: dict[str, Pet]
    spare: Pet | None = None


Sku = NewType("Sku", str)
UTC = dt.UTC
NOON = dt.datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
