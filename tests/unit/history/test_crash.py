import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sensor.history import exchange
from sensor.history.compactor import Compactor
from sensor.history.lock import Lock
from sensor.history.tree import WORK, Hour, files, hour_directory, hour_files, hours, made
from sensor.history.writer import Writer
from tests.unit.history.samples import FLOWS, NOON, flow_batch, ports, rows

_KILLS = 6
_FIRST_PORT = 1024
_HOURS, _FILES_AN_HOUR = 200, 20


class Reader(threading.Thread):
    """Looks at the tree all the time, as any DuckDB does; `wrong` is what it should not have seen."""

    def __init__(self, root: Path, is_written: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.looks = 0
        self.wrong: list[str] = []
        self.over = False
        self._root = root
        self._is_written = is_written

    def run(self) -> None:
        while not self.over and not self.wrong:
            written = self._is_written()
            try:
                seen = Counter(ports(self._root))
            except duckdb.IOException as error:
                # A file that was listed has been replaced since, or there is none yet: whoever asks asks again.
                if "No such file" not in str(error) and "No files found" not in str(error):
                    self.wrong.append(str(error))
                continue
            self.looks += 1
            missing = written - sum(port < written + _FIRST_PORT for port in seen)
            twice = [port for port, times in seen.items() if times > 1]
            if missing or twice:
                self.wrong.append(f"{missing} missing, {twice} twice")


def test_a_kill_at_any_moment_leaves_every_record_once(tmp_path: Path) -> None:
    random.seed(7)
    written = 0
    reader = Reader(tmp_path, lambda: written)
    reader.start()
    for attempt in range(_KILLS):
        compacted = _compacted(tmp_path)
        command = [sys.executable, "-m", "tests.unit.history.endless", str(tmp_path), str(written)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            batches = random.randrange(1, 12)
            # Every other time it is killed when the process beside it has just made a file, or is about the next one.
            while batches > 0 or (attempt % 2 and _compacted(tmp_path) == compacted):
                written = int(process.stdout.readline())
                batches -= 1
            process.kill()
            # It may have gone on.
            for line in process.stdout:
                written = int(line)
        assert process.returncode == -signal.SIGKILL
        # What was written and not yet told is there, once, and is not written again.
        found = ports(tmp_path)
        assert len(found) == len(set(found))
        assert found[:written] == list(range(_FIRST_PORT, _FIRST_PORT + written))
        written = len(found)
    reader.over = True
    reader.join(30)
    assert reader.wrong == []
    assert reader.looks > _KILLS


def test_a_kill_while_hours_are_deleted_leaves_the_newer_ones_whole(tmp_path: Path) -> None:
    numbers = range(NOON - _HOURS, NOON + 1)
    for number in numbers:
        directory = hour_directory(tmp_path, Hour(number, "dns"))
        directory.mkdir(parents=True)
        for place in range(_FILES_AN_HOUR):
            (directory / f"part-{place:016x}.parquet").write_bytes(b"x")
    left = _HOURS + 1
    kills_in_between = 0
    while left > 1:
        wanted = max(1, left - _HOURS // 4)
        command = [sys.executable, "-m", "tests.unit.history.deleting", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            deadline = time.monotonic() + 30
            while len(hours(tmp_path, "dns")) > wanted and time.monotonic() < deadline:
                pass
            process.kill()
        assert time.monotonic() < deadline
        assert process.returncode == -signal.SIGKILL
        kept = hours(tmp_path, "dns")
        # Of the oldest that is left some may be gone; of no other.
        assert kept == list(numbers)[-len(kept) :]
        assert {len(hour_files(tmp_path, Hour(number, "dns"))) for number in kept[1:]} <= {_FILES_AN_HOUR}
        kills_in_between += 1 < len(kept) < left
        left = len(kept)
    assert kills_in_between
    assert len(hour_files(tmp_path, Hour(NOON, "dns"))) == _FILES_AN_HOUR


def _compacted(root: Path) -> set[Path]:
    return {file for file in files(root, "flow") if made(file) is not None}


@pytest.fixture
def compactor(tmp_path: Path) -> Compactor:
    """Has two files of one hour made into one, which is still to be put in place."""
    for first in (0, 3):
        writer = Writer(tmp_path)
        writer.add("flow", flow_batch(3, first=first))
        writer.close()
    compactor = Compactor(tmp_path)
    compactor.start([FLOWS])
    return compactor


class _CrashError(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("moment", ["before the exchange", "between flows and rollup", "before the old is deleted"])
def test_a_crash_in_each_phase_of_the_exchange_leaves_every_record_once(
    tmp_path: Path, compactor: Compactor, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    real = exchange._exchange
    calls: list[Path] = []

    def crash(*args: Path) -> None:
        calls.append(args[0])
        if moment == "before the exchange" or (moment == "between flows and rollup" and len(calls) == 2):
            raise _CrashError
        real(*args)

    def crash_later(_path: Path) -> None:
        if moment == "before the old is deleted":
            raise _CrashError

    monkeypatch.setattr(exchange, "_exchange", crash)
    monkeypatch.setattr("sensor.history.exchange.shutil.rmtree", crash_later)
    with pytest.raises(_CrashError):
        compactor.finished(wait=True)
    monkeypatch.undo()
    assert ports(tmp_path) == [1024, 1025, 1026, 1027, 1028, 1029]
    # The next start clears up and goes on.
    Lock(tmp_path).release()
    assert [entry.name for entry in (tmp_path / WORK).iterdir()] == ["lock"]
    after = Compactor(tmp_path)
    after.start([FLOWS])
    after.finished(wait=True)
    assert ports(tmp_path) == [1024, 1025, 1026, 1027, 1028, 1029]
    assert sum(flows for (flows,) in rows(tmp_path, "rollup", "flows")) == 6


def test_a_full_disk_costs_records_and_is_counted_and_heals(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        _fill_and_heal(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _fill_and_heal(disk: Path) -> None:
    writer = Writer(disk)
    writer.add("flow", flow_batch(3))
    writer.flush()
    free = shutil.disk_usage(disk).free
    (disk / "others").write_bytes(bytes(free - 4096))
    writer.add("flow", flow_batch(2000, first=3))
    assert writer.flush() == set()
    assert writer.dropped == 2000
    assert writer.error is not None
    assert "No space left" in writer.error
    assert ports(disk) == [1024, 1025, 1026]
    assert list((disk / WORK).iterdir()) == []
    (disk / "others").unlink()
    writer.add("flow", flow_batch(3, first=3))
    writer.flush()
    assert ports(disk) == [1024, 1025, 1026, 1027, 1028, 1029]
    assert writer.error is None


def test_the_compaction_process_is_gone_with_the_writer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.unit.history.endless", str(tmp_path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        children: list[str] = []
        while not children:
            process.stdout.readline()
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    deadline = time.monotonic() + 10
    while any(_is_running(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
