"""Captures cut by a real child process out of a real ring."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sensor.config import Config
from sensor.evidence.child import Task
from sensor.evidence.cutter import Cutter, Missed
from sensor.evidence.losses import Losses
from sensor.evidence.order import Order
from sensor.evidence.store import EvidenceStore
from tests.live.ring import read_segment
from tests.unit.evidence.conftest import C2, FRAME_BYTES, HOST, OTHER, SECOND, START, frame, until

MakeOrder = Callable[..., Order]


def cutter(config: Config, max_size: int | None = None) -> Cutter:
    store = EvidenceStore(config.evidence.directory, max_size or config.evidence.max_size)
    return Cutter(config, store, Losses())


def names(config: Config) -> list[str]:
    return sorted(path.name for path in config.evidence.directory.iterdir())


def seconds(path: Path) -> list[int]:
    return [(entry.time_ns - START) // SECOND for entry in read_segment(path)]


def manifest(config: Config, stem: str = "1f3a") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((config.evidence.directory / f"{stem}.json").read_text())
    return content


def test_the_packets_of_host_and_remote_around_the_incident_are_cut_raw(config: Config, order: MakeOrder) -> None:
    assert cutter(config).cut(order()) == "1f3a.pcap"
    path = config.evidence.directory / "1f3a.pcap"
    assert [entry.frame for entry in read_segment(path)] == [frame(HOST, C2, number) for number in range(20, 61)]
    told = manifest(config)
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (told["packets"], told["bytes"], told["complete"]) == (41, path.stat().st_size, True)
    assert (told["incident"], told["rule"], told["severity"]) == ("1f3a", "watchlist.ip", "high")
    assert (told["host"], told["remote"], told["file"]) == (HOST, C2, "1f3a.pcap")
    assert names(config) == ["1f3a.json", "1f3a.pcap"]


def test_without_a_remote_all_of_the_host_is_cut(config: Config, order: MakeOrder) -> None:
    cutter(config).cut(order(remote=""))
    frames = [entry.frame for entry in read_segment(config.evidence.directory / "1f3a.pcap")]
    assert frames == [frame(HOST, remote, number) for number in range(20, 61) for remote in (C2, OTHER)][:-1]


def test_of_too_much_those_around_the_trigger_are_kept(config: Config, order: MakeOrder) -> None:
    room = 12 * (FRAME_BYTES + 16)
    made = cutter(config, max_size=8 * room).cut(order())
    path = config.evidence.directory / str(made)
    kept = seconds(path)
    assert kept[0] < 50 < kept[-1]
    assert kept == list(range(kept[0], kept[-1] + 1))
    assert path.stat().st_size <= room
    assert manifest(config)["complete"] is False


def test_a_second_capture_does_not_replace_the_first(config: Config, order: MakeOrder) -> None:
    at_work = cutter(config)
    assert at_work.cut(order()) == "1f3a.pcap"
    later = START + 61 * SECOND
    assert at_work.cut(order(since_ns=later, trigger_ns=later, until_ns=START + 70 * SECOND)) == "1f3a-2.pcap"
    assert seconds(config.evidence.directory / "1f3a-2.pcap") == list(range(61, 71))


def test_what_the_ring_does_not_hold_leaves_nothing(config: Config, order: MakeOrder) -> None:
    assert cutter(config).cut(order(host="10.9.9.9")) is Missed.NOT_IN_RING
    assert names(config) == []


def test_all_together_stay_within_the_cap_also_while_one_is_written(
    config: Config, order: MakeOrder, monkeypatch: Any
) -> None:
    cap, sizes = 400_000, []
    at_work = cutter(config, max_size=cap)
    run = at_work._run

    def sizes_before(task: Task) -> int:
        sizes.append(sum(path.stat().st_size for path in config.evidence.directory.iterdir()) + task["limit_bytes"])
        return run(task)

    monkeypatch.setattr(at_work, "_run", sizes_before)
    for number in range(12):
        assert at_work.cut(order(incident=f"aa{number:02}")) == f"aa{number:02}.pcap"
        sizes.append(sum(path.stat().st_size for path in config.evidence.directory.iterdir()))
    assert max(sizes) <= cap
    assert "aa11.pcap" in names(config)
    assert "aa00.pcap" not in names(config)
    assert all(name.replace("pcap", "json") in names(config) for name in names(config))


def test_a_full_disk_is_told_and_leaves_nothing(config: Config, order: MakeOrder) -> None:
    ring = config.pcap_ring.model_copy(update={"min_free": 1 << 60})
    full = config.model_copy(update={"pcap_ring": ring})
    assert cutter(full).cut(order()) is Missed.DISK_FULL
    assert names(config) == []


def test_a_failing_child_is_a_failure_and_leaves_nothing(config: Config, order: MakeOrder, caplog: Any) -> None:
    (config.evidence.directory / "1f3a.pcap.tmp").mkdir()
    assert cutter(config).cut(order()) is Missed.FAILED
    assert "no capture of incident #1f3a: cannot write" in caplog.text


def test_a_stop_ends_the_child(config: Config, order: MakeOrder, tmp_path: Path, monkeypatch: Any) -> None:
    endless = tmp_path / "endless"
    endless.write_text("#!/bin/sh\nexec sleep 300\n")
    endless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(endless))
    at_work = cutter(config)
    made: list[object] = []
    thread = threading.Thread(target=lambda: made.append(at_work.cut(order())))
    thread.start()
    until(lambda: at_work._child is not None)
    at_work.stop()
    thread.join(20)
    assert made == [Missed.FAILED]
    assert at_work.cut(order()) is Missed.FAILED


def test_a_child_whose_parent_is_gone_ends_without_a_capture(config: Config, order: MakeOrder) -> None:
    task = cutter(config)._task(order(), "1f3a")
    script = "import subprocess as s, sys, time; c = s.Popen((sys.executable, '-m', 'sensor.evidence.child'));"
    script += "print(c.pid, flush=True); time.sleep(300)"
    parent = subprocess.Popen((sys.executable, "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdin is not None
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    # By the time that it has lowered its priority it knows its parent.
    until(lambda: os.getpriority(os.PRIO_PROCESS, child) == 19)
    parent.kill()
    parent.wait()
    parent.stdin.write(json.dumps(task))
    parent.stdin.close()
    until(lambda: has_ended(child))
    assert names(config) == []


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
