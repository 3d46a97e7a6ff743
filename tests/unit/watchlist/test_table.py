"""Rows on their way to the core, and what must not reach it."""

import pytest

from sensor.watchlist.table import LONGEST_INDICATOR, MOST_REFUSED_TOLD, Table, excerpt, place_at
from tests.unit.watchlist.converted import rows


def test_rows_keep_their_places() -> None:
    table = Table("comment")
    table.add(place_at(7, 1), ("domain", "a.example", ""))
    table.add(place_at(9, 3), ("ip", "203.0.113.9", "why"))
    conversion = table.finish()
    assert conversion.text == b"type,indicator,comment\ndomain,a.example,\nip,203.0.113.9,why\n"
    assert [conversion.source(line) for line in (1, 2, 3, 4)] == [(1, 1), (7, 1), (9, 3), (1, 1)]


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        ('a,b "c"', 'a,b "c"'),
        ('"', '"'),
        ("two\r\nlines\tand more", "two lines and more"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\udcff", "\ufffd"),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_what_a_feed_says_besides_is_made_harmless(comment: str, kept: str) -> None:
    table = Table("tags", "comment")
    table.add(place_at(1, 1), ("", "203.0.113.9", "a,b", comment))
    assert rows(table.finish()) == [{"indicator": "203.0.113.9", "tags": "a,b", "comment": kept, "at": "1:1"}]


@pytest.mark.parametrize("bad", ["a\nb", "a\x1bb", "caf\udce9", "a\u202eb"])
def test_an_indicator_is_not_mended_but_refused(bad: str) -> None:
    table = Table()
    table.add(place_at(3, 1), ("domain", bad))
    conversion = table.finish()
    assert rows(conversion) == []
    ((line, column, reason),) = conversion.refused
    assert (line, column) == (3, 1)
    assert reason.startswith("a character that no indicator has")
    assert reason.isprintable()


def test_an_indicator_has_a_longest() -> None:
    table = Table("comment")
    table.add(place_at(1, 1), ("url", "x" * LONGEST_INDICATOR, "y" * 5000))
    table.add(place_at(2, 1), ("url", "x" * (LONGEST_INDICATOR + 1), ""))
    conversion = table.finish()
    assert len(conversion.text) < LONGEST_INDICATOR + 400
    assert conversion.refused == [(2, 1, "longer than any indicator (8192 characters)")]


def test_an_indicator_cannot_make_its_row_a_comment() -> None:
    table = Table()
    table.add(place_at(1, 1), ("", "#203.0.113.9"))
    assert table.finish().text == b"type,indicator\n,#203.0.113.9\n"


def test_refusals_are_bounded_and_counted() -> None:
    table = Table()
    for line in range(1, MOST_REFUSED_TOLD + 6):
        table.refuse(place_at(line, 1), "no")
    conversion = table.finish()
    assert (len(conversion.refused), conversion.refused_total) == (MOST_REFUSED_TOLD, MOST_REFUSED_TOLD + 5)


def test_more_rows_than_a_chunk_come_out_in_order() -> None:
    table = Table()
    for number in range(10_000):
        table.add(place_at(number + 1, 1), ("domain", f"n{number}.example"))
    assert [row["indicator"] for row in rows(table.finish())] == [f"n{number}.example" for number in range(10_000)]


def test_an_excerpt_is_short_and_harmless() -> None:
    assert excerpt("\x1b]0;x" + "y" * 100) == '"\ufffd]0;x' + "y" * 54 + '…"'
