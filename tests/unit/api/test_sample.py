from __future__ import annotations

import itertools

from sensor.api.sample import Sampler
from sensor.engine import Batch
from tests.unit.api.test_server import view_of
from tests.unit.samples import START, SUMS, FakeEngine, flow_row, hit, host_row, interface


def test_rates_are_those_since_the_sample_before() -> None:
    engine = FakeEngine()
    times = iter([100.0, 102.0, 110.0])
    sampler = Sampler(view_of(engine), lambda: next(times))
    first = sampler.take()
    assert set(first["rates"].values()) == {None}
    engine.changes = {"interfaces": interface(captured_frames=150, captured_bytes=58_000, kernel_dropped_frames=4)}
    second = sampler.take()
    assert second["totals"]["frames"] == 150
    assert second["rates"] == {
        "frames_per_second": 25.0,
        "bytes_per_second": 10_000.0,
        "kernel_dropped_frames_per_second": 2.0,
        "ring_dropped_frames_per_second": 0.0,
        "flows_ended_per_second": 0.0,
        "watchlist_hits_per_second": 0.0,
    }
    (port,) = second["interfaces"]
    assert (port["name"], port["state"], port["frames_per_second"]) == ("eth1", "up", 25.0)
    assert set(sampler.take()["rates"].values()) == {None}, "an average over a pause is no rate"


def test_alerts_are_told_when_they_are_new_change_or_close() -> None:
    engine = FakeEngine()
    view = view_of(engine)
    sampler = Sampler(view, itertools.count(100.0).__next__)
    changed = [sampler.take()["alerts"]["changed"], sampler.take()["alerts"]["changed"]]
    assert [[row["contacts"] for row in rows] for rows in changed] == [[1], []]
    view._desk.take(Batch(START + 1, [hit(START + 1, flow_id=8)]))
    assert [row["contacts"] for row in sampler.take()["alerts"]["changed"]] == [2]
    view._desk.finish("end")
    last = sampler.take()["alerts"]
    assert (last["open"], [bool(row["closed"]) for row in last["changed"]]) == (0, [True])


def test_a_sample_asks_the_core_once_for_each_table_and_is_bounded() -> None:
    engine = FakeEngine(flow_rows=[flow_row(flow_id=n) for n in range(2000)], host_rows=[host_row()] * 2000)
    taken = Sampler(view_of(engine)).take()
    assert (len(taken["flows"]), len(taken["hosts"])) == (100, 100)
    assert (taken["remotes"], taken["vlans"]) == (SUMS["remotes"], SUMS["vlans"])
    assert engine.asked == [("sums", "", "", 100), ("flows", "", "rate", 100), ("hosts", "", "rate", 100)]
