from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.compiler.positions import Edit, EditedText

LINE = "0123456789"


@st.composite
def edits(draw: st.DrawFn) -> list[Edit]:
    """Edits of one line that do not overlap."""
    bounds = sorted(draw(st.sets(st.integers(0, len(LINE)), max_size=6)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    return [Edit(1, start, draw(st.integers(0, end - start)), draw(st.text("abc", max_size=4))) for start, end in pairs]


@given(edits())
def test_every_character_that_is_kept_leads_back_to_its_column(made: list[Edit]) -> None:
    edited = EditedText()
    edited.add("ours")
    edited.add_line("<shop/c>", 7, LINE, made)
    origin = edited.origin(1)
    assert origin is not None
    assert (origin.filename, origin.line) == ("<shop/c>", 7)
    for column, character in enumerate(edited.lines[1]):
        if character.isdigit():
            assert origin.column(column) == int(character)
        else:
            assert any(edit.column == origin.column(column) for edit in made)


def test_lines_of_ours_have_no_origin() -> None:
    edited = EditedText()
    edited.add("ours")
    assert edited.origin(0) is None
    assert edited.origin(5) is None
    assert edited.text == "ours\n"
