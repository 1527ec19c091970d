"""Tables fit 60 to 200 columns, and no word is broken, whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.reporting.tables import drawn

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.%", min_size=1, max_size=24)
CELL = st.lists(WORD, max_size=9).map(" ".join)


@st.composite
def tables(draw):
    columns = draw(
        st.lists(st.lists(WORD, min_size=1, max_size=2).map(" ".join), min_size=1, max_size=10)
    )
    rows = draw(st.lists(st.tuples(*[CELL] * len(columns)), max_size=5))
    return columns, rows, draw(st.integers(60, 200))


@settings(max_examples=60, deadline=None)
@given(tables())
def test_no_word_is_broken_and_no_line_too_long(table):
    columns, rows, width = table
    text = drawn("title", columns, rows, [False] * len(columns), width, colour=False)
    assert max(map(len, text.splitlines())) <= width
    found = text.split()
    for row in rows:
        for cell in row:
            for word in cell.split():
                assert word in found


def test_a_table_without_room_is_a_list():
    columns = [f"column{k}" for k in range(9)]
    rows = [[f"a-long-word-{k}" for k in range(9)]]
    text = drawn("many", columns, rows, [False] * 9, 60, colour=False)
    assert "  column0" in text
    assert "a-long-word-8" in text
    assert max(map(len, text.splitlines())) <= 60
    assert "────" in drawn("many", columns, rows, [False] * 9, 200, colour=False)
