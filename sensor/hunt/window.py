"""The time that a search looks at."""

from dataclasses import dataclass

from sensor.history.tree import hour_number

_LATE_HOURS = 2

ALL_TIME_NS = (0, (1 << 63) - 1)
"""A window that leaves nothing out."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, nanoseconds since 1970, both included."""

    since_ns: int = ALL_TIME_NS[0]
    until_ns: int = ALL_TIME_NS[1]

    @property
    def is_bounded(self) -> bool:
        """Whether it leaves anything out."""
        return self != Window()

    def holds(self, number: int) -> bool:
        """Whether records of an hour may be in it: a record is filed under the time at which it was complete."""
        return hour_number(self.since_ns) <= number <= hour_number(self.until_ns) + _LATE_HOURS
