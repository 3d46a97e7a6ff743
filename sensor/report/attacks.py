"""Which servers were attacked, how, by whom, with what success."""

from collections.abc import Iterable
from typing import Any

from sensor.alerts.text import utc_stamp
from sensor.report.bounded import Groups, Members
from sensor.report.finding import Seen
from sensor.web.injection import Injections
from sensor.web.rows import WebRow

_MOST_EXAMPLES = 5
# What is kept to be judged at the end, of one attack and in all.
_MOST_UNPROVEN = 1000
_MOST_UNPROVEN_IN_ALL = 20_000
_WEBSHELL = "web.webshell"
_Key = tuple[str, str, str, str, str, str, str, str]
_COLUMNS = ("src_ip", "dest_ip", "host", "path", "parameter", "method", "category", "weakness")


class _Attack:
    def __init__(self, row: WebRow) -> None:
        self.seen = Seen(row)
        self.succeeded = 0
        self.first_success_ns: int | None = None
        self.examples, self.evidence, self.statuses = Members(), Members(), Members()
        self.unproven: list[WebRow] = []


class AttackSection:
    """Gathers what rules found in requests, see `sensor.web.rows`."""

    def __init__(self) -> None:
        """Nothing has been attacked."""
        self._injections = Injections()
        self._attacks: Groups[_Key, _Attack] = Groups()
        self._unproven = 0

    @property
    def left_out(self) -> int:
        """What found no room."""
        return self._attacks.left_out

    def take(self, rows: Iterable[WebRow]) -> None:
        """Take requests that rules matched."""
        for row in rows:
            key: _Key = tuple(str(row[column]) for column in _COLUMNS)  # type: ignore[assignment, literal-required]
            self._injections.learn(row)
            if (entry := self._attacks.reach(key, lambda row=row: _Attack(row))) is not None:  # type: ignore[misc]
                self._add(entry, row)

    def _add(self, entry: _Attack, row: WebRow) -> None:
        entry.seen.add(row, row["count"])
        entry.statuses.add([str(row["status"])] if row["status"] else [])
        if len(entry.examples) < _MOST_EXAMPLES:
            entry.examples.add([row["excerpt"]])
        room = len(entry.unproven) < _MOST_UNPROVEN and self._unproven < _MOST_UNPROVEN_IN_ALL
        if row["succeeded"]:
            _add_success(entry, row, row["evidence"])
        elif row["category"] == "web.sqli" and room:
            entry.unproven.append(row)
            self._unproven += 1

    def attacks(self) -> list[dict[str, Any]]:
        """One row a weakness, those first that were exploited, then by the number of requests."""
        self._settle_uploads()
        self._settle_injections()
        found = [self._document(key, entry) for key, entry in self._attacks.items()]
        return sorted(found, key=lambda row: (not row["succeeded"], -row["requests"], row["server"], row["path"]))

    def _settle_uploads(self) -> None:
        """A file that was sent and later answered as a webshell has arrived, whatever the answer to its upload was."""
        used: dict[tuple[str, str], tuple[str, int]] = {}
        for (_, server, _, path, _, _, category, _), entry in self._attacks.items():
            if category == _WEBSHELL and entry.first_success_ns is not None:
                used.setdefault((server, path.rpartition("/")[2].lower()), (path, entry.first_success_ns))
        for (_, server, _, _, parameter, _, category, _), entry in self._attacks.items():
            if category != _WEBSHELL or entry.succeeded:
                continue
            names = (name.lower() for name in (parameter, *entry.examples))
            for path, time_ns in (used[server, name] for name in names if (server, name) in used):
                entry.succeeded, entry.first_success_ns = entry.seen.count, time_ns
                entry.evidence.add([f"used later: {path}"])

    def _settle_injections(self) -> None:
        """What was tried before other answers have shown that the parameter reaches the database."""
        for entry in self._attacks.values():
            for row in entry.unproven:
                if proof := self._injections.proof(row):
                    _add_success(entry, row, proof)
            entry.unproven.clear()

    def _document(self, key: _Key, entry: _Attack) -> dict[str, Any]:
        source, server, host, path, parameter, method, category, weakness = key
        return {
            "source": source,
            "server": server,
            "host": host,
            "path": path,
            "parameter": parameter,
            "method": method,
            "category": category,
            "weakness": weakness,
            "requests": entry.seen.count,
            "succeeded": entry.succeeded,
            "first_success": None if entry.first_success_ns is None else utc_stamp(entry.first_success_ns),
            "examples": list(entry.examples)[:_MOST_EXAMPLES],
            "evidence": list(entry.evidence)[:_MOST_EXAMPLES],
            "statuses": list(entry.statuses),
            **entry.seen.document(),
        }


def _add_success(entry: _Attack, row: WebRow, evidence: str) -> None:
    entry.succeeded += row["count"]
    entry.evidence.add([evidence])
    if entry.first_success_ns is None or row["time_ns"] < entry.first_success_ns:
        entry.first_success_ns = row["time_ns"]
