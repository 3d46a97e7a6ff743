from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.alerts import policy as policy_module
from sensor.alerts.conditions import Health, Verdict
from sensor.alerts.incident import Condition, EveAlert, Event, Kind
from sensor.alerts.log import format_line
from sensor.alerts.policy import EVE_ALERTS_PER_INCIDENT, MOST_OPEN, Output, Policy
from sensor.alerts.rules import Severity
from sensor.alerts.state import decode, encode
from sensor.config.detection import Suppression
from sensor.engine import Batch
from tests.unit.samples import C2, HOST, SECOND, START, finding, hit, judged

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


def events(outputs: list[Output]) -> list[Event]:
    return [output for output in outputs if isinstance(output, Event)]


def eve(outputs: list[Output]) -> list[EveAlert]:
    return [output for output in outputs if isinstance(output, EveAlert)]


def lines(outputs: list[Output]) -> list[str]:
    return [format_line(event) for event in events(outputs)]


def take(policy: Policy, *rows: Any, until: int = 0) -> list[Output]:
    hits = [row for row in rows if "flow_id" in row]
    findings = [row for row in rows if "flow_id" not in row]
    return policy.take(Batch(until or max(row["time_ns"] for row in rows), hits, findings))


def contacts_each_minute(count: int, start: int = START) -> list[Any]:
    return [
        hit(start + n * MINUTE, flow_id=n, bytes_toserver=4364, bytes_toclient=109_091)
        for n in range(count)
    ]  # fmt: skip


def test_the_open_line_is_that_of_the_interface_document() -> None:
    (event,) = events(take(Policy(), hit()))
    line = format_line(event)
    assert line == (
        "2026-11-22T09:14:03.412+0800 OPEN   high   watchlist.ip  "
        f"#{event.incident}  10.20.3.44 (00:1b:44:11:3a:b7 vlan 20) -> 203.0.113.9:443  "
        "Emotet C2 (feodo, confidence 90)  contact, 3 packets out, 2 in  10.20.3.44 sent the first"
    )
    assert len(event.incident) == 4


def name_hit(time_ns: int = START, **changes: Any) -> Any:
    """A host asks its resolver for a listed name."""
    row = {
        "type": "domain", "indicator": "evil.example", "observed": "Evil.example", "observed_in": "dns",
        "dest_ip": "10.0.0.53", "dest_port": 53, "proto": "UDP", "dest_internal": True, "stage": "contact",
    }  # fmt: skip
    return hit(time_ns, **{**row, **changes})


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


def test_a_risen_stage_is_reported_at_once_and_a_repeated_one_is_not() -> None:
    policy = Policy()
    take(policy, hit(stage="attempt", packets_toclient=0, bytes_toclient=0))
    risen = take(policy, hit(START + SECOND, event="progress", stage="contact"))
    assert [event.kind for event in events(risen)] == [Kind.UPDATE]
    assert "  now contact, 1 contact, 360 B out, 120 B in" in lines(risen)[0]
    assert not events(take(policy, hit(START + 2 * SECOND, event="progress", stage="contact")))
    assert not events(take(policy, hit(START + 3 * SECOND, flow_id=8, stage="attempt")))
    assert "now data, 2 contacts" in lines(take(policy, hit(START + 4 * SECOND, event="progress", stage="data")))[0]


def test_unanswered_flows_are_called_attempts() -> None:
    policy = Policy()
    take(policy, *(hit(START + n * SECOND, flow_id=n, stage="attempt") for n in range(3)))
    assert "  3 attempts, " in lines(policy.tick(START + HOUR))[0]


def test_updates_are_ten_minutes_apart_however_many_hits_come() -> None:
    policy = Policy()
    rows = [hit(START + n * 7 * SECOND, flow_id=n) for n in range(600)]
    kinds = [(event.kind, event.time_ns) for event in events(take(policy, *rows))]
    assert kinds[0][0] is Kind.OPEN
    times = [time_ns for _, time_ns in kinds]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 6
    assert min(gaps) >= 10 * MINUTE


