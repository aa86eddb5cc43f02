"""What a cell that fails shows in a front end: one error of ours and no Python traceback of ours."""

from __future__ import annotations

import pytest

from notebooks.kernel import Answer, Kernel

EXPLODE = """%%ftl_verb --module shop
def explode(order: Order) -> int:
    shelves = {"tea": 1}
    return shelves[order.sku]
"""
CALLS = {
    "a call": "explode(Order('coffee', 1))",
    "an awaited call": "await explode.aio(Order('coffee', 1))",
    "a call in a function": "def ask():\n    return explode(Order('coffee', 1))\n\nask()",
    "a call by name": '%ftl call shop.explode {"sku": "coffee", "quantity": 1}',
}


@pytest.fixture(scope="module")
def exploding(kernel: Kernel) -> Kernel:
    assert kernel.run(EXPLODE).error == ""
    return kernel


def nothing_of_ours(answer: Answer) -> None:
    assert "/ftl_nb/" not in answer.traceback
    assert ".py" not in answer.traceback


def test_a_refused_cell_shows_code_sentence_place_caret_and_hint(kernel: Kernel) -> None:
    answer = kernel.run("%%ftl_verb --module shop\ndef broken(order: Order) -> int:\n    return order.sku + 'x'\n")
    assert answer.error == "FtlError"
    assert answer.value.startswith("FTL-T210: ")
    lines = answer.traceback.split("\n")
    assert lines[0].startswith("FTL-T210: ")
    assert lines[1] == "  at <shop/broken>:3:12"
    assert lines[3].index("^") == lines[2].index("order.sku")
    assert lines[4].startswith("  hint: ")
    nothing_of_ours(answer)


def test_a_syntax_error_in_a_cell_is_placed(kernel: Kernel) -> None:
    answer = kernel.run("%%ftl_verb --module shop\ndef broken(order: Order) -> int\n    return 1\n")
    assert answer.error == "FtlError"
    assert "at <shop/verb>:2:" in answer.traceback
    nothing_of_ours(answer)


@pytest.mark.parametrize("call", CALLS)
def test_what_a_verb_raised_shows_the_lines_of_its_cell(exploding: Kernel, call: str) -> None:
    answer = exploding.run(CALLS[call])
    assert answer.error == "VerbError"
    assert "KeyError: 'coffee'" in answer.traceback
    assert "<shop/explode>" in answer.traceback
    assert "return shelves[order.sku]" in answer.traceback
    nothing_of_ours(answer)


WRONG_LINES = [
    "%ftl nothing",
    "%ftl call shop.explode {nope",
    "%ftl call shop.nothing {}",
    "%ftl trace --bogus",
    "%%ftl_verb --exp\nx",
]


SERVE = """import ftl_nb as ftl
ftl.module("cafe")
from ftl_nb.modules import shop

@ftl.verb
def serve(n: int) -> int:
    return shop.refund(shop.Order("tea", n))
"""


def test_a_verb_taken_from_another_module_is_refused_at_the_callers_line(kernel: Kernel) -> None:
    refund = EXPLODE.replace("%%ftl_verb", "%%ftl_verb --export").replace("explode", "refund")
    assert [kernel.run(refund, "r").error, kernel.run(SERVE, "s").error] == ["", ""]
    answer = kernel.run(refund.replace("refund", "give_back"), "r")
    assert answer.value.startswith("FTL-D403: verb shop.refund removed breaks cafe.serve")
    assert "  at <cafe/module>:7:12" in answer.traceback
    plan = kernel.run("%ftl plan").result
    assert "- verb refund" in plan
    assert "pending: shop" in plan


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_line_that_is_wrong_is_one_error(exploding: Kernel, line: str) -> None:
    answer = exploding.run(line)
    assert answer.error == "FtlError"
    assert answer.value.startswith("FTL-")
    nothing_of_ours(answer)


def test_an_ordinary_error_keeps_its_traceback(kernel: Kernel) -> None:
    answer = kernel.run("1 / 0")
    assert answer.error == "ZeroDivisionError"
    assert "Traceback (most recent call last)" in answer.traceback
