"""Cuts an order: makes room, lets a child process do it, says what became of it."""

import json
import logging
import shutil
import subprocess
import sys
import threading
from enum import StrEnum

from sensor.alerts.text import utc_stamp
from sensor.config import Config
from sensor.evidence.child import Task
from sensor.evidence.losses import Losses
from sensor.evidence.order import Order
from sensor.evidence.store import CAPTURE, MANIFEST, MANIFEST_ROOM_BYTES, EvidenceStore
from sensor.pcap.search import ring_of

_log = logging.getLogger(__name__)
_LARGEST_BYTES = 256 << 20
_LARGEST_SHARE = 8
_PATIENCE_SECONDS = 600.0


class Missed(StrEnum):
    """Why there is no capture of an incident."""

    QUEUE_FULL = "queue_full"
    NOT_IN_RING = "not_in_ring"
    DISK_FULL = "disk_full"
    FAILED = "failed"


class Cutter:
    """Runs one child at a time. `stop` ends it from another thread."""

    def __init__(self, config: Config, store: EvidenceStore, losses: Losses) -> None:
        self._store = store
        self._losses = losses
        self._ring = ring_of(config)
        self._min_free_bytes = config.pcap_ring.min_free
        self._ring_directory = config.pcap_ring.directory
        self._largest_bytes = min(_LARGEST_BYTES, store.max_bytes // _LARGEST_SHARE)
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def cut(self, order: Order) -> str | Missed:
        """Give the name of the capture; whatever fails is said in the log."""
        stem = ""
        try:
            self._store.make_room(self._largest_bytes + MANIFEST_ROOM_BYTES)
            if not self._is_room():
                _log.warning("evidence: no capture of incident #%s: the disk is full", order.incident)
                return Missed.DISK_FULL
            stem = self._store.free_stem(order.incident)
            packets = self._run(self._task(order, stem))
            self._store.make_room(0)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if not self._stopped:
                _log.warning("evidence: no capture of incident #%s: %s", order.incident, error)
            self._discard(stem)
            return Missed.FAILED
        if packets:
            return f"{stem}{CAPTURE}"
        _log.warning("evidence: the ring holds no packets of incident #%s", order.incident)
        return Missed.NOT_IN_RING

    def stop(self) -> None:
        """End the child that runs, and start none any more."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()

    def _is_room(self) -> bool:
        """Whether the disk keeps what must stay free; the ring on the same disk gives way by itself."""
        free_bytes = shutil.disk_usage(self._store.directory).free
        here, there = self._store.directory.stat(), self._ring_directory.stat()
        if self._losses.ring is not None and here.st_dev == there.st_dev:
            free_bytes += self._losses.ring["bytes"]
        return free_bytes >= self._min_free_bytes + self._largest_bytes

    def _task(self, order: Order, stem: str) -> Task:
        ends = {"host": order.host, "peer": order.remote or None}
        return {
            "query": {**self._ring, **ends},
            "since_ns": order.since_ns,
            "trigger_ns": order.trigger_ns,
            "until_ns": order.until_ns,
            "limit_bytes": self._largest_bytes,
            "capture": str(self._store.path(stem, CAPTURE)),
            "manifest_file": str(self._store.path(stem, MANIFEST)),
            "manifest": self._manifest(order, f"{stem}{CAPTURE}"),
        }

    def _manifest(self, order: Order, file_name: str) -> dict[str, object]:
        lost = self._losses.between(order.since_ns, order.until_ns)
        ring = self._losses.ring
        oldest_ns = ring["oldest_time_ns"] if ring is not None else 0
        return {
            "version": 1,
            "file": file_name,
            "incident": order.incident,
            "rule": order.rule,
            "severity": order.severity.word,
            "host": order.host,
            "remote": order.remote or None,
            "indicator": order.subject,
            "opened": utc_stamp(order.opened_ns),
            "wanted_since": utc_stamp(order.since_ns),
            "ring_oldest": utc_stamp(oldest_ns) if oldest_ns else None,
            "ring_reached_back": 0 < oldest_ns <= order.since_ns,
            "lost": None
            if lost is None
            else {
                "kernel_frames": lost.kernel_frames,
                "ring_frames": lost.ring_frames,
                "known_since": utc_stamp(lost.known_since_ns),
            },
        }

    def _run(self, task: Task) -> int:
        """Run a child; give how many packets it found."""
        with self._lock:
            if self._stopped:
                raise OSError("stopped")
            command = (sys.executable, "-m", "sensor.evidence.child")
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        child = self._child
        try:
            answer, complaint = child.communicate(json.dumps(task), _PATIENCE_SECONDS)
        finally:
            child.kill()
            child.wait()
            with self._lock:
                self._child = None
        if child.returncode != 0:
            raise OSError(complaint.strip()[-500:] or f"its process ended with {child.returncode}")
        if complaint:
            _log.warning("evidence: %s", complaint.strip())
        packets: int = json.loads(answer)["packets"]
        return packets

    def _discard(self, stem: str) -> None:
        try:
            if stem:
                self._store.discard(stem)
        except OSError as error:
            _log.warning("evidence: what is left of %s cannot be removed: %s", stem, error)
