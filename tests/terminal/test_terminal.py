"""What commands write: nothing that a terminal obeys, nothing wider than it is."""

import io
import sys

import pytest

from understudy.terminal import (
    coloured,
    cut,
    plain,
    printable,
    shortened,
    table,
    wants_colour,
    width_of,
    width_of_output,
    write,
)


def test_no_line_of_a_table_is_wider_than_asked_for_if_its_texts_can_be_cut() -> None:
    rows = [["日本" * 20, "x" * 50, "1"], ["short", "y", "22"]]
    for width in (20, 40, 80):
        assert max(map(width_of, table(["name", "other", "n"], rows, width, 2))) <= width


def test_columns_of_nothing_are_left_out_unless_all_are_wanted() -> None:
    head, rows = ["name", "seed", "loss"], [["a", "0", "1"], ["b", "0", "2"]]
    assert table(head, rows, 80) == ["name  loss", "a        1", "b        2"]
    assert table(head, rows, 80, shows_all=True)[0] == "name  seed  loss"


def test_a_text_of_a_stranger_does_nothing_to_a_terminal() -> None:
    assert printable("a\x1b]0;title\x07\r\nb\udc80") == r"a\x1b]0;title\x07\r b\udc80"


@pytest.mark.parametrize("width", range(1, 12))
def test_what_is_cut_is_as_wide_as_it_may_be(width: int) -> None:
    for text in ("understudy", "日本日本日本"):
        assert width_of(cut(text, width)) <= width
        assert width_of(shortened(text, width)) <= width


def test_colours_are_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (coloured("x", "red"), coloured("", "red"), plain("x", "red")) == (
        "\x1b[31mx\x1b[0m",
        "",
        "x",
    )
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert [wants_colour(asked) for asked in ("always", "never", "auto")] == [True, False, False]
    assert width_of_output(77) == 77


def test_what_an_output_has_no_sign_for_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write("a▁b\n" + "x" * 100_000)
    assert raw.getvalue().startswith(b"a?b\nxxx")
    assert len(raw.getvalue()) == 100_004
