"""How `spanwatch hunt` shows whom it finds, in the end and before."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sensor.alerts.text import size, stamp
from sensor.hunt.answer import Sighting
from sensor.hunt.hunt import Watcher
from sensor.hunt.window import Window

COLUMNS = (
    "last seen", "host", "name", "mac", "vlan", "indicator", "remote", "contacts", "attempts", "out", "in",
    "first seen", "packets",
)  # fmt: skip
"""The head of the table."""


def cells(sighting: Sighting) -> Sequence[object]:
    """Give a line of the table."""
    remotes = list(sighting.remotes)
    return (
        stamp(sighting.last_ns)[:19].replace("T", " "),
        sighting.ip,
        sighting.name,
        sighting.mac,
        ".".join(map(str, sighting.vlan)) or None,
        sighting.wanted.indicator,
        (remotes[0] + (f" +{len(remotes) - 1}" if len(remotes) > 1 else "")) if remotes else None,
        f"{sighting.contacts:,}",
        f"{sighting.attempts:,}",
        size(sighting.bytes_out),
        size(sighting.bytes_in),
        stamp(sighting.first_ns)[:19].replace("T", " "),
        "in the ring" if sighting.packets_available else "gone",
    )


class Announcement(Watcher):
    """Says beforehand how much there is where no time bounds it."""

    def __init__(self, window: Window, note: Callable[[str], None]) -> None:
        self._window = window
        self._note = note

    def begin(self, size_bytes: int, oldest_hour: int | None) -> None:
        """Say it, if there is anything."""
        if not self._window.is_bounded and oldest_hour is not None:
            since = datetime.fromtimestamp(oldest_hour * 3600, UTC).astimezone()
            self._note(
                f"no --since or --until: looking through {size(size_bytes)} of history since {since:%Y-%m-%d %H:%M}"
            )


class Stream(Announcement):
    """Prints a machine with an indicator as soon as it is met, once: a line of JSON that says that it is not final."""

    shows_early = True

    def __init__(self, window: Window, note: Callable[[str], None]) -> None:
        super().__init__(window, note)
        self._printed: set[tuple[object, ...]] = set()

    def show(self, found: Sequence[Sighting], _done_hours: int, _hours: int) -> None:
        """Print those that are new, as far as they are known."""
        for sighting in found:
            key = (sighting.wanted.number, sighting.ip, sighting.mac, sighting.name)
            if key not in self._printed:
                self._printed.add(key)
                print(json.dumps({**sighting.describe(), "final": False}), flush=True)
