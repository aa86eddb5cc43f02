import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftl_nb.schema import names

CAMEL = [
    ("get_user", "getUser"),
    ("UserID", "userId"),
    ("HTTPName", "httpName"),
    ("URLs", "urLs"),
    ("order_id2", "orderId2"),
    ("class_", "class"),
    ("_private_name", "_privateName"),
    ("already", "already"),
    ("x", "x"),
    ("", ""),
    ("sha256_of", "sha256Of"),
    ("größe_von", "größe_von"),
]
SNAKE = [
    ("getUser", "get_user"),
    ("orderId2", "order_id2"),
    ("from", "from_"),
    ("userID", "user_id"),
    ("_privateName", "_private_name"),
    ("x", "x"),
    ("", ""),
]


@pytest.mark.parametrize(("python", "schema"), CAMEL)
def test_camel(python: str, schema: str) -> None:
    assert names.camel(python) == schema


@pytest.mark.parametrize(("schema", "python"), SNAKE)
def test_snake(schema: str, python: str) -> None:
    assert names.snake(schema) == python


@pytest.mark.parametrize(("name", "expected"), [("user_id", "UserId"), ("Order", "Order"), ("httpName", "HttpName")])
def test_pascal(name: str, expected: str) -> None:
    assert names.pascal(name) == expected


python_names = st.from_regex(r"_?[a-z]{2,6}(_[a-z]{2,5}[0-9]{0,2}){0,3}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)


@settings(deadline=None)
@given(python_names)
def test_snake_reverses_camel(name: str) -> None:
    assert names.snake(names.camel(name)) == name


@settings(deadline=None)
@given(python_names)
def test_camel_is_stable(name: str) -> None:
    assert names.camel(names.camel(name)) == names.camel(name)


@pytest.mark.parametrize(("name", "fine"), [("shop", True), ("func", False), ("my-shop", False), ("shop\n", False)])
def test_module_names(name: str, fine: bool) -> None:
    assert names.is_module_name(name) is fine
