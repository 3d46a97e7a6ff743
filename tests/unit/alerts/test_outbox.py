from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sensor.alerts import outbox as outbox_module
from sensor.alerts.log import AlertLog
from sensor.alerts.outbox import Outbox
from sensor.alerts.state import StateFile
from tests.unit.alerts.test_log import event


def test_all_that_was_posted_is_written_in_order_at_close(tmp_path: Path) -> None:
    log, state = AlertLog(tmp_path / "alerts.log"), StateFile(tmp_path)
    outbox = Outbox(log, state)
    outbox.start()
    for number in range(500):
        outbox.post(event(number))
    outbox.save(b"first")
    outbox.save(b"last")
    outbox.close()
    assert [int(line.split()[-1]) for line in log.path.read_text().splitlines()] == list(range(500))
    assert state.path.read_bytes() == b"last"


def test_a_disk_that_hangs_holds_nobody_up_and_costs_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_QUEUED", 10)
    released, entered = threading.Event(), threading.Event()

    class SlowLog(AlertLog):
        def write(self, event: Any) -> None:
            entered.set()
            released.wait(10)
            super().write(event)

    log = SlowLog(tmp_path / "alerts.log")
    outbox = Outbox(log, None)
    outbox.start()
    outbox.post(event(0))
    assert entered.wait(10)
    for number in range(1, 16):
        outbox.post(event(number))
    assert outbox.dropped == 5
    released.set()
    outbox.close()
    assert [int(line.split()[-1]) for line in log.path.read_text().splitlines()] == [0, *range(6, 16)]


def test_lines_that_wait_are_written_when_the_file_can_be_although_nothing_new_comes(tmp_path: Path) -> None:
    log = AlertLog(tmp_path / "later" / "alerts.log")
    outbox = Outbox(log, None)
    outbox.start()
    outbox.post(event())
    log.path.parent.mkdir()
    end = time.monotonic() + 10
    while not log.path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    outbox.close()
    assert log.written == 1


def test_without_files_nothing_is_kept() -> None:
    outbox = Outbox(None, None)
    outbox.start()
    outbox.post(event())
    outbox.save(b"state")
    outbox.close()
    assert outbox.dropped == 0
