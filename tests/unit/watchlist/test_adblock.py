"""Filter lists of ad blockers."""

import pytest

from sensor.watchlist.adblock import convert
from tests.unit.watchlist.converted import rows

SAMPLE = b"""[Adblock Plus 2.0]
! Title: malware
####### a comment, too
||bad.example.com^
@@||good.example.com^
||evil.example.net^$important
||203.0.113.9^$all
"""


def test_whole_names_are_taken_with_what_lies_below_them() -> None:
    conversion = convert(SAMPLE)
    assert rows(conversion) == [
        {"type": "suffix", "indicator": "bad.example.com", "action": "alert", "at": "4:1"},
        {"type": "suffix", "indicator": "good.example.com", "action": "allow", "at": "5:1"},
        {"type": "suffix", "indicator": "evil.example.net", "action": "alert", "at": "6:1"},
        {"type": "ip", "indicator": "203.0.113.9", "action": "alert", "at": "7:1"},
    ]
    assert conversion.refused == []


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("||bad.example.com^$third-party", "options narrow the rule; only a whole name can be taken"),
        ("||bad.example.com^$important,script", "options narrow the rule; only a whole name can be taken"),
        ("||bad.example.com/path", "only rules of the form ||name^ are taken"),
        ("||bad.*.com^", "only rules of the form ||name^ are taken"),
        ("|https://bad.example.com/", "only rules of the form ||name^ are taken"),
        ("/ads[0-9]+/", "only rules of the form ||name^ are taken"),
        ("bad.example.com", "only rules of the form ||name^ are taken"),
        ("example.com##.ad", "a rule about parts of pages"),
        ("##.ad", "a rule about parts of pages"),
        ("#@#.ad", "a rule about parts of pages"),
        ("example.com#?#div:has(.ad)", "a rule about parts of pages"),
    ],
)
def test_everything_else_is_refused(rule: str, reason: str) -> None:
    conversion = convert(rule.encode())
    assert rows(conversion) == []
    assert conversion.refused == [(1, 1, reason)]
