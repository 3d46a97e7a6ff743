"""What the daemon does once a second: judge itself and the mirror, save, and tell the service manager."""

import logging
import time
from collections.abc import Callable

from sensor.alerts.conditions import Conditions, Health, stale_conditions
from sensor.alerts.desk import AlertDesk
from sensor.alerts.incident import Condition
from sensor.api.live import LiveView
from sensor.engine import Counters
from sensor.systemd import ServiceManager

_log = logging.getLogger(__name__)
_STATUS_SECONDS = 10.0
_CLOCK_STEP_NS = 600 * 1_000_000_000


class Progress:
    """Tells whether every worker has advanced since the last look."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def advanced(self, counters: Counters) -> bool:
        """Take a snapshot; the first one counts as progress."""
        last, self._last = self._last, {row["worker"]: row["progress"] for row in counters["workers"]}
        return all(last.get(worker) != progress for worker, progress in self._last.items())


class Housekeeping:
    """Called by the daemon's loop; does each thing when it is due. Silence and heartbeat go by the monotonic clock."""

    def __init__(
        self, desk: AlertDesk, view: LiveView, conditions: Conditions, heartbeat_seconds: float, manager: ServiceManager
    ) -> None:
        now = time.monotonic()
        self._desk = desk
        self._view = view
        self._conditions = conditions
        self._manager = manager
        self._heartbeat_seconds = heartbeat_seconds
        self._heartbeat_at = now + heartbeat_seconds
        self._status_at = now
        self._progress = Progress()
        self._packet_time_ns = 0
        self._clock_offset_ns = time.time_ns() - time.monotonic_ns()
        self._stale_names: list[str] = []

    def each_second(self, counters: Counters, save_state: Callable[[bytes], None]) -> None:
        """Look at a snapshot and do what is due."""
        now = time.monotonic()
        self._follow_clock(counters)
        conditions = self._conditions.observe(counters, now)
        self._desk.observe([*conditions, *self._lists()], time.time_ns())
        self._view.health = self._conditions.health(now)
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + self._heartbeat_seconds
            self._desk.heartbeat(self._conditions.heartbeat(now), time.time_ns())
        state = self._desk.unsaved_state()
        if state is not None:
            save_state(state)
        self._tell_manager(counters, now)

    def _follow_clock(self, counters: Counters) -> None:
        offset_ns = time.time_ns() - time.monotonic_ns()
        if offset_ns < self._clock_offset_ns - _CLOCK_STEP_NS:
            _log.warning("the clock was set back by %d s", (self._clock_offset_ns - offset_ns) // 1_000_000_000)
            self._desk.set_back(time.time_ns())
        self._clock_offset_ns = offset_ns
        # Where no frame moves packet time on, incidents still have to be reported and closed.
        moved = counters["time_ns"] != self._packet_time_ns
        self._packet_time_ns = counters["time_ns"]
        self._desk.tick(self._packet_time_ns if moved else time.time_ns())

    def _lists(self) -> list[Condition]:
        conditions = stale_conditions(self._view.stale_lists, self._stale_names)
        self._stale_names = [name for name, _ in self._view.stale_lists]
        return conditions

    def _tell_manager(self, counters: Counters, now: float) -> None:
        self._view.workers_advance = self._progress.advanced(counters)
        if self._view.workers_advance:
            self._manager.alive()
        if now >= self._status_at:
            self._status_at = now + _STATUS_SECONDS
            self._manager.status(status_line(self._view.health, self._desk.numbers().open))


def status_line(health: Health, open_incidents: int) -> str:
    """Give the line for `systemctl status`."""
    return f"{'  '.join(health.heartbeat())}, {open_incidents} incidents open"
