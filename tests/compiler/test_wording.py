import pytest

from ftl_nb.compiler.wording import in_the_authors_words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Too many positional arguments to bound method `_PriceOfVerb.__call__`: expected 2, got 4",
            "Too many positional arguments to verb `price_of`: expected 1, got 3",
        ),
        ("Argument to bound method `_Ftl_check_out.aio` is incorrect", "Argument to verb `check_out.aio` is incorrect"),
        ("Argument to bound method `Till.pay` is incorrect", "Argument to bound method `Till.pay` is incorrect"),
        ("Object of type `_GetUserVerb` has no attribute `x`", "Object of type verb `get_user` has no attribute `x`"),
        ("Module `_ftl_shadow.shop` has no member `x`", "Module `ftl_nb.modules.shop` has no member `x`"),
        ("Module `_ftl_view.shop.own` has no member `x`", "Module `ftl_nb.modules.shop` has no member `x`"),
        ("Operator `+` between `Unknown | float` and `str`", "Operator `+` between `float` and `str`"),
        ("Expected `float`\n\ninfo: Non-matching overloads", "Expected `float`"),
    ],
)
def test_generated_names_do_not_reach_the_author(said: str, shown: str) -> None:
    assert in_the_authors_words(said) == shown
