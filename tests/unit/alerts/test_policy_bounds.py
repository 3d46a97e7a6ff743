"""Many incidents: what is bounded, and what is never lost."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.alerts import policy as policy_module
from sensor.alerts.incident import Kind
from sensor.alerts.log import format_line
from sensor.alerts.policy import EVE_ALERTS_PER_INCIDENT, MOST_OPEN, Output, Policy
from sensor.engine import Batch
from tests.unit.alerts.told import HOUR, eve, events, restarted, take
from tests.unit.samples import SECOND, START, hit


def test_each_flow_that_hits_gets_an_eve_alert_up_to_a_bound_and_counts_go_on() -> None:
    policy = Policy()
    rows = [hit(START + n, flow_id=n) for n in range(EVE_ALERTS_PER_INCIDENT + 50)]
    outputs = take(policy, *rows, hit(START + 900, event="progress"))
    assert len(eve(outputs)) == EVE_ALERTS_PER_INCIDENT
    closed = events(policy.tick(START + 2 * HOUR))[-1]
    assert closed.figures is not None
    assert closed.figures["contacts"] == EVE_ALERTS_PER_INCIDENT + 50


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


@given(st.lists(hit_rows, max_size=40), st.integers(1, 7), st.booleans())
def test_counts_are_never_lost(rows: list[Any], cut: int, restarts: bool) -> None:
    rows.sort(key=lambda row: row["time_ns"])
    policy = Policy()
    outputs = []
    for begin in range(0, len(rows), cut):
        part = rows[begin : begin + cut]
        outputs += take(policy, *part)
        if restarts:
            policy = restarted(policy, part[-1]["time_ns"])
    outputs += policy.finish("end")
    closes = [event for event in events(outputs) if event.kind is Kind.CLOSE]
    totals = [event.figures for event in closes if event.figures is not None]
    assert len(totals) == len(closes)
    assert sum(total["packets_out"] for total in totals) == sum(row["packets_toserver"] for row in rows)
    assert sum(total["packets_in"] for total in totals) == sum(row["packets_toclient"] for row in rows)
    assert sum(total["bytes_out"] for total in totals) == sum(row["bytes_toserver"] for row in rows)
    assert sum(total["contacts"] for total in totals) >= sum(row["event"] == "open" for row in rows)
    last_told = {event.incident: event.figures for event in events(outputs) if event.kind is not Kind.CLOSE}
    for event in closes:
        assert last_told[event.incident] == event.figures, "a line before CLOSE tells every byte"


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
