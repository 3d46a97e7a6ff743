"""A file of state that outlives a restart: replaced as a whole, set aside when it is damaged."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from sensor.whole_file import replace_file

_log = logging.getLogger(__name__)

Document = TypeVar("Document")


class SavedFile(Generic[Document]):
    """Reads and replaces a file. `errors` counts saves that failed; the file's stem says in messages what it holds."""

    def __init__(self, path: Path, decode: Callable[[bytes], Document]) -> None:
        """`decode` raises ValueError for what is no document."""
        self.path = path
        self.errors = 0
        self._decode = decode
        self._failing = False

    def load(self) -> Document | None:
        """Read the document. A file that cannot be understood is set aside as `*.damaged.json`, with a warning."""
        try:
            return self._decode(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            self._set_aside(error.errors()[0]["msg"])
        except ValueError as error:
            self._set_aside(str(error))
        except OSError as error:
            _log.warning(
                "%s cannot be read: %s: starting without earlier %s", self.path, error.strerror, self.path.stem
            )
        return None

    def save(self, content: bytes) -> bool:
        """Replace the file as a whole: after a crash there is the old one or the new one, never half of one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, content)
        except OSError as error:
            return self._failed(error)
        if self._failing:
            _log.warning("%s is written again", self.path)
        self._failing = False
        return True

    def _failed(self, error: OSError) -> bool:
        self.errors += 1
        if not self._failing:
            reason = f"{error.strerror}: {self.path.stem} would not survive a restart"
            _log.error("%s cannot be written: %s", self.path, reason)
        self._failing = True
        return False

    def _set_aside(self, reason: str) -> None:
        aside = self.path.with_name(f"{self.path.stem}.damaged.json")
        try:
            self.path.replace(aside)
        except OSError as error:
            _log.warning("%s is damaged (%s) and cannot be set aside: %s", self.path, reason, error.strerror)
        else:
            lost = f"earlier {self.path.stem} are lost"
            _log.warning("%s was damaged (%s): set aside as %s, %s", self.path, reason, aside.name, lost)
