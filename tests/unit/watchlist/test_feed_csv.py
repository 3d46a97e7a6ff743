"""CSV as abuse.ch writes it."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.watchlist.feed_csv import CsvFeed, split, without_none
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
