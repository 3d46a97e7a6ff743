"""Hunting by itself: what is added to the lists is looked for in the history at once.

A process of its own does it, at the lowest priority and in bounded memory, so that it can neither slow nor take down
the capture. One runs at a time. What was looked for already a file beside the history knows, so that lists which
change while the sensor is stopped are compared as well, and a hunt that was broken off is made again.
"""

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from sensor.alerts.rows import JudgedRow
from sensor.alerts.tally import describe_entry, entry_of
from sensor.alerts.text import counted, escape, size, stamp
from sensor.config import Config
from sensor.engine import Batch
from sensor.hunt.wanted import on_disk

if TYPE_CHECKING:
    from sensor._native import Watchlists

MOST_ALERTS = 1000
"""Alerts that one hunt raises; what it finds beyond that is counted in the log, and `spanwatch hunt` tells it."""

KNOWN = ".hunted"
"""Name of the file beside the history that has a fingerprint of every entry which was looked for."""

_RULE = "watchlist.retro"
_STOP_SECONDS = 5.0
_log = logging.getLogger(__name__)


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
        self._known = config.history.directory / KNOWN
        self._command = command
        self._lock = threading.Condition()
        self._waiting: Watchlists | None = None
        self._found: deque[JudgedRow] = deque()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def search(self, lists: object) -> None:
        """Look, as soon as the hunt before is over, for what these compiled lists ask for and none before them did."""
        if not self._enabled:
            return
        with self._lock:
            self._waiting = cast("Watchlists", lists)
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
        while (lists := self._next()) is not None:
            try:
                self._compare(lists)
            except (OSError, ValueError) as error:
                _log.error("retro-hunt: %s", error)  # the reason says all

    def _next(self) -> "Watchlists | None":
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._closed)
            lists, self._waiting = self._waiting, None
            return None if self._closed else lists

    def _compare(self, lists: "Watchlists") -> None:
        """Hunt for what is not known yet; it is known only once that hunt has ended well."""
        following = self._known.with_name(KNOWN + ".tmp")
        with tempfile.TemporaryFile(dir=on_disk()) as added:
            path = Path(f"/proc/self/fd/{added.fileno()}")
            try:
                number = lists.write_added(self._known, path, following)
            except (FileNotFoundError, ValueError) as error:
                _log.warning("retro-hunt: only what is added from now on is looked for: %s: %s", self._known, error)
                lists.write_added(None, path, following)
                number = 0
            outcome = self._hunt(lists, number, added) if number else ""
        if self._closed:
            return
        following.replace(self._known)
        if outcome:
            _log.info("retro-hunt: %s", outcome)

    def _hunt(self, lists: "Watchlists", number: int, added: IO[bytes]) -> str:
        """Search the history; gives what is to be told of it once that will not be done again."""
        _log.info("retro-hunt: looking for %s in the history", counted(number, "new indicator"))
        process = subprocess.Popen(
            [*self._command, json.dumps(self._places)],
            stdin=added,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with self._lock:
            self._process = process
            if self._closed:
                process.kill()
        notes = threading.Thread(target=_pass_on, args=(process.stderr,), name="retro-hunt-notes", daemon=True)
        notes.start()
        try:
            found = self._listen(process, lists)
        finally:
            process.kill() if process.poll() is None else None
            code = process.wait()
            notes.join(_STOP_SECONDS)
            with self._lock:
                self._process = None
        if code and not self._closed:
            raise OSError(f"the search ended with code {code}")
        return _outcome(found)

    def _listen(self, process: "subprocess.Popen[str]", lists: "Watchlists") -> int:
        """Take what the process finds."""
        found = 0
        for line in process.stdout or ():
            found += 1
            if found <= MOST_ALERTS:
                row = _judged(json.loads(line), lists.entry)
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