def test_irregular_contacts_have_no_period() -> None:
    policy = Policy()
    starts = [0, 5, 90, 95, 300, 301, 420, 500]
    take(policy, *(hit(START + second * SECOND, flow_id=second) for second in starts))
    (update,) = lines(policy.tick(START + 20 * MINUTE))
    assert "every" not in update


def test_connections_side_by_side_are_one_contact_of_the_period() -> None:
    policy = Policy()
    rows = [hit(START + n * MINUTE + k, flow_id=10 * n + k) for n in range(9) for k in range(3)]
    take(policy, *rows)
    assert "27 contacts" in (line := lines(policy.tick(START + 20 * MINUTE))[0])
    assert line.endswith("every 60 s")


def test_the_host_is_the_internal_end_whoever_opens() -> None:
    inward = hit(
        src_ip=C2, src_port=40_000, dest_ip=HOST, dest_port=22, src_internal=False, dest_internal=True, matched="src",
        src_mac="00:00:5e:00:01:01", dest_mac="00:1b:44:11:3a:b7", first_sender=C2,
    )  # fmt: skip
    policy = Policy()
    (event,) = events(take(policy, inward))
    assert event.host == HOST
    assert "  10.20.3.44:22 (00:1b:44:11:3a:b7 vlan 20) <- 203.0.113.9  " in format_line(event)
    assert "2 packets out, 3 in  203.0.113.9 sent the first" in format_line(event)


def test_of_two_internal_ends_the_host_is_the_one_that_is_not_listed() -> None:
    row = hit(dest_ip="10.9.9.9", indicator="10.9.9.9", dest_internal=True, matched="dest")
    assert events(take(Policy(), row))[0].host == HOST
    row = hit(src_ip="10.9.9.9", indicator="10.9.9.9", dest_ip=HOST, dest_internal=True, matched="src")
    assert events(take(Policy(), row))[0].host == HOST


def test_with_no_internal_end_both_are_named_and_the_originator_is_the_host() -> None:
    row = hit(src_ip="198.51.100.7", src_internal=False, vlan=[], src_mac=None, dest_mac=None)
    (event,) = events(take(Policy(), row))
    assert event.host == "198.51.100.7"
    assert "  198.51.100.7 -> 203.0.113.9:443  " in format_line(event)


def test_other_ports_and_remotes_of_a_network_are_one_incident() -> None:
    policy = Policy()
    rows = [
        hit(indicator="203.0.113.0/24", type="cidr"),
        hit(START + SECOND, flow_id=8, indicator="203.0.113.0/24", type="cidr", dest_ip="203.0.113.77", dest_port=80),
    ]
    opened = take(policy, *rows)
    assert len(events(opened)) == 1
    assert "Emotet C2 (feodo, 203.0.113.0/24, confidence 90)" in lines(opened)[0]
    assert "  10.20.3.44 -> 203.0.113.0/24  2 contacts" in lines(policy.tick(START + HOUR))[0]


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


def test_each_flow_that_hits_gets_an_eve_alert_up_to_a_bound_and_counts_go_on() -> None:
    policy = Policy()
    rows = [hit(START + n, flow_id=n) for n in range(EVE_ALERTS_PER_INCIDENT + 50)]
    outputs = take(policy, *rows, hit(START + 900, event="progress"))
    assert len(eve(outputs)) == EVE_ALERTS_PER_INCIDENT
    closed = events(policy.tick(START + 2 * HOUR))[-1]
    assert closed.totals is not None
    assert closed.totals.contacts == EVE_ALERTS_PER_INCIDENT + 50


