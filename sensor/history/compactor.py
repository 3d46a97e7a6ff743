"""Keeps closed hours compact: plans what is to be made, has a process of its own make it, puts it in place."""

import json
import logging
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sensor.history.compaction import Job, Outcome
from sensor.history.exchange import can_exchange, put_in_place
from sensor.history.schema import ROLLUP
from sensor.history.tree import WORK, Hour, Made, hour_directory, hour_files, latest, made, make_directory, set_aside

_log = logging.getLogger(__name__)
_MOST_JOBS = 32
_RETRY_SECONDS = 3600.0
_SETTLED_SECONDS = 600.0
_END_SECONDS = 10.0


class _Planned(NamedTuple):
    hour: Hour
    files: list[Path]
    job: Job


class Compactor:
    """One process at a time. `failed` counts hours that could not be compacted; they are tried again after an hour."""

    def __init__(self, root: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`root` is the history's directory; nobody else writes there."""
        self.failed = 0
        self._root = root
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._can_exchange: bool | None = None
        self._planned: list[_Planned] = []
        self._not_before: dict[Hour, float] = {}

    @property
    def busy(self) -> bool:
        """Whether a process is at work."""
        return self._process is not None

    def start(self, hours: Sequence[Hour]) -> None:
        """Begin with those of these closed hours that have something to be done, at most a few dozen at once."""
        self._planned = []
        for hour in hours if self._able() else ():
            if len(self._planned) == _MOST_JOBS:
                break
            planned = self._plan(hour) if self._may_try(hour) else None
            if planned is not None:
                self._planned.append(planned)
        if self._planned:
            try:
                self._process = self._spawn([planned.job for planned in self._planned])
            except OSError as error:
                for planned in self._planned:
                    self._failed(planned.hour, str(error))

    def finished(self, *, wait: bool = False) -> set[Hour] | None:
        """Put in place what the process has made, once it has ended; gives the hours that it was about."""
        if self._process is None or (self._process.poll() is None and not wait):
            return None
        assert self._process.stdout is not None  # noqa: S101  # a pipe, as it was opened
        lines = self._process.stdout.read().splitlines()
        self._release()
        outcomes: list[Outcome] = [json.loads(line) for line in lines]
        for planned, outcome in zip(self._planned, outcomes, strict=False):
            self._settle(planned, outcome)
        for planned in self._planned[len(outcomes) :]:
            self._failed(planned.hour, "the process was ended")
        rollups = {Hour(planned.hour.number, ROLLUP) for planned in self._planned if "rollup" in planned.job}
        return {planned.hour for planned in self._planned} | rollups

    def stop(self) -> None:
        """End the process; what it has begun is of no use."""
        if self._process is not None:
            self._process.kill()
            self._release()

    def _able(self) -> bool:
        if self._can_exchange is None:
            self._can_exchange = can_exchange(self._root / WORK)
            if not self._can_exchange:
                reason = "its file system cannot exchange directories"
                _log.warning("history %s is not compacted: %s; searching it takes longer", self._root, reason)
        return self._can_exchange

    def _may_try(self, hour: Hour) -> bool:
        return self._monotonic() >= self._not_before.get(hour, 0.0)

    def _plan(self, hour: Hour) -> _Planned | None:
        """Plan an hour in which something is to be done; None if there is nothing, or if more is likely to come."""
        files = hour_files(self._root, hour)
        new = [file for file in files if made(file) is None]
        earlier = latest(files)
        if not (self._is_settled(new) if earlier and new else new or self._lacks_rollup(hour, earlier)):
            return None
        of = Made(earlier.id, earlier.generation + 1) if earlier else Made(secrets.token_hex(4), 0)
        work = self._root / WORK / f"{hour.kind}-{hour.number}"
        job: Job = {
            "kind": hour.kind,
            "inputs": [str(file) for file in files],
            "id": of.id,
            "generation": of.generation,
            "work": str(work),
        }
        if hour.kind == "flow" and self._owes_rollup(hour, of):
            job["rollup"] = str(work.with_name(f"{ROLLUP}-{hour.number}"))
        return _Planned(hour, files, job)

    def _owes_rollup(self, hour: Hour, of: Made) -> bool:
        """Whether the flows that are there are all that the hour had; else its rollup tells more than they do."""
        rollup = self._rollup(hour)
        return rollup is None or rollup.id == of.id

    @staticmethod
    def _is_settled(new: Sequence[Path]) -> bool:
        return time.time() - max(file.stat().st_mtime for file in new) >= _SETTLED_SECONDS

    def _lacks_rollup(self, hour: Hour, flows: Made | None) -> bool:
        """Whether a crash came between the flows and their rollup."""
        if hour.kind != "flow" or flows is None:
            return False
        rollup = self._rollup(hour)
        return rollup is None or (rollup.id == flows.id and rollup < flows)

    def _rollup(self, hour: Hour) -> Made | None:
        return latest(hour_files(self._root, Hour(hour.number, ROLLUP)))

    def _spawn(self, jobs: list[Job]) -> "subprocess.Popen[bytes]":
        for job in jobs:
            for directory in filter(None, (job["work"], job.get("rollup"))):
                shutil.rmtree(directory, ignore_errors=True)
                make_directory(Path(directory))
        command = [sys.executable, "-P", "-m", "sensor.history.compaction"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None  # noqa: S101  # a pipe, as it was opened
        try:
            process.stdin.write(json.dumps([str(self._root), jobs]).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            # It has died already; its end tells.
            pass
        return process

    def _settle(self, planned: _Planned, outcome: Outcome) -> None:
        for name in outcome["damaged"]:
            self._quarantine(Path(name))
        if outcome["error"] is None:
            try:
                self._put_in_place(planned)
            except OSError as error:
                self._failed(planned.hour, str(error))
        elif not outcome["damaged"] and all(file.exists() for file in planned.files):
            self._failed(planned.hour, outcome["error"])

    def _put_in_place(self, planned: _Planned) -> None:
        """Flows first: of a rollup that is older than its flows the next compaction makes another one."""
        job, hour = planned.job, planned.hour
        if not all(file.exists() for file in planned.files):
            # Retention was faster.
            return
        put_in_place(Path(job["work"]), hour_directory(self._root, hour), {file.name for file in planned.files})
        if "rollup" in job:
            rollup = Hour(hour.number, ROLLUP)
            names = {file.name for file in hour_files(self._root, rollup)}
            put_in_place(Path(job["rollup"]), hour_directory(self._root, rollup), names)

    def _quarantine(self, file: Path) -> None:
        try:
            aside = set_aside(file)
        except OSError as error:
            _log.error("history: %s is damaged and cannot be set aside: %s", file, error.strerror)
        else:
            _log.warning("history: %s is damaged: set aside as %s, its records are lost", file, aside.name)

    def _failed(self, hour: Hour, reason: str) -> None:
        self.failed += 1
        self._not_before[hour] = self._monotonic() + _RETRY_SECONDS
        place = hour_directory(self._root, hour)
        _log.warning("history: %s cannot be compacted: %s; it stays as it is, and is tried again", place, reason)

    def _release(self) -> None:
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process.wait(_END_SECONDS)
            self._process = None
