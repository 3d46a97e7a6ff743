"""All that each attacker did, in order."""

from collections.abc import Iterable, Mapping
from typing import Any

from sensor.mail.rows import LoginRow, MailRow
from sensor.report.bounded import Groups
from sensor.report.finding import Row, Seen
from sensor.report.mails import sender_of

_MOST_SOURCES = 20_000
_MOST_ACTIONS = 500


class _Actions:
    def __init__(self) -> None:
        self.kinds: Groups[tuple[str, str, str], Seen] = Groups(_MOST_ACTIONS)


class AttackerSection:
    """Gathers what each source from outside, or that attacks, did; like actions are one with a count."""

    def __init__(self) -> None:
        """Nobody has done anything."""
        self._sources: Groups[str, _Actions] = Groups(_MOST_SOURCES)

    @property
    def left_out(self) -> int:
        """Sources and actions that found no room."""
        return self._sources.left_out + sum(entry.kinds.left_out for entry in self._sources.values())

    def take_mails(self, rows: Iterable[MailRow]) -> None:
        """Take what was sent from outside."""
        for row in rows:
            if row["protocol"] == "smtp" and not row["src_internal"]:
                status = row["status"] if row["status"] != "unknown" else "sent"
                self._add(row, "mail", f"{sender_of(row)}: {row['subject']} ({status})")

    def take_logins(self, rows: Iterable[LoginRow]) -> None:
        """Take who logged in, or tried to, from outside."""
        for row in rows:
            if not row["src_internal"]:
                success = {True: "succeeded", False: "failed", None: "answer unseen"}[row["success"]]
                self._add(row, "login", f"{row['protocol']} as {row['user']} ({success})")

    def take_web(self, rows: Iterable[Row]) -> None:
        """Take requests that rules matched, from wherever."""
        for row in rows:
            parameter = f" {row['parameter']}" if row["parameter"] else ""
            success = " (succeeded)" if row["succeeded"] else ""
            self._add(
                row,
                row["category"],
                f"{row['method']} {row['host']}{row['path']}{parameter}: {row['weakness']}{success}",
            )

    def _add(self, row: Row, kind: str, text: str) -> None:
        if (entry := self._sources.reach(row["src_ip"], _Actions)) is not None:
            seen = entry.kinds.reach((kind, row["dest_ip"], text), lambda: Seen(row))
            if seen is not None:
                seen.add(row)

    def attackers(self, judged: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those sources that `judged` names, with the reason, by the number of their actions."""
        rows = [
            {"source": source, "reason": reason, "actions": self._actions(self._sources[source])}
            for source, reason in judged.items()
            if source in self._sources
        ]
        for row in rows:
            actions: Any = row["actions"]
            row |= {"first_seen": actions[0]["first_seen"], "last_seen": max(one["last_seen"] for one in actions)}
        return sorted(rows, key=lambda row: (-len(row["actions"]), row["source"]))

    def _actions(self, entry: _Actions) -> list[dict[str, Any]]:
        ordered = sorted(entry.kinds.items(), key=lambda item: (item[1].first_ns, item[0]))
        return [
            {"kind": kind, "server": server, "text": text, "count": seen.count, **seen.document()}
            for (kind, server, text), seen in ordered
        ]
