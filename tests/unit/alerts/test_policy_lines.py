"""How incidents read in the alert log."""

from __future__ import annotations

from sensor.alerts.conditions import Health, Verdict
from sensor.alerts.incident import EveAlert
from sensor.alerts.log import format_line
from sensor.alerts.policy import Policy
from tests.unit.alerts.told import HOUR, MINUTE, contacts_each_minute, events, lines, name_hit, take
from tests.unit.samples import SECOND, START, finding, hit


def test_the_open_line_is_that_of_the_interface_document() -> None:
    (event,) = events(take(Policy(), hit()))
    line = format_line(event)
    assert line == (
        "2026-11-22T09:14:03.412+0800 OPEN   high   watchlist.ip  "
        f"#{event.incident}  10.20.3.44 (00:1b:44:11:3a:b7 vlan 20) -> 203.0.113.9:443  "
        "Emotet C2 (feodo, confidence 90)  contact, 3 packets out, 2 in  10.20.3.44 sent the first"
    )
    assert len(event.incident) == 4


def test_a_name_is_told_with_where_it_was_met() -> None:
    policy = Policy()
    (event,) = events(take(policy, name_hit()))
    assert format_line(event) == (
        "2026-11-22T09:14:03.412+0800 OPEN   high   watchlist.domain  "
        f"#{event.incident}  10.20.3.44 (00:1b:44:11:3a:b7 vlan 20) -> 10.0.0.53:53  "
        "Emotet C2 (feodo, confidence 90)  Evil.example in dns  contact, 3 packets out, 2 in  10.20.3.44 sent the first"
    )
    updated = lines(take(policy, name_hit(START + MINUTE, flow_id=8, stage="data")))[0]
    assert updated.split("  ")[3:5] == ["10.20.3.44 -> evil.example", "now data, 2 contacts, 360 B out, 240 B in"]


def test_one_flow_can_meet_an_address_a_name_a_url_and_a_fingerprint() -> None:
    met = [
        hit(),
        name_hit(type="suffix", indicator="*.evil.example"),
        name_hit(type="url", indicator="http://evil.example/", observed="http://evil.example/", observed_in="http"),
        name_hit(type="ja4", indicator="t13d", observed="t13d", observed_in="tls"),
    ]
    outputs = take(Policy(), *met)
    rules = ["watchlist.ip", "watchlist.domain", "watchlist.url", "watchlist.ja4"]
    assert [event.rule for event in events(outputs)] == rules
    assert [output.rule for output in outputs if isinstance(output, EveAlert)] == rules


def test_a_name_from_the_wire_is_escaped() -> None:
    (event,) = events(take(Policy(), name_hit(observed="evil\x1b[2J.example")))
    assert "evil\\x1b[2J.example in dns" in format_line(event)


def test_the_update_line_is_that_of_the_interface_document() -> None:
    policy = Policy()
    outputs = [output for row in contacts_each_minute(11) for output in take(policy, row)]
    outputs += policy.tick(START + 10 * MINUTE + 1)
    opened, updated = lines(outputs)
    assert " OPEN " in opened
    incident = events(outputs)[0].incident
    assert updated == (
        f"2026-11-22T09:24:03.412+0800 UPDATE high   watchlist.ip  #{incident}  10.20.3.44 -> 203.0.113.9:443  "
        "11 contacts, 48 kB out, 1.2 MB in, every 60 s"
    )


def test_the_close_line_is_that_of_the_interface_document() -> None:
    policy = Policy()
    rows = contacts_each_minute(66)
    last = START + 77 * MINUTE + 7 * SECOND - 412_000_000
    take(policy, *rows, hit(last, flow_id=99))
    outputs = policy.tick(last + 2 * HOUR)
    assert lines(outputs)[-1].endswith("  10.20.3.44 -> 203.0.113.9:443  67 contacts in 1 h 17 min, last 10:31:10")
    assert events(outputs)[-1].time_ns == last + HOUR
    assert policy.open_incidents == 0


def test_the_heartbeat_line_is_that_of_the_interface_document() -> None:
    policy = Policy()
    take(policy, hit(), hit(dest_ip="203.0.113.10", indicator="203.0.113.10"))
    health = Health(Verdict.OK, (), 812_331.0, 0, 31 * 3600.0)
    ten_thirty_two = START + (77 * 60 + 57) * SECOND - 412_000_000
    assert format_line(policy.alive(ten_thirty_two, health.heartbeat())) == (
        "2026-11-22T10:32:00.000+0800 ALIVE  mirror ok  "
        "812,331 frames/min, 0 dropped, ring reaches back 31 h, 2 incidents open"
    )


def test_columns_stay_aligned_for_a_medium_alert() -> None:
    (event,) = events(take(Policy(), finding(rule="smtp.fanout")))
    assert format_line(event)[28:].startswith(f" OPEN   medium smtp.fanout   #{event.incident}  10.20.7.12 (")


def test_protocols_without_ports_show_none_and_ipv6_stands_in_brackets() -> None:
    assert "-> 203.0.113.9  " in lines(take(Policy(), hit(proto="ICMP", src_port=0, dest_port=0)))[0]
    row = hit(dest_ip="2001:db8::1", indicator="2001:db8::1")
    assert "-> [2001:db8::1]:443  " in lines(take(Policy(), row))[0]


def test_a_list_entry_without_words_is_named_by_its_indicator() -> None:
    assert "  listed 203.0.113.9 (feodo)  " in lines(take(Policy(), hit(metadata="{}")))[0]


def test_strings_from_lists_cannot_forge_a_line_or_steer_a_terminal() -> None:
    evil = '{"malware": "a\\nFAKE\\u001b[31m  OPEN \\u202egnp.exe \\\\x"}'
    line = lines(take(Policy(), hit(metadata=evil, list="li\tst")))[0]
    assert "a\\x0aFAKE\\x1b[31m \\x20OPEN \\u202egnp.exe \\x5cx (li\\x09st)" in line
    assert line.isprintable()
