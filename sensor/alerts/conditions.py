"""What is wrong with the sensor and the mirror, told from successive snapshots of the counters."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sensor.alerts.incident import Condition
from sensor.alerts.mirror import Reason, reason_of
from sensor.alerts.text import NS_PER_SECOND, pace
from sensor.engine import Counters, InterfaceCounters

_RECENT_SECONDS = 60.0
_MIRROR_LOSSES = ("sensor.kernel-drops", "sensor.ring-loss")


class Verdict(StrEnum):
    """Whether the mirror tells the truth: a blind one shows nothing, a degraded one loses frames."""

    OK = "ok"
    DEGRADED = "degraded"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict over the mirror with what speaks against it, and the figures of the last interval."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    frames_per_minute: float
    dropped_frames: int
    ring_reach_seconds: float | None

    def heartbeat(self) -> tuple[str, ...]:
        """Give the groups of a heartbeat line."""
        verdict = f"mirror {self.verdict}" + (f": {', '.join(map(str, self.reasons))}" if self.reasons else "")
        figures = f"{round(self.frames_per_minute):,} frames/min, {self.dropped_frames:,} dropped"
        if self.ring_reach_seconds is not None:
            figures += f", ring reaches back {pace(self.ring_reach_seconds)}"
        return (verdict, figures)


@dataclass(slots=True)
class _Interface:
    frames: int
    last_frame_at: float
    state: str = "up"
    reason: str = ""


class Conditions:
    """Follows the counters; times are monotonic seconds, because silence is not to be judged by packet time."""

    def __init__(self, silence_seconds: float, started_at: float) -> None:
        self._silence_seconds = silence_seconds
        self._started_at = started_at
        self._previous: Counters | None = None
        self._interfaces: dict[str, _Interface] = {}
        self._losses: deque[tuple[float, Condition]] = deque()
        self._interval: tuple[float, int, int] | None = None

    def observe(self, counters: Counters, now: float) -> list[Condition]:
        """Take the next snapshot; gives losses since the one before, and for each interface how it is now."""
        previous, self._previous = self._previous, counters
        conditions = list(self._mirror(counters, now))
        if previous is not None:
            losses = [loss for loss in _losses(previous, counters) if loss.count > 0]
            self._losses.extend((now, loss) for loss in losses)
            conditions += losses
        while self._losses and now - self._losses[0][0] > _RECENT_SECONDS:
            self._losses.popleft()
        return conditions

    def health(self, now: float) -> Health:
        """Judge the mirror as of the last snapshot; figures are since the last heartbeat or the start."""
        silent = [
            Reason("mirror.silent", name, text, True, {})
            for name in self._interfaces
            if (text := self._silence(name, now))
        ]
        lossy = [Reason(rule, subject, text, False, {}) for rule, subject, text in self._recent_losses()]
        core = self._previous["mirror"] if self._previous else None
        shown = [reason_of(row) for row in core["reasons"]] if core else []
        verdict = Verdict.OK
        if (silent and len(silent) == len(self._interfaces)) or (core and core["verdict"] == Verdict.BLIND):
            verdict = Verdict.BLIND
        elif silent or lossy or shown:
            verdict = Verdict.DEGRADED
        minutes, frames, dropped = self._figures(now)
        return Health(verdict, (*silent, *shown, *lossy), frames / minutes, dropped, self._ring_reach())

    def heartbeat(self, now: float) -> Health:
        """Give the health for a heartbeat line and start the next interval of its figures."""
        health = self.health(now)
        if self._previous is not None:
            self._interval = (now, _captured(self._previous), _dropped(self._previous))
        return health

    def _figures(self, now: float) -> tuple[float, int, int]:
        since, frames, dropped = self._interval or (self._started_at, 0, 0)
        minutes = max(now - since, 1.0) / 60
        if self._previous is None:
            return minutes, 0, 0
        return minutes, _captured(self._previous) - frames, _dropped(self._previous) - dropped

    def _recent_losses(self) -> list[tuple[str, str, str]]:
        recent = {(loss.rule, loss.subject): loss.text for _, loss in self._losses if loss.rule in _MIRROR_LOSSES}
        return [(*key, text) for key, text in recent.items()]

    def _mirror(self, counters: Counters, now: float) -> Iterator[Condition]:
        for counted_interface in counters["interfaces"]:
            name = counted_interface["name"]
            self._follow(counted_interface, now)
            reason = self._silence(name, now)
            yield Condition("mirror.silent", name, reason or "frames arrive", over=reason is None)

    def _follow(self, counted_interface: InterfaceCounters, now: float) -> None:
        known = self._interfaces.setdefault(counted_interface["name"], _Interface(0, self._started_at))
        known.state = counted_interface["state"]
        known.reason = counted_interface.get("reason", "")
        if counted_interface["captured_frames"] != known.frames:
            known.frames = counted_interface["captured_frames"]
            known.last_frame_at = now

    def _silence(self, name: str, now: float) -> str | None:
        interface = self._interfaces[name]
        if interface.state != "up":
            return f"is {interface.state}" + (f": {interface.reason}" if interface.reason else "")
        silent_seconds = now - interface.last_frame_at
        if silent_seconds < self._silence_seconds:
            return None
        return f"shows no frame for {pace(silent_seconds)}"

    def _ring_reach(self) -> float | None:
        ring = self._previous["ring"] if self._previous else None
        if self._previous is None or ring is None or not ring["oldest_time_ns"]:
            return None
        return max(0.0, (self._previous["time_ns"] - ring["oldest_time_ns"]) / NS_PER_SECOND)


def _losses(before: Counters, now: Counters) -> Iterator[Condition]:
    known = {interface["name"]: interface["kernel_dropped_frames"] for interface in before["interfaces"]}
    for interface in now["interfaces"]:
        dropped = interface["kernel_dropped_frames"] - known.get(interface["name"], 0)
        yield Condition("sensor.kernel-drops", interface["name"], "frames dropped by the kernel", dropped)
    ring_error = now["ring"]["error"] if now["ring"] else None
    text = "frames not stored" + (f": {ring_error}" if ring_error else "")
    yield Condition("sensor.ring-loss", "ring", text, _ring_dropped(now) - _ring_dropped(before))
    evicted = now["flows"]["ended"].get("evicted", 0) - before["flows"]["ended"].get("evicted", 0)
    yield Condition("sensor.table-full", "flows", "flows given up early", evicted)
    refused = now["analysis"]["table_full"] - before["analysis"]["table_full"]
    yield Condition("sensor.table-full", "frames", "frames without a flow", refused)
    hosts = now["hosts"]["evicted"] - before["hosts"]["evicted"]
    yield Condition("sensor.table-full", "hosts", "hosts given up early", hosts)


def stale_conditions(stale: Sequence[tuple[str, str]], known: Sequence[str]) -> list[Condition]:
    """Say of each known list, or of the configuration, whether its last good version has to serve; (name, reason)."""
    reasons = dict(stale)
    names = [*reasons, *(name for name in known if name not in reasons)]
    return [
        Condition("sensor.list-stale", name, reasons.get(name, "read again"), over=name not in reasons)
        for name in names
    ]


def problems(counters: Counters, health: Health) -> list[str]:
    """Say everything that makes a running sensor unhealthy, one sentence each."""
    found = (
        [f"mirror {health.verdict}: {', '.join(map(str, health.reasons))}"] if health.verdict is not Verdict.OK else []
    )
    if counters["ring"] and counters["ring"]["error"]:
        found.append(f"ring: {counters['ring']['error']}")
    found += [f"{sink['sink']}: {sink['error']}" for sink in counters["sinks"] if sink["error"]]
    return found


def _captured(counters: Counters) -> int:
    return sum(interface["captured_frames"] for interface in counters["interfaces"])


def _ring_dropped(counters: Counters) -> int:
    fates = counters["fates"]
    return fates["dropped_slow"] + fates["dropped_full"] + fates["dropped_error"]


def _dropped(counters: Counters) -> int:
    kernel = sum(interface["kernel_dropped_frames"] for interface in counters["interfaces"])
    return kernel + _ring_dropped(counters)
