"""The state file: open incidents, kept across restarts in `<alerts.state>/incidents.json`."""

import fcntl
import logging
import os
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sensor.alerts.incident import Incident
from sensor.alerts.policy import STATE_VERSION, StateDocument
from sensor.alerts.rules import BY_NAME

_log = logging.getLogger(__name__)
_MODE = 0o640


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


class StateFile:
    """Reads and replaces the state file. `errors` counts saves that failed."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "incidents.json"
        self.errors = 0
        self._failing = False
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

    def load(self) -> StateDocument | None:
        """Read the state. A file that cannot be understood is set aside as `incidents.damaged.json`, with a warning."""
        try:
            return decode(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            self._set_aside(error.errors()[0]["msg"])
        except ValueError as error:
            self._set_aside(str(error))
        except OSError as error:
            _log.warning("%s cannot be read: %s: starting without earlier incidents", self.path, error.strerror)
        return None

    def save(self, content: bytes) -> bool:
        """Replace the file as a whole: after a crash there is the old one or the new one, never half of one."""
        temporary = self.path.with_suffix(".json.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            return self._failed(error)
        if self._failing:
            _log.warning("%s is written again", self.path)
        self._failing = False
        return True

    def _failed(self, error: OSError) -> bool:
        self.errors += 1
        if not self._failing:
            _log.error("%s cannot be written: %s: incidents would not survive a restart", self.path, error.strerror)
        self._failing = True
        return False

    def _set_aside(self, reason: str) -> None:
        aside = self.path.with_name("incidents.damaged.json")
        try:
            self.path.replace(aside)
        except OSError as error:
            _log.warning("%s is damaged (%s) and cannot be set aside: %s", self.path, reason, error.strerror)
        else:
            _log.warning(
                "%s was damaged (%s): set aside as %s, earlier incidents are lost", self.path, reason, aside.name
            )


def _is_sound(incident: Incident) -> bool:
    kinds = {"watchlist": "flows", "smtp": "finding", "mirror": "condition", "sensor": "condition"}
    rule = BY_NAME.get(incident.rule)
    return rule is not None and incident.tally.kind == kinds.get(rule.family)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
