from __future__ import annotations

import json
from typing import Any

from sensor.alerts import eve
from sensor.alerts.incident import Condition, EveAlert
from sensor.alerts.rules import Severity
from tests.unit.samples import C2, HOST, START, finding, hit, judged


def encoded(alert: EveAlert) -> dict[str, Any]:
    line = eve.encode(alert, "hq-core")
    assert line.isascii()
    assert "\n" not in line
    event: dict[str, Any] = json.loads(line)
    return event


def hit_event(**changes: Any) -> dict[str, Any]:
    return encoded(EveAlert(START, "watchlist.ip", Severity.HIGH, "1f3a", hit(**changes)))


def test_a_hit_has_the_common_keys() -> None:
    event = hit_event()
    assert event == {
        "timestamp": "2026-11-22T01:14:03.412000+0000",
        "flow_id": 7,
        "in_iface": "eth1",
        "event_type": "alert",
        "src_ip": HOST,
        "src_port": 50_000,
        "dest_ip": C2,
        "dest_port": 443,
        "proto": "TCP",
        "community_id": "1:abc=",
        "vlan": [20],
        "ether": {"src_mac": "00:1b:44:11:3a:b7", "dest_mac": "00:00:5e:00:01:01"},
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": 8_000_001,
            "rev": 1,
            "signature": "SPANWATCH watchlist.ip Emotet C2",
            "category": "Malware Command and Control Activity Detected",
            "severity": 1,
            "metadata": {"rule": ["watchlist.ip"]},
            "context": {
                "watchlist": {
                    "list": "feodo",
                    "indicator": C2,
                    "type": "ip",
                    "matched": "dest",
                    "entry": {"malware": "Emotet", "threat_type": "C2", "confidence": "90"},
                },
                "incident": "1f3a",
            },
        },
        "flow": {
            "pkts_toserver": 3,
            "pkts_toclient": 2,
            "bytes_toserver": 180,
            "bytes_toclient": 120,
            "start": "2026-11-22T01:14:03.412000+0000",
        },
        "spanwatch": {"stage": "contact", "first_sender": HOST},
        "host": "hq-core",
    }


def test_a_name_is_told_as_it_was_observed() -> None:
    name: dict[str, Any] = {
        "type": "suffix",
        "indicator": "*.evil.example",
        "observed": "A.\x1b.evil.example",
        "observed_in": "tls",
    }
    alert = encoded(EveAlert(START, "watchlist.domain", Severity.HIGH, "1f3a", hit(**name)))["alert"]
    assert alert["signature_id"] == 8_000_002
    assert alert["context"]["watchlist"] == {
        "list": "feodo",
        "indicator": "*.evil.example",
        "type": "suffix",
        "observed": "A.\x1b.evil.example",
        "observed_in": "tls",
        "entry": {"malware": "Emotet", "threat_type": "C2", "confidence": "90"},
    }


def test_what_is_not_there_has_no_key() -> None:
    event = hit_event(vlan=[], src_mac=None, dest_mac=None, proto="ICMP", src_port=0, dest_port=0)
    assert not {"vlan", "tunnel", "ether", "src_port", "dest_port"} & set(event)


def test_a_tunnel_is_told_whole() -> None:
    event = hit_event(tunnel_src="192.0.2.1", tunnel_dest="192.0.2.2", tunnel_proto="ERSPAN II", tunnel_depth=1)
    assert event["tunnel"] == {"src_ip": "192.0.2.1", "dest_ip": "192.0.2.2", "proto": "ERSPAN II", "depth": 1}


def test_strings_of_a_list_stay_inside_their_json_string() -> None:
    event = hit_event(metadata=json.dumps({"comment": 'x"}\n{"event_type":"fake\u202e'}))
    assert event["alert"]["context"]["watchlist"]["entry"]["comment"] == 'x"}\n{"event_type":"fake\u202e'


def test_a_finding_is_an_alert_about_its_host() -> None:
    event = encoded(EveAlert(START, "smtp.bulk", Severity.HIGH, "2b00", finding()))
    assert (event["src_ip"], event["dest_ip"], event["proto"]) == ("10.20.7.12", "198.51.100.1", "TCP")
    assert event["alert"]["signature_id"] == 8_000_006
    assert event["alert"]["context"] == {"incident": "2b00"}
    assert event["spanwatch"]["connections"] == 34
    assert event["vlan"] == [100, 30]


def test_a_condition_is_an_anomaly() -> None:
    alert = EveAlert(START, "mirror.silent", Severity.HIGH, "3c00", Condition("mirror.silent", "eth1", "is down"))
    event = encoded(alert)
    assert eve.event_type(alert) == event["event_type"] == "anomaly"
    assert event["anomaly"] == {"type": "mirror", "event": "mirror.silent"}
    assert event["spanwatch"]["subject"] == "eth1"


def test_a_judgement_names_its_flow_and_its_figures() -> None:
    event = encoded(EveAlert(START, "mail.campaign", Severity.MEDIUM, "1f3a", judged()))
    assert (event["src_ip"], event["dest_ip"], event["dest_port"]) == ("101.36.79.67", "172.16.60.247", 25)
    assert (event["proto"], event["app_proto"], event["community_id"]) == ("TCP", "smtp", "1:def=")
    assert (event["alert"]["severity"], event["alert"]["context"]) == (2, {"incident": "1f3a"})
    assert event["spanwatch"] == {"subject": "it@t3sec.cc", "count": 1, "messages": 20}
