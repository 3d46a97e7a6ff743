"""Hits become incidents: whose, how many, and when they are told again."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from sensor.alerts.incident import Kind
from sensor.alerts.log import format_line
from sensor.alerts.policy import Policy
from sensor.alerts.rules import Severity
from tests.unit.alerts.told import HOUR, MINUTE, events, lines, take
from tests.unit.samples import C2, HOST, SECOND, START, finding, hit


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


def test_severity_comes_from_the_entry_and_incidents_are_counted_by_it() -> None:
    policy = Policy()
    take(policy, hit(severity=3), hit(START + 1, flow_id=8))
    assert policy.opened == Counter({("watchlist.ip", "low"): 1})
    assert events(take(policy, finding(START + 2)))[0].severity is Severity.HIGH
