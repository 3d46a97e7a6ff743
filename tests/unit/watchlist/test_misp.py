"""MISP's events."""

import json
from collections.abc import Mapping

import pytest

from sensor.watchlist.misp import convert
from tests.unit.watchlist.converted import indicators, rows


def attribute(kind: str, value: str, **more: object) -> dict[str, object]:
    return {"type": kind, "value": value, "to_ids": True, "category": "Network activity", **more}


def event(*attributes: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"Event": {"info": "Campaign of May", "uuid": "e-1", "Attribute": list(attributes), **more}}


def read(document: object) -> list[tuple[str, str]]:
    return indicators(convert(json.dumps(document).encode()))


EVENT = event(
    attribute(
        "ip-dst|port",
        "203.0.113.9|443",
        uuid="a-1",
        comment="C2",
        first_seen="2026-11-01T00:00:00+00:00",
        last_seen="2026-11-20T00:00:00+00:00",
        Tag=[{"name": "tlp:white"}],
    ),
    attribute("md5", "d41d8cd98f00b204e9800998ecf8427e"),
    attribute("ip-src", "203.0.113.10", to_ids=False),
    attribute("ip-src", "203.0.113.11", deleted=True),
    date="2026-11-02",
    threat_level_id="2",
    Object=[{"name": "domain-ip", "Attribute": [attribute("domain", "bad.example.com", uuid="a-5")]}],
    Tag=[{"name": 'misp-galaxy:malpedia="Emotet"'}],
)


def test_an_event_is_read_with_what_it_says_behind_its_attributes() -> None:
    conversion = convert(json.dumps(EVENT, indent=1).encode())
    first, second = rows(conversion)
    assert first == {
        "type": "ip_port",
        "indicator": "203.0.113.9",
        "port": "443",
        "source": "misp",
        "severity": "medium",
        "source_id": "a-1",
        "malware": "Emotet",
        "threat_type": "Network activity",
        "tags": 'tlp:white,misp-galaxy:malpedia="Emotet"',
        "first_seen": "2026-11-01T00:00:00+00:00",
        "last_seen": "2026-11-20T00:00:00+00:00",
        "reference": "e-1",
        "comment": "Campaign of May; C2",
        "at": "6:4",
    }
    assert (second["type"], second["indicator"], second["first_seen"]) == ("domain", "bad.example.com", "2026-11-02")
    assert [(line, reason) for line, _, reason in conversion.refused] == [
        (21, 'type "md5" is not matched'),
        (27, "not meant for detection (to_ids)"),
        (33, "deleted"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ip-src", "203.0.113.9", [("ip", "203.0.113.9")]),
        ("ip-dst", "198.51.100.0/24", [("cidr", "198.51.100.0/24")]),
        ("ip-src|port", "2001:db8::9|443", [("ip_port", "2001:db8::9")]),
        ("domain", "bad.example.com", [("domain", "bad.example.com")]),
        ("hostname", "www.bad.example.com", [("domain", "www.bad.example.com")]),
        ("hostname|port", "www.bad.example.com|443", [("domain", "www.bad.example.com")]),
        ("domain|ip", "bad.example.com|203.0.113.9", [("domain", "bad.example.com"), ("ip", "203.0.113.9")]),
        ("url", "http://bad.example.com/a|b", [("url", "http://bad.example.com/a|b")]),
        ("ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1", [("ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1")]),
        ("filename|md5", "a|b", []),
        ("domain|md5", "a|b", []),
        ("", "203.0.113.9", []),
    ],
)
def test_types_and_composites(kind: str, value: str, expected: list[tuple[str, str]]) -> None:
    assert read(event(attribute(kind, value))) == expected


def test_what_a_search_gives_is_read() -> None:
    found = attribute("ip-src", "203.0.113.9", Event={"info": "of the attribute", "uuid": "e-9"})
    (row,) = rows(convert(json.dumps({"response": {"Attribute": [found]}}).encode()))
    assert (row["comment"], row["reference"]) == ("of the attribute", "e-9")
    first, second = event(attribute("ip-src", "203.0.113.1")), event(attribute("ip-src", "203.0.113.2"), info="other")
    for document in ({"response": [first, second]}, [first, second]):
        given = rows(convert(json.dumps(document).encode()))
        assert [(row["indicator"], row["comment"]) for row in given] == [
            ("203.0.113.1", "Campaign of May"),
            ("203.0.113.2", "other"),
        ]


@pytest.mark.parametrize("to_ids", [True, "1", "true"])
def test_to_ids_is_told_in_several_ways(to_ids: object) -> None:
    assert read(event(attribute("ip-src", "203.0.113.9", to_ids=to_ids))) == [("ip", "203.0.113.9")]


def test_oddities_are_no_error() -> None:
    assert read(event("odd", {"type": ["ip-src"]}, Tag="odd", Object="odd")) == []  # type: ignore[arg-type]
    assert read({"Event": []}) == []


def test_half_an_event_is_refused_as_a_whole() -> None:
    with pytest.raises(ValueError, match=r"line 1, column [0-9]+: not JSON"):
        convert(json.dumps(EVENT).encode()[:-20])
