"""Feodo Tracker's CSV becomes the sensor's own, line by line."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.watchlist.detect import detect
from sensor.watchlist.feodo import convert

SAMPLE = b"""\
################################################################
# Feodo Tracker Botnet C2 IP Blocklist (CSV format)            #
# Last updated: 2026-11-21 10:02:12 UTC                        #
################################################################
#
"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
"2021-01-17 07:44:46","203.0.113.32","4643","online","2026-11-21","Dridex"

"2021-01-17 08:44:46","203.0.113.9","443","offline","2026-11-01","Emotet"
# END 2 entries
"""


def rows(text: bytes) -> list[dict[str, str]]:
    """The converted text with its line numbers, as a CSV reader sees it."""
    lines = convert(text).decode().split("\n")
    header = next(line for line in lines if line)
    found = []
    for number, line in enumerate(lines, start=1):
        if line and line != header:
            cells = next(csv.reader([line]))
            found.append({**dict(zip(header.split(","), cells, strict=False)), "line": str(number)})
    return found


def test_an_entry_keeps_its_line_and_what_is_known_of_it() -> None:
    first, second = rows(SAMPLE)
    assert first == {
        "indicator": "203.0.113.32",
        "port": "4643",
        "proto": "tcp",
        "source": "feodotracker",
        "malware": "Dridex",
        "threat_type": "botnet_cc",
        "tags": "online",
        "first_seen": "2021-01-17 07:44:46",
        "last_seen": "2026-11-21",
        "line": "7",
    }
    assert (second["indicator"], second["line"]) == ("203.0.113.9", "9")


def test_there_are_as_many_lines_as_before() -> None:
    assert convert(SAMPLE).count(b"\n") == SAMPLE.count(b"\n")
    assert convert(SAMPLE).split(b"\n")[:5] == [b""] * 5


def test_windows_line_ends_a_mark_and_another_column_order_are_read() -> None:
    text = b"\xef\xbb\xbfdst_port, dst_ip,new\r\n443, 203.0.113.9,x\r\n"
    (row,) = rows(text)
    assert (row["indicator"], row["port"]) == ("203.0.113.9", "443")


@pytest.mark.parametrize("bad", ['"2021","203.0.113.9"', '"2021-01-17 07:44:46","203.0.113.32","46', "<html>"])
def test_a_row_that_cannot_be_read_is_left_for_the_core_to_refuse_in_its_line(bad: str) -> None:
    text = b'"dst_ip","dst_port","malware"\n"203.0.113.9","443","x"\n' + bad.encode() + b"\n"
    good, refused = rows(text)
    assert good["indicator"] == "203.0.113.9"
    assert (refused["indicator"], refused["line"]) == (bad, "3")


@pytest.mark.parametrize("text", [b"", b"# only comments\n", b"203.0.113.9\n", b"<html>\n"])
def test_without_a_header_it_is_no_such_file(text: bytes) -> None:
    with pytest.raises(ValueError, match="Feodo"):
        convert(text)


def test_a_header_alone_is_an_empty_list() -> None:
    assert rows(b'"dst_ip","dst_port"\n') == []


@given(st.binary(max_size=300))
def test_any_bytes_give_as_many_lines_or_a_reason(body: bytes) -> None:
    text = b'"dst_ip","dst_port"\n' + body
    assert convert(text).count(b"\n") == text.count(b"\n")


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (SAMPLE, "feodo"),
        (b"# own\n\nindicator,port\n203.0.113.9,443\n", "csv"),
        (b"\xef\xbb\xbfport,Indicator\n", "csv"),
        (b'"indicator"\n', "csv"),
        (b"203.0.113.9 # indicator\n", "plain"),
        (b"# indicator,port\n203.0.113.9\n", "plain"),
        (b"", "plain"),
        (b"\xff\xfe\x00", "plain"),
    ],
)
def test_the_format_is_known_by_the_first_line_that_says_something(text: bytes, format_: str) -> None:
    assert detect(text) == format_
