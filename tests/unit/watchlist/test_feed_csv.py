"""CSV as abuse.ch writes it."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.watchlist.feed_csv import CsvFeed, split, split_rows, without_none
from sensor.watchlist.table import Table, line_and_column

FEED = CsvFeed("the feed", wanted=("b", "z", "a"), required=frozenset({"a", "b"}))
WITHOUT_HEADER = CsvFeed("the feed", wanted=("b", "a"), required=frozenset({"a", "b"}), usual_header=("a", "b", "c"))


def read(feed: CsvFeed, text: str) -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int, int, str]]]:
    table = Table()
    found = [(line_and_column(place)[0], cells) for place, cells in feed.rows(text.encode(), table)]
    return found, table.finish().refused


@pytest.mark.parametrize("header", ["a,b,c", '"A", "B", "C"', '# "a","b","c"', "#a,b,c"])
def test_columns_are_found_by_their_names(header: str) -> None:
    assert read(FEED, f'# the feed\n{header}\n"1", "2", "3"\n# end\n4,5,6\n') == (
        [(3, ("2", "", "1")), (5, ("5", "", "4"))],
        [],
    )


def test_without_a_header_the_usual_one_counts_where_the_number_of_columns_fits() -> None:
    assert read(WITHOUT_HEADER, "# the feed\n1,2,3\n")[0] == [(2, ("2", "1"))]
    with pytest.raises(ValueError, match=r"is not the header of the feed \(it needs a and b\)"):
        read(WITHOUT_HEADER, "1,2\n")


@pytest.mark.parametrize("text", ["", "# a\n", "1,2,3\n", "<html>\n", '"a,b\n'])
def test_a_file_without_the_header_is_another(text: str) -> None:
    with pytest.raises(ValueError, match="the feed"):
        read(FEED, text)


def test_a_row_that_is_damaged_is_refused_alone() -> None:
    found, refused = read(FEED, 'a,b\n1,2,3\n"1","2\n"1"x,"2"\n5,6\n')
    assert found == [(5, ("6", "", "5"))]
    assert refused == [
        (2, 1, "3 columns where the header has 2"),
        (3, 1, "not CSV: a quote stands wrong or is never closed"),
        (4, 1, "not CSV: a quote stands wrong or is never closed"),
    ]


def test_none_stands_for_nothing() -> None:
    assert without_none(["None", "a", "None of it"]) == ["", "a", "None of it"]
    text = '# the feed\na,b,c\n"None", "None of it", "x"\n'
    assert read(FEED, text)[0] == [(3, ("None of it", "", ""))]
    assert read(WITHOUT_HEADER, text.split("a,b,c\n")[1])[0] == [(1, ("None of it", ""))]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_in_a_long_feed_each_row_keeps_its_line_and_a_damaged_one_is_refused_alone(line_end: str) -> None:
    lines = [f'"{number}","b {number}"' for number in range(2, 20_000)]
    lines[9_000] = '"a","b'
    lines[9_001] = '","d"'
    lines[15_000] = "# a comment"
    found, refused = read(FEED, line_end.join(["a,b", *lines]) + line_end)
    others = [number for number in range(2, 20_000) if number not in {9_002, 9_003, 15_002}]
    assert found == [(number, (f"b {number}", "", str(number))) for number in others]
    assert [line for line, _, _ in refused] == [9_002, 9_003]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [",", ", "])
def test_plain_lines_are_split_at_once(between: str, line_end: str) -> None:
    piece = f'"a"{between}""{line_end}"b"{between}"c,"{line_end}'
    assert split_rows(piece, 2) == ["a", "", "\n", "b", "c,"]


CELLS = st.lists(
    st.sampled_from(['"a"', '""', '","', '", "', '"a', 'b"', '"', "a", '"a""b"', '"\r"']), min_size=1, max_size=3
)
LINES = st.builds(lambda cells, between: between.join(cells), CELLS, st.sampled_from([",", ", "]))


@given(st.lists(LINES, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]), st.integers(1, 3))
def test_many_lines_are_split_as_each_of_them_or_not_at_all(lines: list[str], line_end: str, columns: int) -> None:
    found = split_rows(line_end.join(lines), columns)
    if found is not None:
        assert found == [cell for line in lines for cell in (*split(line), "\n")][:-1]


@given(st.lists(st.text('ab,"# ', max_size=6), min_size=1, max_size=4), st.sampled_from([",", ", "]))
def test_any_quoted_row_is_split_as_the_standard_library_does(cells: list[str], separator: str) -> None:
    line = separator.join('"{}"'.format(cell.replace('"', '""')) for cell in cells)
    assert split(line) == next(csv.reader([line], strict=True, skipinitialspace=True))


@given(st.text('ab,"# \t', max_size=30))
def test_any_line_is_split_as_the_standard_library_does_or_not_at_all(line: str) -> None:
    try:
        expected = next(csv.reader([line], strict=True, skipinitialspace=True), [])
    except csv.Error:
        expected = []
    assert split(line) == expected
