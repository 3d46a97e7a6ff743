"""Formats are known by how a file begins."""

import pytest

from sensor.watchlist.detect import detect, no_list
from tests.unit.watchlist import (
    test_adblock,
    test_feodo,
    test_hosts,
    test_own_yaml,
    test_spamhaus,
    test_threatfox,
    test_urlhaus,
    test_zeek,
)


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (test_feodo.SAMPLE, "feodo"),
        (b'[\n {\n "ip_address": "203.0.113.9"', "feodo"),
        (test_threatfox.SAMPLE, "threatfox"),
        (b'{"723861": [{"ioc_value": "x", "ioc_type": "domain"', "threatfox"),
        (test_urlhaus.SAMPLE, "urlhaus"),
        (test_hosts.SAMPLE, "hosts"),
        (test_adblock.SAMPLE, "adblock"),
        (b"! title\n", "adblock"),
        (b"# list\n@@||good.example.com^\n", "adblock"),
        (test_zeek.SAMPLE, "zeek"),
        (test_spamhaus.SAMPLE, "spamhaus"),
        (b'{"type":"metadata","timestamp":1}\n{"cidr":"198.51.100.0/24"}', "spamhaus"),
        (b'{"Event": {"info": "x", "Attribute": [{"type": "ip-src", "to_ids": true', "misp"),
        (b'{"response": {"Attribute": []}}', "misp"),
        (b'{"type": "bundle", "objects": []}', "stix"),
        (b'{"more": false, "objects": [{"type": "indicator", "spec_version": "2.1"', "stix"),
        (test_own_yaml.SAMPLE, "yaml"),
        (b"---\n", "yaml"),
        (b"- indicator: 203.0.113.9\n", "yaml"),
        (b'[{"port": 443, "indicator": "203.0.113.9"}]', "yaml"),
        (b"[]", "yaml"),
        (b"203.0.113.9,1,10\n", "suricata-iprep"),
        (b"198.51.100.0/24, 1, 10\n", "suricata-iprep"),
        (b"YmFkLmV4YW1wbGUuY29t\n", "suricata-dataset"),
        (b"YmFkLmV4YW1wbGUuY29t,5\n", "suricata-dataset"),
        (b"# own\n\nindicator,port\n203.0.113.9,443\n", "csv"),
        (b"\xef\xbb\xbfport,Indicator\n", "csv"),
        (b'"indicator"\n', "csv"),
        (b"203.0.113.9 # indicator\n", "plain"),
        (b"# indicator,port\n203.0.113.9\n", "plain"),
        (b"127.0.0.1 # not a hosts file\n", "plain"),
        (b"[2001:db8::9]:443\n", "plain"),
        (b"bad.example.com\n", "plain"),
        (b"word\n", "plain"),
        (b"", "plain"),
        (b"\xff\xfe\x00", "plain"),
    ],
)
def test_the_format_is_known_by_the_first_line_that_says_something(text: bytes, format_: str) -> None:
    assert detect(text) == format_


@pytest.mark.parametrize("text", [b"{}", b'{"a": 1}', b"{", b'\n [ {"a"'])
def test_json_of_no_known_feed_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="JSON, but of no feed that is known"):
        detect(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<!DOCTYPE html>\n", "an HTML or XML page, not a list"),
        (b"\xef\xbb\xbf \n<HTML><body>", "an HTML or XML page, not a list"),
        (b"<?xml version='1.0'?>", "an HTML or XML page, not a list"),
        (b"\x1f\x8b\x08", "compressed; unpack it first"),
        (b"PK\x03\x04", "compressed; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed; unpack it first"),
        (b"203.0.113.9 # <html>\n", None),
        (b"", None),
    ],
)
def test_what_is_no_list_at_all_is_told_apart(text: bytes, reason: str | None) -> None:
    assert no_list(text) == reason
