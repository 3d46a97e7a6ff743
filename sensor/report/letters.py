"""The messages themselves: one file each, named by when it passed and by its Message-ID."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sensor.alerts.text import NS_PER_SECOND
from sensor.mail.rows import MailRow

DIRECTORY = "mail"
"""Where the files lie, beside the report."""

_STRANGE = re.compile(r"[^A-Za-z0-9@._+-]+")
_OWN_NAME = re.compile(r"\d{8}T\d{6}Z-\d{5,}-[a-z0-9]+[^/]*\.eml")
_LONGEST_ID = 80


class MailFiles:
    """Writes the messages that the core gives; what it had no room for is counted in `left_out`."""

    def __init__(self, directory: Path) -> None:
        """Make `directory`/mail and remove what an earlier report has left there. Raises OSError."""
        self._directory = directory / DIRECTORY
        self.written = self.left_out = 0
        self._directory.mkdir(parents=True, exist_ok=True)
        for path in self._directory.iterdir():
            if _OWN_NAME.fullmatch(path.name):
                path.unlink()

    def take(self, row: MailRow, message: bytes) -> str | None:
        """Write the message of a row and give its path, seen from the report; None without one. Raises OSError.

        A message of which bytes are missing is called `partial`.
        """
        if not message:
            self.left_out += bool(row["size_bytes"])
            return None
        self.written += 1
        path = self._directory / self._name(row)
        path.write_bytes(message)
        return f"{DIRECTORY}/{path.name}"

    def _name(self, row: MailRow) -> str:
        passed = datetime.fromtimestamp(row["time_ns"] // NS_PER_SECOND, UTC)
        known_by = _STRANGE.sub("_", row["message_id"])[:_LONGEST_ID].strip("._")
        parts = [f"{passed:%Y%m%dT%H%M%SZ}", f"{self.written:05}", row["protocol"], known_by]
        return "-".join([*filter(None, parts), *(["partial"] if row["truncated"] else [])]) + ".eml"
