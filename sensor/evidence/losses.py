"""What was lost when: how whole the packets of a stretch of time can be."""

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass

from sensor.engine import Counters, RingCounters

_MOST_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames lost within a stretch of time, as far back as is known."""

    kernel_frames: int
    ring_frames: int
    known_since_ns: int


class Losses:
    """Remembers when the counts of lost frames changed, the last 10,000 times; they change when something is wrong."""

    def __init__(self) -> None:
        self.ring: RingCounters | None = None
        self._changes: deque[tuple[int, int, int]] = deque(maxlen=_MOST_CHANGES)

    def note(self, counters: Counters, now_ns: int) -> None:
        """Take the counters as of now; once a second is often enough."""
        self.ring = counters["ring"]
        fates = counters["fates"]
        kernel = sum(interface["kernel_dropped_frames"] for interface in counters["interfaces"])
        ring = fates["dropped_slow"] + fates["dropped_full"] + fates["dropped_error"]
        if not self._changes or self._changes[-1][1:] != (kernel, ring):
            self._changes.append((now_ns, kernel, ring))

    def between(self, since_ns: int, until_ns: int) -> Lost | None:
        """Give what was lost; None if nothing is known. A change counts from the second in which it was seen."""
        changes = list(self._changes)
        if not changes:
            return None
        times = [time_ns for time_ns, _, _ in changes]
        before = changes[max(0, bisect_right(times, since_ns) - 1)]
        # What was lost at the end is counted a second later.
        after = changes[max(0, bisect_left(times, until_ns + 1_500_000_000) - 1)]
        return Lost(max(0, after[1] - before[1]), max(0, after[2] - before[2]), times[0])
