"""What a digest tells apart, and what it does not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from ftl_nb import schema
from ftl_nb.schema import testkit

TEXT = """
module m {
  +headers request "a"
  config c String
  export data D { x Int }
  verb v(m.D) Unit +calls m.w
  verb w(Unit) Unit
}
"""
SAME = [
    ("config c", "// about\n  config c"),
    ("{ x Int", "{\n // field\n x   Int"),
    ("module m {", "// it\nmodule m {"),
    ('+headers request "a"', '+headers request "a" +git "r" "c"'),
    ("  config c String\n  export data D { x Int }\n", "  export data D { x Int }\n  config c String\n"),
]
OTHER = [
    ("config c", "config k"),
    ("x Int", "x Int?"),
    ("export data", "data"),
    ("+calls m.w", ""),
    ('"a"', '"b"'),
    ("module m", "module n"),
    ("  verb w(Unit) Unit\n", ""),
]


@pytest.mark.parametrize(
    ("old", "new", "same"), [*((*pair, True) for pair in SAME), *((*pair, False) for pair in OTHER)]
)
def test_a_module(old: str, new: str, same: bool) -> None:
    assert old in TEXT
    before, after = (schema.digest(schema.parse_module(text)) for text in (TEXT, TEXT.replace(old, new)))
    assert (before == after) is same


def test_a_digest_stays_what_it_was() -> None:
    assert schema.digest(schema.Config("c", schema.String())) == (
        "132e7f465774d67c54d92f13c070c844d377137607a72f0cdc04169d10c4adaa"
    )


@settings(max_examples=40, deadline=None)
@given(testkit.everything())
def test_runtime_and_positions_take_no_part(module: schema.Module) -> None:
    found = schema.digest(module)
    assert found == schema.digest(replace(module, runtime=None, pos=schema.Position("f", 1, 2)))
    assert found == schema.digest(schema.from_bytes(schema.Module, schema.to_bytes(module)))
