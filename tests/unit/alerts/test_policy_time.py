"""Incidents over restarts, clocks that jump, and the end."""

from __future__ import annotations

from sensor.alerts.incident import Kind
from sensor.alerts.log import format_line
from sensor.alerts.policy import Policy
from tests.unit.alerts.told import HOUR, MINUTE, eve, events, take
from tests.unit.samples import SECOND, START, hit


def test_a_restored_policy_goes_on_with_id_sums_and_deadlines() -> None:
    first = Policy(now_ns=START)
    (opened,) = events(take(first, hit()))
    second = Policy(now_ns=START + 5 * MINUTE)
    second.restore(first.document())
    assert not events(take(second, hit(START + 6 * MINUTE, flow_id=8)))
    update, closed = events(second.tick(START + 3 * HOUR))
    assert (update.incident, closed.incident) == (opened.incident, opened.incident)
    assert update.time_ns == START + 10 * MINUTE
    assert closed.figures is not None
    assert (closed.figures["contacts"], closed.figures["bytes_out"]) == (2, 360)


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
    figures = events(outputs)[0].figures
    assert figures is not None
    assert figures["contacts"] == 1


def test_finish_closes_everything_with_its_sums() -> None:
    policy = Policy()
    take(policy, hit(), hit(START + SECOND, flow_id=8))
    update, closed = events(policy.finish("end of the capture"))
    assert (update.kind, closed.kind) == (Kind.UPDATE, Kind.CLOSE)
    assert format_line(closed).endswith("2 contacts in 1 s, last 09:14:04; end of the capture")
