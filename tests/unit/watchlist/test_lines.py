"""Lines of a feed and their numbers."""

import pytest

from sensor.watchlist.lines import LONGEST_LINE, is_json, lines_of
from sensor.watchlist.table import Table, line_and_column


def read(text: bytes) -> list[tuple[int, str]]:
    return [(line_and_column(place)[0], line) for place, line in lines_of(text, Table())]


def test_lines_are_numbered_and_trimmed() -> None:
    assert read(b"\xef\xbb\xbfa\r\n\r\n  b \n\t\n# c\nd\t\n") == [(1, "a"), (3, "b"), (5, "# c"), (6, "d\t")]


def test_what_is_not_utf_8_does_not_hold_up_the_others() -> None:
    assert read(b"caf\xe9\nb\n") == [(1, "caf\udce9"), (2, "b")]


def test_a_line_that_is_too_long_is_refused_alone() -> None:
    table = Table()
    text = b"a\n" + b"x" * (LONGEST_LINE + 1) + b"\nb"
    assert [line for _, line in lines_of(text, table)] == ["a", "b"]
    assert table.finish().refused == [(2, 1, f"a line longer than {LONGEST_LINE} characters")]


@pytest.mark.parametrize(
    ("text", "expected"), [(b"\xef\xbb\xbf\n {", True), (b"[1]", True), (b"# [", False), (b"", False)]
)
def test_json_is_known_by_its_first_mark(text: bytes, expected: bool) -> None:
    assert is_json(text) is expected
