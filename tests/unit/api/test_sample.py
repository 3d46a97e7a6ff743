from __future__ import annotations

import itertools

from sensor.api.sample import Sampler, remotes, vlans
from sensor.engine import Batch
from tests.unit.api.test_server import view_of
from tests.unit.samples import C2, HOST, START, FakeEngine, flow_row, hit, host_row, interface

OTHER = "10.20.3.45"


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
    assert engine.asked == [("flows", "", "rate", 1000), ("hosts", "", "rate", 100)]


FLOWS = [
    flow_row(local="orig", resp_port=443),
    flow_row(local="orig", orig_ip=OTHER, resp_port=80, vlan=[30]),
    flow_row(local="resp", orig_ip=C2, orig_port=4000, resp_ip=HOST, resp_port=22),
    flow_row(local="orig", resp_ip=OTHER, resp_port=445, resp_bytes_per_second=10**6),
]


def test_remotes_are_summed_up_as_the_own_hosts_see_them() -> None:
    (row,) = remotes(FLOWS, view_of(FakeEngine()))
    assert row == {
        "ip": C2,
        "ports": ["tcp/22", "tcp/443", "tcp/80"],
        "hosts": 2,
        "flows": 3,
        "bytes_out": 1000 + 1000 + 20_000,
        "bytes_in": 20_000 + 20_000 + 1000,
        "bytes_out_per_second": 100 + 100 + 2000,
        "bytes_in_per_second": 2000 + 2000 + 100,
    }


def test_vlans_come_by_rate_with_their_hosts() -> None:
    assert [(row["vlan"], row["flows"], row["hosts"]) for row in vlans(FLOWS)] == [([20], 3, 1), ([30], 1, 1)]
