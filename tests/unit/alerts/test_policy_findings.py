"""Incidents of findings, conditions and judgements."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from sensor.alerts.incident import Condition, Event, Kind
from sensor.alerts.log import format_line
from sensor.alerts.policy import EVE_ALERTS_PER_INCIDENT, Output, Policy
from sensor.alerts.rules import Severity
from sensor.alerts.state import decode, encode
from sensor.config.detection import Suppression
from sensor.engine import Batch
from tests.unit.alerts.told import HOUR, MINUTE, eve, events, lines, take
from tests.unit.samples import SECOND, START, finding, judged


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
