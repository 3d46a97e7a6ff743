"""Suricata's reputation lists."""

import pytest

from sensor.watchlist.suricata_iprep import convert
from tests.unit.watchlist.converted import rows


def test_addresses_and_networks_are_taken_with_their_score() -> None:
    conversion = convert(b"203.0.113.9,1,127\n# comment\n198.51.100.0/24, 3, 64\n2001:db8::9,12,1\n")
    assert rows(conversion) == [
        {
            "type": "ip",
            "indicator": "203.0.113.9",
            "source": "iprep",
            "confidence": "100",
            "tags": "category 1",
            "at": "1:1",
        },
        {
            "type": "cidr",
            "indicator": "198.51.100.0/24",
            "source": "iprep",
            "confidence": "50",
            "tags": "category 3",
            "at": "3:1",
        },
        {
            "type": "ip",
            "indicator": "2001:db8::9",
            "source": "iprep",
            "confidence": "1",
            "tags": "category 12",
            "at": "4:1",
        },
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("203.0.113.9,1,128", "not address,category,score with a score up to 127"),
        ("203.0.113.9,1", "not address,category,score with a score up to 127"),
        ("bad.example.com,1,10", "not address,category,score with a score up to 127"),
        ("203.0.113.9,1,0", "score 0 says that nothing is known"),
    ],
)
def test_other_lines_are_refused(line: str, reason: str) -> None:
    conversion = convert(line.encode())
    assert (rows(conversion), conversion.refused) == ([], [(1, 1, reason)])
