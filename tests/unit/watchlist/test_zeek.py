"""Zeek's intelligence files."""

import pytest

from sensor.watchlist.zeek import convert
from tests.unit.watchlist.converted import rows

SAMPLE = b"""#separator-free comment
#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url
203.0.113.9\tIntel::ADDR\tteam\tC2, seen twice\thttps://example.org/17
198.51.100.0/24\tIntel::SUBNET\tteam\t-\t-
bad.example.com\tIntel::DOMAIN\tteam\t\t
evil.example.net/gate.php?a=1\tIntel::URL\tteam\t-\t-
d41d8cd98f00b204e9800998ecf8427e\tIntel::FILE_HASH\tteam\t-\t-
203.0.113.10 Intel::ADDR team
"""


def test_addresses_subnets_domains_and_urls_are_taken() -> None:
    conversion = convert(SAMPLE)
    first, *others = rows(conversion)
    assert first == {
        "type": "ip",
        "indicator": "203.0.113.9",
        "source": "team",
        "comment": "C2, seen twice",
        "reference": "https://example.org/17",
        "at": "3:1",
    }
    assert [(row["type"], row["indicator"], row["at"]) for row in others] == [
        ("cidr", "198.51.100.0/24", "4:1"),
        ("domain", "bad.example.com", "5:1"),
        ("url", "http://evil.example.net/gate.php?a=1", "6:1"),
    ]
    assert conversion.refused == [
        (7, 1, 'type "Intel::FILE_HASH" is not matched'),
        (8, 1, "1 column where #fields has 5; a tab stands between two"),
    ]


def test_columns_may_stand_anywhere_and_a_later_header_counts_from_there() -> None:
    text = b"#fields\tindicator_type\tindicator\nIntel::ADDR\t203.0.113.9\n"
    text += b"#fields\tindicator\tindicator_type\n203.0.113.10\tIntel::ADDR\n"
    assert [row["indicator"] for row in rows(convert(text))] == ["203.0.113.9", "203.0.113.10"]


@pytest.mark.parametrize(
    "text", [b"", b"# only a comment\n", b"203.0.113.9\tIntel::ADDR\n", b"#fields\tindicator\n", b"<html>"]
)
def test_without_a_header_it_is_no_such_file(text: bytes) -> None:
    with pytest.raises(ValueError, match="#fields line"):
        convert(text)
