from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.alerts.text import clock, counted, endpoint, escape, pace, size, span, stamp, utc_stamp
from tests.unit.samples import START


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("Emotet C2", "Emotet C2"),
        ("Zeile\nzwei\r\t", "Zeile\\x0azwei\\x0d\\x09"),
        ("\x1b[31mrot\x07\x9b", "\\x1b[31mrot\\x07\\x9b"),
        ("exe.\u202egnp", "exe.\\u202egnp"),
        ("a\u2028b\u200bc\ufeff", "a\\u2028b\\u200bc\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("C:\\x0a", "C:\\x5cx0a"),
        ("a  OPEN   b", "a \\x20OPEN \\x20 b"),
        ("钓鱼邮件 äß", "钓鱼邮件 äß"),
        ("", ""),
    ],
)
def test_escape(raw: str, escaped: str) -> None:
    assert escape(raw) == escaped


texts = st.text(st.sampled_from("ab \\x20\n\x1b\u202e\U000e0041"))


@given(texts, texts)
def test_escaped_text_is_one_printable_piece_and_distinct_texts_stay_distinct(one: Any, other: Any) -> None:
    assert escape(one).isprintable()
    assert "  " not in escape(one)
    assert (escape(one) == escape(other)) == (one == other)


def test_escape_cuts_long_text() -> None:
    assert len(escape("x" * 5000)) == 200
    assert escape("x" * 5000).endswith("…")


@pytest.mark.parametrize(
    ("count_bytes", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_949, "9.9 kB"), (9_960, "10 kB"), (48_004, "48 kB"),
        (999_499, "999 kB"), (999_500, "1.0 MB"), (1_200_001, "1.2 MB"), (5_300_000_000, "5.3 GB"), (10**18, "1000 PB"),
    ],
)  # fmt: skip
def test_size(count_bytes: int, text: str) -> None:
    assert size(count_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (4627, "1 h 17 min"),
        (86_400, "1 d"), (86_400 * 2 + 3 * 3600, "2 d 3 h"),
    ],
)  # fmt: skip
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "60 s"), (119.4, "119 s"), (600, "10 min"), (3600, "60 min"), (31 * 3600, "31 h"), (5 * 86_400, "5 d")],
)
def test_pace(seconds: float, text: str) -> None:
    assert pace(seconds) == text


def test_numbers_with_nouns() -> None:
    assert counted(1, "packet") == "1 packet"
    assert counted(12_331, "packet") == "12,331 packets"
    assert endpoint("2001:db8::1", 443) == "[2001:db8::1]:443"
    assert endpoint("2001:db8::1", None) == "2001:db8::1"


def test_times_are_local_with_offset_for_people_and_utc_for_machines() -> None:
    assert stamp(START) == "2026-11-22T09:14:03.412+0800"
    assert clock(START) == "09:14:03"
    assert utc_stamp(START + 456_789) == "2026-11-22T01:14:03.412456+0000"