def test_a_finding_opens_updates_each_ten_minutes_and_closes_with_its_highest_numbers() -> None:
    policy = Policy()
    rows = [finding(START + n * 10 * SECOND, connections=34 + n, servers=22 + n // 2) for n in range(70)]
    outputs = take(policy, *rows)
    assert [event.kind for event in events(outputs)] == [Kind.OPEN, Kind.UPDATE]
    assert len(eve(outputs)) == 2
    assert lines(outputs)[0].endswith(
        "  10.20.7.12 (00:1b:44:11:3a:c0 vlan 100.30)  34 connections to 22 servers in 10 min"
        "  such as 198.51.100.1, 198.51.100.2"
    )
    assert lines(outputs)[1].endswith("  10.20.7.12  at most 94 connections to 52 servers in 10 min")
    (closed,) = policy.tick(START + 5 * HOUR)
    assert isinstance(closed, Event)
    assert format_line(closed).endswith(
        "10.20.7.12  at most 103 connections to 56 servers in 10 min; lasted 11 min, last 09:25:33"
    )


def test_rejections_are_told_as_a_share() -> None:
    row = finding(rule="smtp.rejects", rejects=12, connections=30, servers=9, examples=[])
    assert lines(take(Policy(), row))[0].endswith("  12 of 30 connections to 9 servers in 10 min turned away")


def test_a_condition_sums_its_losses_and_one_that_is_over_closes_at_once() -> None:
    policy = Policy()
    drops = Condition("sensor.kernel-drops", "eth1", "frames dropped by the kernel", 5)
    silent = Condition("mirror.silent", "eth1", "shows no frame for 60 s")
    outputs = policy.observe([drops, silent], START)
    assert lines(outputs)[0].endswith("  eth1  5 frames dropped by the kernel")
    assert lines(outputs)[1].endswith("  eth1  shows no frame for 60 s")
    assert len(eve(outputs)) == 2
    assert not policy.observe([drops, silent], START + SECOND)
    over = policy.observe([Condition("mirror.silent", "eth1", "frames arrive", over=True)], START + 3 * MINUTE)
    assert lines(over)[0].endswith("  eth1  shows no frame for 60 s; lasted 1 s")
    assert not policy.observe([Condition("mirror.silent", "eth1", "frames arrive", over=True)], START + 4 * MINUTE)
    assert lines(policy.tick(START + HOUR))[0].endswith("  eth1  10 frames dropped by the kernel")


def test_a_suppression_counts_and_writes_nothing_until_it_expires() -> None:
    until = datetime.fromtimestamp(START / SECOND + 3600, UTC)
    entry = Suppression(rule="watchlist.ip", host=ip_network("10.20.0.0/16"), until=until)
    policy = Policy([entry])
    assert not take(policy, hit(), hit(START + SECOND, flow_id=8))
    assert policy.suppressed == Counter({"watchlist.ip": 1})
    assert policy.opened == Counter()
    other = take(policy, hit(START + SECOND, src_ip="10.21.0.1"))
    assert [event.host for event in events(other)] == ["10.21.0.1"]
    after = take(policy, hit(START + HOUR + SECOND, flow_id=9))
    assert [event.host for event in events(after)] == [HOST]


def test_every_given_part_of_a_suppression_must_fit() -> None:
    matching: dict[str, Any] = {
        "rule": "watchlist.ip", "host": ip_network(HOST), "indicator": C2, "remote": ip_network("203.0.113.0/24"),
    }  # fmt: skip
    assert not take(Policy([Suppression(**matching)]), hit())
    others = {
        "rule": "smtp.bulk",
        "host": ip_network("10.0.0.1"),
        "indicator": "x",
        "remote": ip_network("192.0.2.0/24"),
    }
    for key, value in others.items():
        assert take(Policy([Suppression(**{**matching, key: value})]), hit()), key


def test_replaced_suppressions_hold_from_then_on() -> None:
    policy = Policy()
    take(policy, hit())
    policy.replace_suppressions([Suppression(indicator=C2)])
    assert not take(policy, hit(START + SECOND, flow_id=8))
    closed = events(policy.tick(START + 2 * HOUR))[-1]
    assert closed.totals is not None
    assert closed.totals.contacts == 1


def test_the_quietest_incident_makes_room_and_it_is_counted() -> None:
    policy = Policy()
    rows = [
        hit(START + n, dest_ip=f"198.18.{n >> 8}.{n & 255}", indicator=f"198.18.{n >> 8}.{n & 255}")
        for n in range(MOST_OPEN)
    ]
    take(policy, *rows, hit(START + MOST_OPEN, event="progress", dest_ip="198.18.0.0", indicator="198.18.0.0"))
    outputs = take(policy, hit(START + MOST_OPEN + 1))
    closed, opened = events(outputs)
    assert closed.kind is Kind.CLOSE
    assert "-> 198.18.0.1:443  1 contact, last 09:14:03; the table of incidents is full" in format_line(closed)
    assert opened.kind is Kind.OPEN
    assert (policy.open_incidents, policy.overflowed) == (MOST_OPEN, 1)
    assert len({incident["id"] for incident in policy.describe()}) == MOST_OPEN


def test_a_flood_of_incidents_leaves_a_bounded_number_of_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "MOST_OPEN", 10)
    policy = Policy()
    for n in range(500):
        take(policy, hit(START + n, indicator=str(n)))
    assert policy.open_incidents == 10
    assert len(policy._timers) <= 80
    assert len(events(policy.tick(START + 2 * HOUR))) == 10


def test_a_restored_policy_goes_on_with_id_sums_and_deadlines() -> None:
    first = Policy(now_ns=START)
    (opened,) = events(take(first, hit()))
    second = Policy(now_ns=START + 5 * MINUTE)
    second.restore(first.document())
    assert not events(take(second, hit(START + 6 * MINUTE, flow_id=8)))
    update, closed = events(second.tick(START + 3 * HOUR))
    assert (update.incident, closed.incident) == (opened.incident, opened.incident)
    assert update.time_ns == START + 10 * MINUTE
    assert closed.totals is not None
    assert (closed.totals.contacts, closed.totals.bytes_out) == (2, 360)


def test_what_was_due_while_the_sensor_was_down_is_told_at_its_start() -> None:
    first = Policy()
    take(first, hit())
    later = START + 30 * HOUR
    second = Policy(now_ns=later)
    second.restore(first.document())
    (closed,) = events(second.tick(later + SECOND))
    assert (closed.kind, closed.time_ns) == (Kind.CLOSE, later)


def test_a_clock_that_was_set_back_does_not_keep_incidents_open() -> None:
    policy = Policy(now_ns=START + 1000 * HOUR)
    take(policy, hit(START + 1000 * HOUR))
    policy.set_back(START)
    assert [event.kind for event in events(policy.tick(START + HOUR + 1))] == [Kind.CLOSE]


def test_one_frame_from_the_future_neither_moves_the_time_nor_stays_open_for_years() -> None:
    policy = Policy()
    take(policy, hit())
    take(policy, hit(START + 99_999 * HOUR, flow_id=8, src_ip="10.1.1.1"), until=START + SECOND)
    assert policy.open_incidents == 2
    policy.tick(START + 2 * HOUR)
    assert policy.open_incidents == 0


def test_a_hit_after_hours_without_a_frame_has_its_own_time() -> None:
    policy = Policy(now_ns=START)
    policy.tick(START + 5 * HOUR)
    (event,) = events(take(policy, hit(START + 5 * HOUR), until=START))
    assert event.time_ns == START + 5 * HOUR


def test_a_flow_that_outlives_its_incident_opens_one_with_a_contact_and_a_silent_end_opens_none() -> None:
    policy = Policy()
    assert not take(
        policy, hit(event="end", packets_toserver=0, packets_toclient=0, bytes_toserver=0, bytes_toclient=0)
    )
    outputs = take(policy, hit(event="progress"))
    assert not eve(outputs)
    totals = events(outputs)[0].totals
    assert totals is not None
    assert totals.contacts == 1


def test_finish_closes_everything_with_its_sums() -> None:
    policy = Policy()
    take(policy, hit(), hit(START + SECOND, flow_id=8))
    update, closed = events(policy.finish("end of the capture"))
    assert (update.kind, closed.kind) == (Kind.UPDATE, Kind.CLOSE)
    assert format_line(closed).endswith("2 contacts in 1 s, last 09:14:04; end of the capture")


def test_the_latest_closed_incidents_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.alerts.policy.MOST_CLOSED", 3)
    policy = Policy()
    for n in range(5):
        take(policy, hit(START + n, indicator=f"198.18.0.{n}"))
    policy.finish("end")
    assert [row["indicator"] for row in policy.describe_closed()] == ["198.18.0.4", "198.18.0.3", "198.18.0.2"]
    assert [row["indicator"] for row in policy.describe_closed(1)] == ["198.18.0.4"]
    assert policy.describe_closed(1)[0]["closed"] == "2026-11-22T01:14:03.412000+0000"
    assert policy.describe() == []


def test_severity_comes_from_the_entry_and_incidents_are_counted_by_it() -> None:
    policy = Policy()
    take(policy, hit(severity=3), hit(START + 1, flow_id=8))
    assert policy.opened == Counter({("watchlist.ip", "low"): 1})
    assert events(take(policy, finding(START + 2)))[0].severity is Severity.HIGH


hit_rows = st.builds(
    lambda second, flow, host, remote, event, stage, counts: hit(
        START + second * SECOND,
        flow_id=flow,
        src_ip=f"10.0.0.{host}",
        dest_ip=f"203.0.113.{remote}",
        indicator=f"203.0.113.{remote}",
        event=event,
        stage=stage,
        packets_toserver=counts[0],
        packets_toclient=counts[1],
        bytes_toserver=counts[0] * 60,
        bytes_toclient=counts[1] * 60,
    ),
    st.integers(0, 40_000),
    st.integers(1, 5),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from(["open", "progress", "end"]),
    st.sampled_from(["attempt", "contact", "data"]),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
)


def _restarted(policy: Policy, now_ns: int) -> Policy:
    fresh = Policy(now_ns=now_ns)
    fresh.restore(decode(encode(policy.document())))
    return fresh


@given(st.lists(hit_rows, max_size=40), st.integers(1, 7), st.booleans())
def test_counts_are_never_lost(rows: list[Any], cut: int, restarts: bool) -> None:
    rows.sort(key=lambda row: row["time_ns"])
    policy = Policy()
    outputs = []
    for begin in range(0, len(rows), cut):
        part = rows[begin : begin + cut]
        outputs += take(policy, *part)
        if restarts:
            policy = _restarted(policy, part[-1]["time_ns"])
    outputs += policy.finish("end")
    closes = [event for event in events(outputs) if event.kind is Kind.CLOSE]
    totals = [event.totals for event in closes if event.totals is not None]
    assert len(totals) == len(closes)
    assert sum(total.packets_out for total in totals) == sum(row["packets_toserver"] for row in rows)
    assert sum(total.packets_in for total in totals) == sum(row["packets_toclient"] for row in rows)
    assert sum(total.bytes_out for total in totals) == sum(row["bytes_toserver"] for row in rows)
    assert sum(total.contacts for total in totals) >= sum(row["event"] == "open" for row in rows)
    last_told = {event.incident: event.totals for event in events(outputs) if event.kind is not Kind.CLOSE}
    for event in closes:
        assert last_told[event.incident] == event.totals, "a line before CLOSE tells every byte"


@given(st.lists(hit_rows, max_size=40), st.integers(1, 7), st.integers(1, 40))
def test_what_is_told_does_not_depend_on_how_rows_are_cut_into_batches(rows: list[Any], one: Any, other: Any) -> None:
    rows.sort(key=lambda row: (row["time_ns"], row["flow_id"]))

    def told(cut: int) -> list[Output]:
        policy = Policy(rows_tell_time=True)
        outputs: list[Output] = []
        begin = 0
        while begin < len(rows):
            end = begin + cut
            while end < len(rows) and rows[end]["time_ns"] == rows[end - 1]["time_ns"]:
                end += 1
            part = rows[begin:end]
            begin = end
            outputs += policy.take(Batch(part[-1]["time_ns"] + cut, part))
            outputs += policy.take(Batch(part[-1]["time_ns"] + cut))
        return [*outputs, *policy.tick(START + 100_000 * SECOND)]

    assert told(one) == told(other)


def test_ten_thousand_rows_take_less_than_a_fifth_of_a_second() -> None:
    rows = [
        hit(START + n, flow_id=n, dest_ip=f"198.18.0.{n % 200}", indicator=f"198.18.0.{n % 200}") for n in range(10_000)
    ]
    batch = Batch(START + 10_000, rows)
    best = 9.0
    for _ in range(5):
        policy = Policy()
        begin = time.process_time()
        policy.take(batch)
        best = min(best, time.process_time() - begin)
    assert best < 0.2


def judge(policy: Policy, *rows: Any) -> list[Output]:
    return policy.take(Batch(max(row["time_ns"] for row in rows), judged=rows))


def test_a_judgement_is_an_incident_with_the_latest_figures() -> None:
    policy = Policy()
    (opened,) = events(judge(policy, judged()))
    assert format_line(opened) == (
        f"2026-11-22T09:14:03.412+0800 OPEN   medium mail.campaign  #{opened.incident}  "
        "172.16.60.247 (00:1b:44:00:00:f7 vlan 60)  20 mails  ten times the next"
    )
    later = judged(START + MINUTE, text="21 mails")
    assert events(judge(policy, later)) == []
    (updated,) = events(policy.tick(START + 11 * MINUTE))
    assert (updated.kind, updated.groups) == (Kind.UPDATE, ("172.16.60.247", "21 mails"))
    (closed,) = events(policy.tick(START + 2 * HOUR))
    assert closed.groups == ("172.16.60.247", "21 mails; lasted 1 min, last 09:15:03")
    assert policy.describe_closed()[0]["count"] == 2


def test_a_judgement_that_becomes_graver_is_said_at_once() -> None:
    policy = Policy()
    judge(policy, judged(severity=3))
    (risen,) = events(judge(policy, judged(START + SECOND, severity=1)))
    assert (risen.kind, risen.severity) == (Kind.UPDATE, Severity.HIGH)
    assert events(judge(policy, judged(START + 2 * SECOND, severity=3))) == [], "it does not become harmless again"


def test_judgements_of_several_subjects_are_several_incidents_and_each_flow_an_alert() -> None:
    policy = Policy()
    outputs = judge(policy, judged(), judged(START + 1, subject="other@x.example"), judged(START + 2))
    assert len(events(outputs)) == 2
    assert [alert.rule for alert in eve(outputs)] == ["mail.campaign"] * 3
    again = judge(policy, *(judged(START + 3 + number) for number in range(200)))
    assert len(eve(again)) == EVE_ALERTS_PER_INCIDENT - 2


def test_judgements_can_be_suppressed_by_their_remote_end_and_survive_a_restart() -> None:
    quiet = Policy([Suppression(rule="mail.campaign", remote=ip_network("101.36.79.67"))])
    assert judge(quiet, judged()) == []
    policy = Policy()
    judge(policy, judged())
    restored = Policy(now_ns=START)
    restored.restore(decode(encode(policy.document())))
    assert events(judge(restored, judged(START + SECOND))) == []
