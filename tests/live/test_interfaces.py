"""Interfaces come and go; the sensor waits, says so and resumes."""

from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess, assert_accounts_close
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

FRAMES = office_frames(300, seed=13)


def is_up(daemon: SensorProcess) -> bool:
    return daemon.scrape()['spanwatch_capture_interface_up{interface="mirror0"}'] == 1


def resumes(lab: Lab, daemon: SensorProcess) -> None:
    """Frames are captured again."""
    until("the interface to be up again", lambda: is_up(daemon))
    before = daemon.captured()
    lab.send(FRAMES)
    until("frames after the return", lambda: daemon.captured() >= before + len(FRAMES))
    assert_accounts_close(daemon.scrape())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interface_that_goes_down_is_waited_for(lab: Lab, sensor: SensorFactory, workers: int) -> None:
    daemon = sensor(capture={"workers": workers}).start()
    lab.send(FRAMES)
    daemon.captures(len(FRAMES))
    lab.ip("link", "set", "mirror0", "down")
    until("the sensor to notice", lambda: not is_up(daemon))
    daemon.alerted("OPEN", "mirror.silent")
    assert "mirror0" in daemon.said()
    lab.ip("link", "set", "mirror0", "up")
    resumes(lab, daemon)
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring)[-len(FRAMES) :] == FRAMES or workers > 1


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interface_that_is_removed_and_made_again_is_taken_up(lab: Lab, sensor: SensorFactory, workers: int) -> None:
    daemon = sensor(capture={"workers": workers}).start()
    lab.send(FRAMES)
    daemon.captures(len(FRAMES))
    for _ in range(2):
        lab.ip("link", "delete", "switch0")
        until("the sensor to notice", lambda: not is_up(daemon))
        assert daemon.running()
        lab.add_cable("switch0", "mirror0")
        resumes(lab, daemon)
    assert daemon.stop() == 0


def test_one_interface_that_is_gone_does_not_stop_the_other(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    lab.add_cable("switch1", "mirror1")
    daemon = sensor(tmp_path, capture={"interfaces": ["mirror0", "mirror1"]}).start()
    lab.ip("link", "delete", "switch0")
    until("the sensor to notice", lambda: not is_up(daemon))
    lab.send(FRAMES, "switch1")
    daemon.captures(len(FRAMES))
    assert daemon.stop() == 0
