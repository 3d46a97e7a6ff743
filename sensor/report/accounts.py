"""Which accounts logged in from where."""

from collections.abc import Iterable
from typing import Any

from sensor.mail.rows import LoginRow
from sensor.report.bounded import Groups, Members
from sensor.report.finding import Seen

_Key = tuple[str, str, str, str]


class _Account:
    def __init__(self, row: LoginRow) -> None:
        self.seen = Seen(row)
        self.success: bool | None = None
        self.clear = False
        self.mechanisms = Members()


class AccountSection:
    """Gathers attempts to log in, by protocol, user, source and server."""

    def __init__(self) -> None:
        """Nobody has logged in."""
        self._accounts: Groups[_Key, _Account] = Groups()

    @property
    def left_out(self) -> int:
        """What found no room."""
        return self._accounts.left_out

    def take(self, rows: Iterable[LoginRow]) -> None:
        """Take attempts; one that succeeded stands for all."""
        for row in rows:
            key = (row["protocol"], row["user"], row["src_ip"], row["dest_ip"])
            entry = self._accounts.reach(key, lambda row=row: _Account(row))  # type: ignore[misc]
            if entry is not None:
                entry.seen.add(row)
                entry.clear |= row["clear"]
                entry.mechanisms.add([row["mechanism"]])
                if row["success"] is not None:
                    entry.success = bool(entry.success) or row["success"]

    def accounts(self) -> list[dict[str, Any]]:
        """One row an account and source; those first that got in after they had failed, then by attempts."""
        found = [
            {
                "protocol": protocol,
                "user": user,
                "source": source,
                "server": server,
                "success": entry.success,
                "attempts": entry.seen.count,
                "mechanisms": list(entry.mechanisms),
                "clear": entry.clear,
                **entry.seen.document(),
            }
            for (protocol, user, source, server), entry in self._accounts.items()
        ]
        return sorted(found, key=lambda row: (not _was_guessed(row), -row["attempts"], row["user"], row["source"]))


def _was_guessed(row: dict[str, Any]) -> bool:
    return bool(row["success"]) and row["attempts"] > 1
