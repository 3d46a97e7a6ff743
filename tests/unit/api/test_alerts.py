"""Questions about incidents."""

from __future__ import annotations

from typing import Any

import pytest

from sensor.alerts.desk import AlertDesk, EventLog
from sensor.alerts.incident import Condition
from sensor.alerts.policy import Policy
from sensor.api.alerts import AlertQuery
from sensor.api.live import LiveView
from sensor.engine import Batch
from sensor.identity.naming import Identities
from tests.unit.samples import SECOND, START, FakeEngine, finding, hit

NOW = START + 3600 * SECOND


@pytest.fixture
def view() -> LiveView:
    """A closed condition, then an open bulk mail, then an open hit an hour later."""
    engine: Any = FakeEngine()
    desk = AlertDesk(Policy(), EventLog(engine.log_event, frozenset(), "hq"))
    desk.observe([Condition("mirror.silent", "eth1", "is down")], START)
    desk.observe([Condition("mirror.silent", "eth1", "is up", over=True)], START + SECOND)
    desk.take(Batch(START + 2 * SECOND, [], [finding(START + 2 * SECOND, rule="smtp.fanout")]))
    desk.take(Batch(NOW, [hit(NOW)]))
    return LiveView(engine, desk, engine.counters, tuple, Identities(10))


def asked(view: LiveView, **parameters: str) -> list[str]:
    return [row["rule"] for row in AlertQuery.parse(parameters, NOW + SECOND).answer(view)]


@pytest.mark.parametrize(
    ("parameters", "rules"),
    [
        ({}, ["watchlist.ip", "smtp.fanout"]),
        ({"state": "closed"}, ["mirror.silent"]),
        ({"state": "all"}, ["watchlist.ip", "smtp.fanout", "mirror.silent"]),
        ({"state": "all", "limit": "2"}, ["watchlist.ip", "smtp.fanout"]),
        ({"since": "30m"}, ["watchlist.ip"]),
        ({"since": "2h"}, ["watchlist.ip", "smtp.fanout"]),
        ({"since": "2026-11-22T02:00:00Z"}, ["watchlist.ip"]),
        ({"since": "2026-11-22T10:00:00+08:00"}, ["watchlist.ip"]),
        ({"since": "2026-11-22T02:00:00"}, ["watchlist.ip"]),
        ({"rule": "smtp"}, ["smtp.fanout"]),
        ({"rule": "smtp.fanout"}, ["smtp.fanout"]),
        ({"rule": "smtp.bulk"}, []),
        ({"severity": "high"}, ["watchlist.ip"]),
        ({"severity": "medium"}, ["watchlist.ip", "smtp.fanout"]),
        ({"host": "10.20.7.12"}, ["smtp.fanout"]),
        ({"host": "10.20.0.0/16"}, ["watchlist.ip", "smtp.fanout"]),
        ({"host": "203.0.113.9"}, ["watchlist.ip"]),
        ({"state": "all", "order": "severity"}, ["watchlist.ip", "mirror.silent", "smtp.fanout"]),
        ({"order": "opened"}, ["watchlist.ip", "smtp.fanout"]),
    ],
)
def test_a_question_gives_the_incidents_that_fit(view: LiveView, parameters: dict[str, str], rules: list[str]) -> None:
    assert asked(view, **parameters) == rules


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"state": "new"}, "state: one of open, closed, all"),
        ({"since": "yesterday"}, "since: a duration such as 2h, or a time such as 2026-11-22T07:46:05Z"),
        ({"since": "2x"}, 'since: "2x" is not a duration; write one such as 250ms, 90s, 5m, 1h30m or 30d'),
        ({"since": "9999-99-99"}, "since: a duration such as 2h, or a time such as 2026-11-22T07:46:05Z"),
        ({"rule": "smtp.nothing"}, "rule: one of "),
        ({"severity": "worst"}, "severity: one of high, medium, low, info"),
        ({"host": "pc-17"}, "host: an address or a network"),
        ({"order": "rate"}, "order: one of last, opened, severity"),
        ({"limit": "0"}, "limit: a whole number from 1 to 10000"),
    ],
)
def test_what_cannot_be_understood_is_refused(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + reason.replace("(", r"\(")):
        AlertQuery.parse(parameters, NOW)


def test_an_incident_says_when_it_was_closed(view: LiveView) -> None:
    (closed,) = AlertQuery(state="closed").answer(view)
    assert (closed["opened"], closed["closed"]) == (
        "2026-11-22T01:14:03.412000+0000",
        "2026-11-22T01:14:04.412000+0000",
    )
    assert {row["closed"] for row in AlertQuery().answer(view)} == {None}
