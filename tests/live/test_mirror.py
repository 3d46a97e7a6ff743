"""A mirror port that does not tell the truth is told, with its figures; a healthy one is not."""

from __future__ import annotations

import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess, assert_accounts_close, total
from tests.traffic import mirrors

pytestmark = pytest.mark.live


def verdict(daemon: SensorProcess) -> str:
    """The one state that the metric says is true."""
    samples = daemon.scrape()
    states = [state for state in ("ok", "degraded", "blind") if samples[f'spanwatch_mirror_state{{state="{state}"}}']]
    assert len(states) == 1
    return states[0]


FAULTS = {
    "one-sided": (mirrors.one_sided(mirrors.connections(40)), "blind", "TCP connections show one direction"),
    "duplicates": (mirrors.twice(mirrors.connections(20)), "degraded", "frames are copies:"),
    "loss": (mirrors.erspan(mirrors.whole(mirrors.connections(20)), every=10), "degraded", "lost on the way"),
    "degraded": (mirrors.flooded(200), "blind", "only broadcast and multicast"),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_figures(lab: Lab, sensor: SensorFactory, fault: str, workers: int) -> None:
    frames, state, words = FAULTS[fault]
    daemon = sensor(capture={"workers": workers}, alerts={"heartbeat": "1s"}).start()
    lab.send(frames)
    daemon.captures(len(frames))
    assert "mirror0" in daemon.alerted("OPEN", f"mirror.{fault}", words)
    until("the verdict", lambda: verdict(daemon) == state)
    daemon.alerted(f"ALIVE  mirror {state}:", words)
    if fault == "one-sided":
        # The alert may tell of the first connections only; the heartbeat tells of all.
        daemon.alerted("ALIVE", f"40 of 40 {words}")
    assert_accounts_close(daemon.scrape())
    assert daemon.stop() == 0


def test_gaps_in_a_session_are_counted_to_the_frame(lab: Lab, sensor: SensorFactory) -> None:
    frames = mirrors.erspan(mirrors.whole(mirrors.connections(20)), every=10)
    first, last = (int.from_bytes(frame[38:42]) for frame in (frames[0], frames[-1]))
    daemon = sensor(capture={"workers": 2}).start()
    lab.send(frames)
    daemon.captures(len(frames))
    name = 'spanwatch_mirror_sequence_lost_frames_total{encapsulation="erspan_ii"}'
    lost = last - first + 1 - len(frames)
    until("the gaps", lambda: daemon.scrape().get(name) == lost)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_healthy_mirror_is_well(lab: Lab, sensor: SensorFactory, workers: int) -> None:
    frames = mirrors.whole(mirrors.connections(40))
    daemon = sensor(capture={"workers": workers}, alerts={"heartbeat": "1s"}).start()
    lab.send(frames)
    daemon.captures(len(frames))
    daemon.alerted("ALIVE  mirror ok")
    assert daemon.stop() == 0
    assert not daemon.alert_lines("mirror.")


def test_copies_are_left_out_where_that_is_wanted(lab: Lab, sensor: SensorFactory) -> None:
    once = mirrors.whole(mirrors.connections(5))
    daemon = sensor(capture={"deduplicate": "on"}).start()
    lab.send(mirrors.twice(mirrors.connections(5)))
    daemon.captures(2 * len(once))
    samples = daemon.scrape()
    assert samples['spanwatch_analysis_frames_total{result="duplicate"}'] == len(once)
    assert samples['spanwatch_analysis_frames_total{result="flow"}'] == len(once)
    assert_accounts_close(samples)
    until("the copies", lambda: total(daemon.scrape(), "spanwatch_mirror_duplicate_frames_total") == len(once))


def test_one_bad_port_of_two_degrades_and_is_named(lab: Lab, sensor: SensorFactory) -> None:
    lab.add_cable("switch1", "mirror1")
    daemon = sensor(capture={"interfaces": ["mirror0", "mirror1"], "workers": 2}, alerts={"heartbeat": "1s"}).start()
    frames = list(mirrors.connections(40))
    healthy, one_sided = mirrors.whole(frames[: len(frames) // 2]), mirrors.one_sided(frames[len(frames) // 2 :])
    lab.send(healthy)
    lab.send(one_sided, "switch1")
    daemon.captures(len(healthy) + len(one_sided))
    line = daemon.alerted("OPEN", "mirror.one-sided", "TCP connections show one direction")
    assert "mirror1" in line
    assert "mirror0" not in line
    until("the verdict", lambda: verdict(daemon) == "degraded")
    assert daemon.stop() == 0
    assert len(daemon.alert_lines("OPEN", "mirror.one-sided")) == 1
