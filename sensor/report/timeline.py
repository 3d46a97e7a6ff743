"""Packets and bytes over time, in as many steps as a picture has room for, whatever the length of the capture."""

from typing import Any

from sensor.alerts.text import NS_PER_SECOND, utc_stamp

MOST_STEPS = 600


class Timeline:
    """Counts in steps of a second, and of twice as long whenever there would be more than 600 of them."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.step_seconds = 1
        self._steps: dict[int, list[float]] = {}
        self._bounds = (0, 0)

    def add(self, span_ns: tuple[int, int], packets: int, size: int) -> None:
        """Spread what a flow carried evenly over its time."""
        first, last = (time_ns // NS_PER_SECOND for time_ns in span_ns)
        last = max(first, last)
        low, high = self._bounds if self._steps else (first, last)
        self._bounds = low, high = min(low, first), max(high, last)
        while high // self.step_seconds - low // self.step_seconds >= MOST_STEPS:
            self._coarsen()
        begin, end = first // self.step_seconds, last // self.step_seconds
        share = 1 / (end - begin + 1)
        for step in range(begin, end + 1):
            counts = self._steps.setdefault(step, [0.0, 0.0])
            counts[0] += packets * share
            counts[1] += size * share

    def _coarsen(self) -> None:
        self.step_seconds *= 2
        steps: dict[int, list[float]] = {}
        for step, (packets, size) in self._steps.items():
            counts = steps.setdefault(step // 2, [0.0, 0.0])
            counts[0] += packets
            counts[1] += size
        self._steps = steps

    def document(self) -> list[dict[str, Any]]:
        """Give every step from the first to the last, also those in which nothing happened."""
        if not self._steps:
            return []
        return [
            {
                "time": utc_stamp(step * self.step_seconds * NS_PER_SECOND),
                "seconds": self.step_seconds,
                "packets": round(self._steps.get(step, (0.0, 0.0))[0]),
                "bytes": round(self._steps.get(step, (0.0, 0.0))[1]),
            }
            for step in range(min(self._steps), max(self._steps) + 1)
        ]
