"""The bounded set of orders."""

from __future__ import annotations

from collections.abc import Callable

from sensor.alerts.rules import Severity
from sensor.evidence.order import Order
from sensor.evidence.waiting import Waiting

MakeOrder = Callable[..., Order]


def test_an_order_comes_when_its_packets_are_there_and_the_most_severe_first(order: MakeOrder) -> None:
    waiting = Waiting()
    for name, severity, until in (("a", Severity.LOW, 10), ("b", Severity.HIGH, 30), ("c", Severity.HIGH, 20)):
        assert waiting.add(order(incident=name, severity=severity, until_ns=until))
    assert waiting.take(10) is None
    taken = [waiting.take(until) for until in (31, 31, 31, 31)]
    assert [each.incident if each else None for each in taken] == ["c", "b", "a", None]


def test_a_flood_costs_the_least_severe_and_of_those_the_latest(order: MakeOrder) -> None:
    waiting = Waiting(most=2)
    assert waiting.add(order(incident="low", severity=Severity.LOW, until_ns=1))
    assert waiting.add(order(incident="first", severity=Severity.MEDIUM, until_ns=2))
    assert not waiting.add(order(incident="high", severity=Severity.HIGH, until_ns=4))
    assert not waiting.add(order(incident="second", severity=Severity.MEDIUM, until_ns=3))
    assert len(waiting) == 2
    names = [each.incident for each in (waiting.take(9), waiting.take(9)) if each]
    assert names == ["high", "first"]
