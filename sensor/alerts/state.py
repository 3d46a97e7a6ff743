"""The state file: open incidents, kept across restarts in `<alerts.state>/incidents.json`."""

import fcntl
import os
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from sensor.alerts.incident import STATE_VERSION, Incident, StateDocument
from sensor.alerts.rules import BY_NAME
from sensor.saved_file import SavedFile

_MODE = 0o640
_TALLIES = {
    "watchlist": ("flows", "judged"),
    "smtp": ("finding", "judged"),
    "mail": ("judged",),
    "web": ("judged",),
    "host": ("beacon",),
    "mirror": ("condition",),
    "sensor": ("condition",),
}
"""What incidents of each family of rules count with."""


def encode(document: StateDocument) -> bytes:
    """Give the document as JSON."""
    return _adapter().dump_json(document)


def decode(content: bytes) -> StateDocument:
    """Read a document; ValueError if it is none of this version."""
    document = _adapter().validate_json(content)
    if document.version != STATE_VERSION or not all(map(_is_sound, document.incidents)):
        raise ValueError("another version's, or not the sensor's own")
    return document


@cache
def _adapter() -> TypeAdapter[StateDocument]:
    """Built when it is first used: commands that keep no state start faster."""
    return TypeAdapter(StateDocument)


class StateFile(SavedFile[StateDocument]):
    """The file of the open incidents, and the lock of its directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "incidents.json", decode)
        self._lock: int | None = None

    def lock(self) -> None:
        """Keep the directory for this process until `unlock`; BlockingIOError if another one has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.parent / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._lock = descriptor

    def unlock(self) -> None:
        """Let others have the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _is_sound(incident: Incident) -> bool:
    rule = BY_NAME.get(incident.rule)
    return rule is not None and incident.tally.kind in _TALLIES.get(rule.family, ())
