from __future__ import annotations

import json

from sensor.alerts.conditions import Health, Verdict
from sensor.alerts.desk import AlertDesk, EventLog
from sensor.alerts.incident import Condition, Event, Kind
from sensor.alerts.policy import Policy
from sensor.alerts.state import decode
from sensor.engine import Batch
from tests.unit.samples import SECOND, START, hit


def desk_with(types: set[str]) -> tuple[AlertDesk, list[Event], list[Event], list[str]]:
    lines: list[Event] = []
    heard: list[Event] = []
    eve: list[str] = []
    desk = AlertDesk(Policy(), EventLog(eve.append, frozenset(types), "hq"), (lines.append, heard.append))
    return desk, lines, heard, eve


def test_a_batch_goes_to_the_log_the_event_log_and_the_listener() -> None:
    desk, lines, heard, eve = desk_with({"alert"})
    desk.take(Batch(START + 1, [hit()]))
    assert [event.kind for event in lines] == [Kind.OPEN]
    assert heard == lines
    assert [json.loads(line)["alert"]["context"]["incident"] for line in eve] == [lines[0].incident]


def test_only_wanted_types_reach_the_event_log() -> None:
    for types, written in (({"alert"}, 0), ({"anomaly"}, 1), (set(), 0)):
        desk, lines, _, eve = desk_with(types)
        desk.observe([Condition("mirror.silent", "eth1", "is down")], START)
        assert len(lines) == 1
        assert len(eve) == written


def test_the_state_is_given_once_for_each_change() -> None:
    desk, *_ = desk_with(set())
    assert desk.unsaved_state() is None
    desk.take(Batch(START, [hit()]))
    state = desk.unsaved_state()
    assert state is not None
    assert len(decode(state).incidents) == 1
    assert desk.unsaved_state() is None
    desk.tick(START + 2 * 3600 * SECOND)
    closed = desk.unsaved_state()
    assert closed is not None
    assert decode(closed).incidents == []


def test_numbers_and_incidents_are_told() -> None:
    desk, lines, *_ = desk_with(set())
    desk.take(Batch(START, [hit()]))
    desk.heartbeat(Health(Verdict.OK, (), 1.0, 0, None), START)
    assert lines[-1].kind is Kind.ALIVE
    assert desk.numbers().opened == {("watchlist.ip", "high"): 1}
    (incident,) = desk.open_incidents()
    assert incident["rule"] == "watchlist.ip"
    assert incident["contacts"] == 1
    assert incident["bytes_out"] == 180
    desk.finish("end")
    assert desk.numbers().open == 0
