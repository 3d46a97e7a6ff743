"""What `read` says of the mirror that a capture came from: the same each time, and nothing of a healthy one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sensor.demo.frames import vlan
from sensor.demo.pcap_file import write_pcap
from sensor.demo.traffic import office
from tests.peers.read import Result, read
from tests.traffic import mirrors
from tests.traffic.office import write_office

pytestmark = pytest.mark.peers

START_NS = 1_800_000_000_000_000_000
MS_NS = 1_000_000


def capture(path: Path, frames: Iterable[bytes]) -> Path:
    """One frame a tenth of a millisecond."""
    write_pcap(path, ((START_NS + number * MS_NS // 10, frame) for number, frame in enumerate(frames)))
    return path


def rules(result: Result) -> set[str]:
    """The rules of the mirror that alerted, as both logs tell."""
    logged = {event["anomaly"]["event"] for event in result.eve if event["event_type"] == "anomaly"}
    assert all(rule in result.alerts for rule in logged)
    return logged


FAULTS = {
    "one-sided": mirrors.one_sided(mirrors.connections(40)),
    "duplicates": mirrors.routed_too(mirrors.connections(40)),
    "loss": mirrors.with_holes(mirrors.connections(40)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_the_same_for_any_number_of_workers(fault: str, spanwatch: Path, tmp_path: Path) -> None:
    source = capture(tmp_path / "mirror.pcap", FAULTS[fault])
    runs = [
        read(spanwatch, tmp_path / str(number), [source], capture={"workers": workers})
        for number, workers in enumerate((1, 1, 2, 3))
    ]
    assert rules(runs[0]) == {f"mirror.{fault}"}
    for run in runs[1:]:
        assert run.lines() == runs[0].lines()
        assert run.alerts == runs[0].alerts


def test_a_session_with_gaps_is_told_and_one_without_is_not(spanwatch: Path, tmp_path: Path) -> None:
    for every, expected in ((0, set[str]()), (20, {"mirror.loss"})):
        frames = mirrors.erspan(mirrors.whole(mirrors.connections(40)), every)
        source = capture(tmp_path / f"{every}.pcap", frames)
        runs = [read(spanwatch, tmp_path / f"{every}-{n}", [source], capture={"workers": n}) for n in (1, 3)]
        assert [rules(run) for run in runs] == [expected, expected]
        assert runs[0].alerts == runs[1].alerts


def test_healthy_captures_alert_nothing(spanwatch: Path, tmp_path: Path) -> None:
    demo, busy = tmp_path / "demo.pcap", tmp_path / "office.pcap"
    minute = itertools.takewhile(lambda step: step[0] < 60, office(seed=7))
    write_pcap(demo, ((START_NS + int(at * 1e9), frame) for at, frame in minute))
    write_office(busy, 50_000, seed=3)
    whole = capture(tmp_path / "whole.pcap", mirrors.whole(mirrors.connections(40)))
    for source in (demo, busy, whole):
        assert not rules(read(spanwatch, tmp_path / source.stem, [source]))


def test_copies_leave_the_accounts_closed(spanwatch: Path, tmp_path: Path) -> None:
    frames = mirrors.routed_too(mirrors.connections(5))
    result = read(
        spanwatch, tmp_path / "out", [capture(tmp_path / "m.pcap", frames)], capture={"deduplicate": "on", "workers": 2}
    )
    assert sum(result.flow_packets().values()) == len(frames) // 2
    analysis = next(event for event in result.eve if event["event_type"] == "stats")["spanwatch"]["analysis"]
    assert (analysis["duplicate"], sum(analysis.values())) == (len(frames) // 2, len(frames))


def minutes(path: Path, frames: list[bytes], number: int) -> Path:
    """The frames again and again, each second for so many minutes."""
    gap_ns = 1000 * MS_NS // len(frames)
    times = itertools.count(START_NS, gap_ns)
    write_pcap(path, ((next(times), frame) for _ in range(number * 60) for frame in frames))
    return path


@pytest.mark.parametrize(
    ("expected", "missing"),
    [
        ({"expected_vlans": [20], "expected_subnets": ["10.7.0.0/16"]}, None),
        ({"expected_vlans": [20, 30]}, "VLAN 30"),
        ({"expected_subnets": ["10.7.0.0/16", "10.8.0.0/16"]}, "10.8.0.0/16"),
    ],
)
def test_what_is_expected_and_does_not_show_is_missed(
    expected: dict[str, Any], missing: str | None, spanwatch: Path, tmp_path: Path
) -> None:
    frames = [vlan(frame, 20) for frame in mirrors.whole(mirrors.connections(2))]
    source = minutes(tmp_path / "vlan.pcap", frames, 2)
    result = read(spanwatch, tmp_path / "out", [source], detect={"mirror": expected})
    told = [line for line in result.alerts.splitlines() if "OPEN" in line and "mirror.degraded" in line]
    assert len(told) == (missing is not None)
    assert missing is None or missing in told[0]


def test_a_port_that_is_full_is_told_by_its_speed(spanwatch: Path, tmp_path: Path) -> None:
    frames = mirrors.whole(mirrors.connections(40))
    bits = 8 * sum(map(len, frames))
    source = minutes(tmp_path / "full.pcap", frames, 1)
    for speed, expected in ((bits * 9 // 10, {"mirror.degraded"}), (bits * 2, set[str]())):
        mirror = {"port_speed": f"{speed // 1000}kbit/s"}
        found = rules(read(spanwatch, tmp_path / str(speed), [source], detect={"mirror": mirror}))
        assert found & {"mirror.degraded"} == expected
