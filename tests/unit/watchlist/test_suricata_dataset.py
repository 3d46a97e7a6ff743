"""Suricata's datasets."""

import base64

import pytest

from sensor.watchlist.suricata_dataset import convert
from tests.unit.watchlist.converted import indicators, rows


def packed(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("line", "indicator"),
    [
        (packed("bad.example.com"), "bad.example.com"),
        (packed("http://bad.example.com/a,5"), "http://bad.example.com/a,5"),
        (packed("t13d1516h2_8daaf6152771_e5627efa2ab1"), "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        (packed("bad.example.com") + ",60000", "bad.example.com"),
        ("203.0.113.9", "203.0.113.9"),
        ("2001:0db8:0000:0000:0000:0000:0000:0009,5", "2001:0db8:0000:0000:0000:0000:0000:0009"),
        ("bad.example.com", "bad.example.com"),
    ],
)
def test_what_may_be_an_indicator_is_taken(line: str, indicator: str) -> None:
    assert indicators(convert(line.encode())) == [("", indicator)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (packed("a\nb.example"), "neither an indicator nor one in base64"),
        (packed(b"\xff.\xff"), "neither an indicator nor one in base64"),
        ("word", "neither an indicator nor one in base64"),
        (packed("User-Agent"), "neither an indicator nor one in base64"),
        (packed("a\x1b.example"), "neither an indicator nor one in base64"),
        ("d41d8cd98f00b204e9800998ecf8427e", "hashes of files are not matched"),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "hashes of files are not matched"),
    ],
)
def test_other_lines_are_refused(line: str, reason: str) -> None:
    conversion = convert(line.encode())
    assert (rows(conversion), conversion.refused) == ([], [(1, 1, reason)])
