"""Hunting by itself: what a reload adds to the lists is looked for in the history at once.

A process of its own does it, at the lowest priority and in bounded memory, so that it can neither slow nor take down
the capture. One runs at a time.
"""

import json
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from sensor.alerts.rows import JudgedRow
from sensor.alerts.tally import describe_entry, entry_of
from sensor.alerts.text import counted, escape, size, stamp
from sensor.config import Config
from sensor.engine import Batch

if TYPE_CHECKING:
    from sensor._native import RecordBatch, Watchlists

MOST_ALERTS = 1000
"""Alerts that one hunt raises; what it finds beyond that is counted in the log, and `spanwatch hunt` tells it."""

_RULE = "watchlist.retro"
_MOST_WAITING = 8
_STOP_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Added(NamedTuple):
    """What a reload adds: compiled lists, and which of their entries are new, as `Watchlists.entries` gives them."""

    lists: "Watchlists"
    entries: "RecordBatch"

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the new entries one by one: as Python's objects a million would take some hundred megabytes."""
        import nanoarrow  # noqa: PLC0415  # late: only for those who add

        rows: Iterator[tuple[Any, ...]] = nanoarrow.Array(self.entries).iter_tuples()
        return rows


def added_by(lists: "Watchlists", before: "Watchlists") -> Added | None:
    """Give what lists ask for that those before did not, None if there is nothing."""
    entries = lists.entries(before)
    return Added(lists, entries) if len(entries) else None


class RetroHunts:
    """Looks in the history for what is added, and hands over what it finds with the next batch."""

    def __init__(self, config: Config, command: Sequence[str] = (sys.executable, "-m", "sensor.hunt")) -> None:
        """`command` is the process that searches, as `sensor.hunt.__main__` describes it."""
        ring = config.pcap_ring.directory if config.pcap_ring.enabled else None
        self._places = {
            "history": str(config.history.directory),
            "ring": str(ring) if ring else None,
            "internal": [str(network) for network in config.networks.internal],
        }
        self._enabled = config.history.enabled
        self._command = command
        self._lock = threading.Condition()
        self._waiting: deque[Added] = deque()
        self._found: deque[JudgedRow] = deque()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def search(self, added: Added) -> None:
        """Look for entries as soon as the hunts before are over."""
        if not self._enabled:
            return
        with self._lock:
            if len(self._waiting) == _MOST_WAITING:
                _log.warning("retro-hunt: %d reloads wait; what the oldest added is not looked for", _MOST_WAITING)
                self._waiting.popleft()
            self._waiting.append(added)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="retro-hunt", daemon=True)
                self._thread.start()
            self._lock.notify()

    def take(self, batch: Batch) -> Batch:
        """Give the batch with what was found meanwhile: an alert now, of what was then."""
        if not self._found or not batch.time_ns:
            return batch
        with self._lock:
            rows: list[JudgedRow] = [{**row, "time_ns": batch.time_ns} for row in self._found]
            self._found.clear()
        return replace(batch, judged=[*batch.judged, *rows])

    def close(self) -> None:
        """End the hunt that runs, and forget those that wait."""
        with self._lock:
            self._closed = True
            self._lock.notify()
            if self._process is not None:
                self._process.kill()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while (added := self._next()) is not None:
            try:
                self._hunt(added)
            except (OSError, ValueError) as error:
                _log.error("retro-hunt: %s", error)  # the reason says all

    def _next(self) -> Added | None:
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._closed)
            return None if self._closed else self._waiting.popleft()

    def _hunt(self, added: Added) -> None:
        _log.info("retro-hunt: looking for %s in the history", counted(len(added.entries), "new indicator"))
        process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with self._lock:
            self._process = process
            if self._closed:
                process.kill()
        notes = threading.Thread(target=_pass_on, args=(process.stderr,), name="retro-hunt-notes", daemon=True)
        notes.start()
        try:
            found = self._talk(process, added)
        finally:
            process.kill() if process.poll() is None else None
            code = process.wait()
            notes.join(_STOP_SECONDS)
            with self._lock:
                self._process = None
        if code and not self._closed:
            raise OSError(f"the search ended with code {code}")
        _log.info("retro-hunt: %s", _outcome(found))

    def _talk(self, process: "subprocess.Popen[str]", added: Added) -> int:
        """Tell the process what to look for, and take what it finds."""
        if process.stdin is None or process.stdout is None:
            raise OSError("the search has no pipes")
        try:
            process.stdin.write(json.dumps(self._places) + "\n")
            process.stdin.writelines(json.dumps(entry) + "\n" for entry in added.rows())
            process.stdin.close()
        except BrokenPipeError:
            return 0  # its code and its last words say why
        found = 0
        for line in process.stdout:
            found += 1
            if found <= MOST_ALERTS:
                row = _judged(json.loads(line), added.lists.entry)
                with self._lock:
                    self._found.append(row)
        process.wait()
        return found


def _pass_on(stream: IO[str] | None) -> None:
    for line in stream or ():
        _log.warning("retro-hunt: %s", escape(line.rstrip("\n")))


def _outcome(found: int) -> str:
    if not found:
        return "nobody has met a new indicator"
    more = f"; {found - MOST_ALERTS:,} of them without an alert" if found > MOST_ALERTS else ""
    return f"{counted(found, 'host', 'hosts')} met a new indicator{more}"


def _judged(found: Mapping[str, Any], entry: Callable[[int], Mapping[str, Any]]) -> JudgedRow:
    """Make what a search has found a row for the alert policy; its time is set when it is handed over."""
    listed = entry(found["entry"])
    times = f"first {stamp(found['first_ns'])}, last {stamp(found['last_ns'])}"
    traffic = f"{size(found['bytes_out'])} out, {size(found['bytes_in'])} in"
    meetings = f"{counted(found['contacts'], 'contact')}, {counted(found['attempts'], 'attempt')}"
    packets = "packets in the ring" if found["packets_available"] else "packets no longer in the ring"
    context = {name: found[name] for name in ("first_seen", "last_seen", "contacts", "attempts", "remotes", "seen_in")}
    watchlist = {name: listed[name] for name in ("list", "indicator", "type")}
    remotes = "such as " + ", ".join(map(escape, found["remotes"])) if found["remotes"] else "asked for by name only"
    return {
        "time_ns": 0,
        "rule": _RULE,
        "severity": listed["severity"],
        "host": found["ip"],
        "remote": found["remote"] or "",
        "subject": listed["indicator"],
        "count": found["contacts"] + found["attempts"],
        "text": f"{escape(listed['indicator'])}: {meetings}, {times}",
        "notes": [
            describe_entry(listed["metadata"], listed["list"], listed["indicator"], listed["type"]),
            traffic,
            remotes,
            packets,
        ],
        "mac": found["mac"],
        "vlan": found["vlan"],
        "in_iface": "",
        "flow": found["flow"],
        "context": {"watchlist": {**watchlist, "entry": entry_of(listed["metadata"])}, "retro": context},
        "machine": {
            "name": found["name"],
            "name_from": None,
            "mac": found["mac"],
            "mac_from": None,
            "vendor": None,
            "vendor_class": None,
        },
    }
