"""Which events call for evidence, and of what."""

from __future__ import annotations

from dataclasses import replace

from sensor.alerts.incident import Event, Kind
from sensor.alerts.rules import Severity
from sensor.evidence.order import Margins

SECOND = 1_000_000_000
OPENED = 1000 * SECOND
EVENT = Event(
    Kind.OPEN, OPENED, (), "watchlist.ip", Severity.HIGH, "1f3a", "10.20.3.44", "203.0.113.9", "x", OPENED, OPENED
)
MARGINS = Margins.of_seconds(300.0, 60.0)


def test_an_opening_calls_for_what_is_around_it() -> None:
    order = MARGINS.order_for(EVENT)
    assert order is not None
    assert (order.host, order.remote, order.incident) == ("10.20.3.44", "203.0.113.9", "1f3a")
    assert (order.since_ns, order.trigger_ns, order.until_ns) == (OPENED - 300 * SECOND, OPENED, OPENED + 60 * SECOND)


def test_a_close_calls_for_what_came_after_the_first_capture() -> None:
    close = replace(EVENT, kind=Kind.CLOSE, time_ns=OPENED + 7200 * SECOND, last_ns=OPENED + 3600 * SECOND)
    order = MARGINS.order_for(close)
    assert order is not None
    assert (order.since_ns, order.until_ns) == (OPENED + 60 * SECOND + 1, OPENED + 3660 * SECOND)
    assert MARGINS.order_for(replace(close, last_ns=OPENED + 60 * SECOND)) is None


def test_where_there_is_no_single_remote_the_host_alone_is_kept() -> None:
    for remote in ("", "mail.example"):
        order = MARGINS.order_for(replace(EVENT, remote=remote))
        assert order is not None
        assert order.remote == ""


def test_what_has_no_host_calls_for_nothing() -> None:
    assert MARGINS.order_for(replace(EVENT, host="")) is None
    assert MARGINS.order_for(replace(EVENT, host="eth1")) is None
    assert MARGINS.order_for(replace(EVENT, kind=Kind.UPDATE)) is None
