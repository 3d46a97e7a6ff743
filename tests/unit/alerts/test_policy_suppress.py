"""What the configuration keeps out of the logs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from sensor.alerts.policy import Policy
from sensor.config.detection import Suppression
from tests.unit.alerts.told import HOUR, events, take
from tests.unit.samples import C2, HOST, SECOND, START, hit


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
    assert closed.figures is not None
    assert closed.figures["contacts"] == 1
