"""Patterns of STIX that list values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.watchlist.stix_pattern import indicators


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '203.0.113.9']", [("ip", "203.0.113.9")]),
        ("[ipv4-addr:value='198.51.100.0/24']", [("cidr", "198.51.100.0/24")]),
        ("[ ipv6-addr:value == '2001:db8::9' ]", [("ip", "2001:db8::9")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [("cidr", "198.51.100.0/24")]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("domain", "a.example"), ("domain", "b.example")]),
        ("[url:value = 'http://a.example/?q=\\'1\\' OR \\\\']", [("url", "http://a.example/?q='1' OR \\")]),
        (
            "[domain-name:value = 'a.example' OR ipv4-addr:value = '203.0.113.9']",
            [("domain", "a.example"), ("ip", "203.0.113.9")],
        ),
        (
            "[domain-name:value = 'a.example'] OR [(domain-name:value = 'b.example')]",
            [("domain", "a.example"), ("domain", "b.example")],
        ),
        ("([url:value = 'http://a.example/'])", [("url", "http://a.example/")]),
    ],
)
def test_values_are_listed(pattern: str, expected: list[tuple[str, str]]) -> None:
    assert indicators(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "[]",
        "ipv4-addr:value = '203.0.113.9'",
        "[ipv4-addr:value = '203.0.113.9'",
        "[ipv4-addr:value = '203.0.113.9')",
        "ipv4-addr:value = '203.0.113.9']",
        "[ipv4-addr:value = '203.0.113.9'] ]",
        "[[ipv4-addr:value = '203.0.113.9']]",
        "[ipv4-addr:value = '203.0.113.9' OR]",
        "[ipv4-addr:value = '203.0.113.9'] [ipv4-addr:value = '203.0.113.10']",
        "[ipv4-addr:value = '203.0.113.9]",
        "[ipv4-addr:value = 203]",
        "[ipv4-addr:value != '203.0.113.9']",
        "[ipv4-addr:value NOT = '203.0.113.9']",
        "[NOT ipv4-addr:value = '203.0.113.9']",
        "[ipv4-addr:value IN '203.0.113.9']",
        "[ipv4-addr:value = ('203.0.113.9')]",
        "[domain-name:value ISSUBSET 'example']",
        "[domain-name:value LIKE '%.example']",
        "[url:value MATCHES '.*']",
        "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.9']",
        "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '203.0.113.9']",
        "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.9']",
        "[ipv4-addr:value = '203.0.113.9'] WITHIN 5 SECONDS",
        "[ipv4-addr:value = '203.0.113.9'] REPEATS 5 TIMES",
        "[network-traffic:dst_ref.value = '203.0.113.9']",
        "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
        "[ipv4-addr:resolves_to_refs[*].value = 'x']",
    ],
)
def test_what_asks_for_more_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a list of values"):
        indicators(pattern)


def test_a_pattern_has_a_longest() -> None:
    with pytest.raises(ValueError, match="longer than 65536"):
        indicators("[" * 65_537)
    with pytest.raises(ValueError, match="not a list of values"):
        indicators("(" * 65_536)


PIECES = ("[", "]", "(", ")", " OR ", " AND ", "ipv4-addr:value", " = ", " IN ", "'a'", "'", "\\", ",")


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_pattern_gives_values_or_a_reason(pattern: str) -> None:
    try:
        found = indicators(pattern)
    except ValueError:
        return
    assert found
