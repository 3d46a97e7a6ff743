"""Bundles of STIX."""

import json

import pytest

from sensor.watchlist.stix import convert
from tests.unit.watchlist.converted import indicators, rows


def indicator(pattern: str, **more: object) -> dict[str, object]:
    return {"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern": pattern, **more}


def bundle(*objects: object) -> bytes:
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}, indent=1).encode()


def test_an_indicator_keeps_what_the_bundle_says_of_it() -> None:
    conversion = convert(
        bundle(
            indicator(
                "[ipv4-addr:value = '203.0.113.9']",
                pattern_type="stix",
                name="C2 of May",
                created_by_ref="identity--1",
                confidence=85,
                indicator_types=["malicious-activity"],
                labels=["c2", "may"],
                valid_from="2026-11-01T00:00:00Z",
                valid_until="2027-01-01T00:00:00.000Z",
                external_references=[{"source_name": "x"}, {"url": "https://example.org/17"}],
            ),
            {"type": "identity", "id": "identity--1", "name": "The CERT"},
            {"type": "malware", "id": "malware--1", "name": "Emotet"},
            {
                "type": "relationship",
                "relationship_type": "indicates",
                "source_ref": "indicator--1",
                "target_ref": "malware--1",
            },
        )
    )
    assert rows(conversion) == [
        {
            "type": "ip",
            "indicator": "203.0.113.9",
            "source": "The CERT",
            "malware": "Emotet",
            "confidence": "85",
            "source_id": "indicator--1",
            "threat_type": "malicious-activity",
            "tags": "c2,may",
            "first_seen": "2026-11-01T00:00:00Z",
            "valid_until": "2027-01-01T00:00:00.000Z",
            "reference": "https://example.org/17",
            "comment": "C2 of May",
            "at": "5:3",
        }
    ]
    assert conversion.refused == []


def test_a_pattern_with_several_values_gives_several_entries_of_one_place() -> None:
    found = rows(convert(bundle(indicator("[domain-name:value IN ('a.example', 'b.example')]"))))
    assert [(row["indicator"], row["source"], row["at"]) for row in found] == [
        ("a.example", "stix", "5:3"),
        ("b.example", "stix", "5:3"),
    ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (indicator("[ipv4-addr:value = '203.0.113.9']", revoked=True), "revoked"),
        (indicator("alert ip any any", pattern_type="snort"), 'a pattern in the language "snort"'),
        (indicator("[file:name = 'a']"), "not a list of values"),
        ({"type": "indicator"}, "not a list of values"),
        ({"type": "indicator", "pattern": {"a": "b"}}, "not a list of values"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(entry: object, reason: str) -> None:
    conversion = convert(bundle({"type": "identity"}, entry))
    ((line, column, why),) = conversion.refused
    assert (rows(conversion), line, column) == ([], 8, 3)
    assert why.startswith(reason)


def test_an_answer_of_taxii_and_odd_objects_are_read() -> None:
    text = json.dumps({"more": False, "objects": ["odd", 1, indicator("[url:value = 'http://a.example/']")]})
    assert indicators(convert(text.encode())) == [("url", "http://a.example/")]
    assert indicators(convert(b"[1]")) == []


def test_half_a_bundle_is_refused_as_a_whole() -> None:
    with pytest.raises(ValueError, match=r"line 12, column [0-9]+: not JSON"):
        convert(bundle(indicator("[ipv4-addr:value = '203.0.113.9']"))[:-1])
