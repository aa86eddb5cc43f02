"""Places in long texts."""

import ast
import time

from ftl_nb.compiler.annotations import annotation_places


def test_the_places_of_a_long_cell_take_time_in_proportion_to_it() -> None:
    text = "".join(f"def f{i}(n: int) -> int:\n    return n + {i}\n" for i in range(2000))
    tree, started = ast.parse(text), time.perf_counter()
    places = annotation_places(tree, text, "<shop/long>")
    assert time.perf_counter() - started < 2
    assert places["f1999.n"].source_line == "def f1999(n: int) -> int:"
