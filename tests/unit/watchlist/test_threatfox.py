"""ThreatFox's exports."""

import json

import pytest

from sensor.watchlist.threatfox import convert
from tests.unit.watchlist.converted import indicators, rows

SAMPLE = b"""################################################################
# ThreatFox IOCs: recent additions - CSV format                #
# Last updated: 2026-11-21 10:02:12 UTC                        #
################################################################
#
# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias",\
"malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter"
"2026-11-20 12:21:10", "723861", "203.0.113.9:4712", "ip:port", "botnet_cc", "win.redline_stealer", \
"RECORDSTEALER", "RedLine Stealer", "2026-11-21 01:00:00", "100", "False", "https://example.org/1", \
"RedLine,stealer", "0", "someone"
"2026-11-20 12:21:11", "723862", "2001:db8::9:443", "ip:port", "botnet_cc", "win.x", "None", "X", "", "75", \
"False", "None", "None", "0", "someone"
"2026-11-20 12:21:12", "723863", "bad.example.com", "domain", "payload_delivery", "js.clearfake", "None", \
"ClearFake", "", "50", "True", "None", "None", "0", "someone"
"2026-11-20 12:21:13", "723864", "https://evil.example.net/a?b=c,d", "url", "payload_delivery", "win.x", \
"None", "X", "", "75", "True", "None", "None", "0", "someone"
"2026-11-20 12:21:14", "723865", "d41d8cd98f00b204e9800998ecf8427e", "md5_hash", "payload", "win.x", "None", \
"X", "", "75", "False", "None", "None", "0", "someone"
"2026-11-20 12:21:15", "723866", "203.0.113.10:
# Number of entries: 6
"""


def test_the_csv_is_read_with_what_is_known_of_each_entry() -> None:
    conversion = convert(SAMPLE)
    first, *others = rows(conversion)
    assert first == {
        "type": "ip_port",
        "indicator": "203.0.113.9",
        "port": "4712",
        "source": "threatfox",
        "confidence": "100",
        "source_id": "723861",
        "malware": "RedLine Stealer",
        "threat_type": "botnet_cc",
        "tags": "RedLine,stealer",
        "first_seen": "2026-11-20 12:21:10",
        "last_seen": "2026-11-21 01:00:00",
        "reference": "https://example.org/1",
        "at": "7:1",
    }
    assert [(row["type"], row["indicator"], row.get("port"), row.get("tags"), row["at"]) for row in others] == [
        ("ip_port", "2001:db8::9", "443", None, "8:1"),
        ("domain", "bad.example.com", None, None, "9:1"),
        ("url", "https://evil.example.net/a?b=c,d", None, None, "10:1"),
    ]
    assert conversion.refused == [
        (11, 1, 'type "md5_hash" is not matched'),
        (12, 1, "not CSV: a quote stands wrong or is never closed"),
    ]


def test_without_its_comments_the_csv_has_the_usual_columns() -> None:
    body = b"\n".join(line for line in SAMPLE.split(b"\n") if not line.startswith(b"#"))
    assert indicators(convert(body)) == indicators(convert(SAMPLE))


def test_brackets_around_ipv6_are_taken_off() -> None:
    text = b'# ioc_value,ioc_type\n"[2001:db8::9]:443","ip:port"\n'
    (row,) = rows(convert(text))
    assert (row["indicator"], row["port"]) == ("2001:db8::9", "443")


EXPORT = {
    "723861": [
        {
            "ioc_value": "203.0.113.9:4712",
            "ioc_type": "ip:port",
            "threat_type": "botnet_cc",
            "malware": "win.redline_stealer",
            "malware_alias": "RECORDSTEALER",
            "malware_printable": "RedLine Stealer",
            "first_seen_utc": "2026-11-20 12:21:10",
            "last_seen_utc": None,
            "confidence_level": 100,
            "is_compromised": False,
            "reference": None,
            "tags": "RedLine,stealer",
            "anonymous": "0",
            "reporter": "someone",
        }
    ],
    "723862": [{"ioc_value": "d41d8cd98f00b204e9800998ecf8427e", "ioc_type": "md5_hash"}],
    "723863": [{"ioc_value": "bad.example.com", "ioc_type": "domain"}, "odd"],
}


def test_the_json_export_is_read() -> None:
    conversion = convert(json.dumps(EXPORT, indent=2).encode())
    first, second = rows(conversion)
    assert first == {
        "type": "ip_port",
        "indicator": "203.0.113.9",
        "port": "4712",
        "source": "threatfox",
        "confidence": "100",
        "source_id": "723861",
        "malware": "RedLine Stealer",
        "threat_type": "botnet_cc",
        "tags": "RedLine,stealer",
        "first_seen": "2026-11-20 12:21:10",
        "at": "3:5",
    }
    assert (second["indicator"], second["source_id"]) == ("bad.example.com", "723863")
    assert [(line, reason) for line, _, reason in conversion.refused] == [
        (21, 'type "md5_hash" is not matched'),
        (31, 'type "" is not matched'),
    ]


def test_an_answer_of_the_api_is_read() -> None:
    entry = {"id": "12", "ioc": "bad.example.com", "ioc_type": "domain", "first_seen": "2026-11-20", "tags": ["a", "b"]}
    (row,) = rows(convert(json.dumps({"query_status": "ok", "data": [entry]}).encode()))
    assert row == {
        "type": "domain",
        "indicator": "bad.example.com",
        "source": "threatfox",
        "source_id": "12",
        "tags": "a,b",
        "first_seen": "2026-11-20",
        "at": "1:33",
    }
    assert rows(convert(b'{"query_status": "no_result", "data": "nothing found"}')) == []


@pytest.mark.parametrize("text", [b"", b"# only a comment\n", b"203.0.113.9\n", json.dumps(EXPORT).encode()[:-2]])
def test_another_file_or_half_of_one_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"ThreatFox|not JSON"):
        convert(text)
