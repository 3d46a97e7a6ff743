"""Spamhaus's DROP lists."""

from sensor.watchlist.spamhaus import convert
from tests.unit.watchlist.converted import rows

SAMPLE = b"""{"cidr":"198.51.100.0/24","sblid":"SBL256894","rir":"apnic"}
{"cidr":"2001:db8::\\/32","sblid":"SBL301771","rir":"ripencc"}
{"asn":64496,"rir":"arin","domain":"example.com"}
["cidr"]
{"cidr":"203.0.113.0/24","sb
{"type":"metadata","timestamp":1795000000,"size":104461,"records":2,"copyright":"(c) Someone"}
"""


def test_networks_are_taken_and_the_metadata_passed_over() -> None:
    conversion = convert(SAMPLE)
    first, second = rows(conversion)
    assert first == {
        "type": "cidr",
        "indicator": "198.51.100.0/24",
        "source": "spamhaus",
        "source_id": "SBL256894",
        "threat_type": "drop",
        "tags": "apnic",
        "at": "1:1",
    }
    assert second["indicator"] == "2001:db8::/32"
    assert conversion.refused == [
        (3, 1, "no network (`cidr`) in it"),
        (4, 1, "no network (`cidr`) in it"),
        (5, 1, "not JSON at column 26: Unterminated string"),
    ]
