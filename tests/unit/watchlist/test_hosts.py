"""Hosts files that block names."""

from sensor.watchlist.hosts import convert
from tests.unit.watchlist.converted import indicators, rows

SAMPLE = b"""# Title: blocked names
127.0.0.1 localhost
::1 localhost ip6-localhost
255.255.255.255 broadcasthost
fe80::1%lo0 localhost
0.0.0.0 0.0.0.0

0.0.0.0 bad.example.com # since March
127.0.0.1\tevil.example.net\twww.evil.example.net
:: six.example.org
192.0.2.7 intranet.example
0.0.0.0
  0.0.0.0   caf\xe9.example
"""


def test_blocked_names_are_taken_and_the_machines_own_are_passed_over() -> None:
    conversion = convert(SAMPLE)
    assert rows(conversion) == [
        {"type": "domain", "indicator": "bad.example.com", "at": "8:1"},
        {"type": "domain", "indicator": "evil.example.net", "at": "9:1"},
        {"type": "domain", "indicator": "www.evil.example.net", "at": "9:1"},
        {"type": "domain", "indicator": "six.example.org", "at": "10:1"},
    ]
    assert conversion.refused == [
        (11, 1, 'names of a real address; a blocked one has 0.0.0.0 or 127.0.0.1: "192.0.2.7 intranet.example"'),
        (12, 1, 'an address and a name to block are wanted, not "0.0.0.0"'),
        (13, 1, 'a character that no indicator has, or text that is not UTF-8: "caf\ufffd.example"'),
    ]


def test_windows_line_ends_and_a_mark_are_read() -> None:
    assert indicators(convert(b"\xef\xbb\xbf0.0.0.0 bad.example.com\r\n")) == [("domain", "bad.example.com")]
