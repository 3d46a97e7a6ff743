from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from sensor.alerts.incident import Event, Kind
from sensor.alerts.log import MOST_WAITING, AlertLog, format_line
from sensor.alerts.rules import Severity
from tests.unit.samples import START


def event(number: int = 0) -> Event:
    return Event(Kind.OPEN, START, (f"event {number}",), "watchlist.ip", Severity.HIGH, "1f3a")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_is_one_write_with_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write

    def spy(descriptor: int, data: bytes) -> int:
        written.append(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", spy)
    log = AlertLog(tmp_path / "alerts.log")
    log.write(event())
    assert written == [(format_line(event()) + "\n").encode()]
    assert log.path.read_bytes() == written[0]
    assert log.written == 1


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    path.write_text("earlier\n")
    log = AlertLog(path)
    log.write(event())
    assert path.read_text().startswith("earlier\n2026-")


@pytest.mark.parametrize("recreated", [True, False])
def test_a_rotated_file_is_left_within_a_second(tmp_path: Path, recreated: bool) -> None:
    clock = Clock()
    log = AlertLog(tmp_path / "alerts.log", clock)
    log.write(event(1))
    log.path.rename(tmp_path / "alerts.log.1")
    if recreated:
        log.path.touch()
    log.write(event(2))
    clock.now += 1.0
    log.write(event(3))
    assert "event 3" in log.path.read_text()
    assert "event 2" in (tmp_path / "alerts.log.1").read_text()


def test_lines_wait_while_the_file_cannot_be_written_and_none_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    directory = tmp_path / "log"
    log = AlertLog(directory / "alerts.log", clock)
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            log.write(event(number))
            clock.now += 1
        assert len(caplog.records) == 1
        assert log.error == "No such file or directory"
        clock.now += 60
        log.flush()
        assert len(caplog.records) == 2
        directory.mkdir()
        log.flush()
    assert [line.split()[-1] for line in log.path.read_text().splitlines()] == ["0", "1", "2", "3", "4"]
    assert (log.written, log.dropped) == (5, 0)
    assert not log.error


def test_the_oldest_lines_beyond_the_bound_are_lost_and_counted(tmp_path: Path) -> None:
    log = AlertLog(tmp_path / "log" / "alerts.log")
    for number in range(MOST_WAITING + 3):
        log.write(event(number))
    assert log.dropped == 3
    log.path.parent.mkdir()
    log.flush()
    lines = log.path.read_text().splitlines()
    assert len(lines) == MOST_WAITING
    assert lines[0].endswith("event 3")


def test_a_line_that_fits_only_in_part_leaves_no_half_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AlertLog(tmp_path / "alerts.log")
    log.write(event(1))
    whole = log.path.read_bytes()
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:10]))
        log.write(event(2))
    assert log.path.read_bytes() == whole
    assert log.error == os.strerror(28)
    log.write(event(3))
    assert [line.split()[-1] for line in log.path.read_text().splitlines()] == ["1", "2", "3"]


def test_a_full_device_breaks_nothing() -> None:
    log = AlertLog(Path("/dev/full"))
    log.write(event())
    assert log.error == os.strerror(28)
    log.close()
