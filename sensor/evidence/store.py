"""The directory of the evidence: pairs of a capture and its manifest, bounded by bytes and by number."""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

MOST_CAPTURES = 20_000
"""Captures that are kept at most, however small they are."""

MANIFEST_ROOM_BYTES = 64 << 10
"""Room that is kept for a manifest and for the head of a capture."""

CAPTURE, MANIFEST = ".pcap", ".json"
# Nothing else in the directory is the sensor's to delete.
_OWN = re.compile(r"(?P<stem>[0-9a-f]{4,64}(-\d{1,9})?)(?P<suffix>\.pcap|\.json)(?P<unfinished>\.tmp)?")


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that is whole, with its manifest; `bytes` is the size of both."""

    stem: str
    bytes: int
    made_ns: int


class EvidenceStore:
    """Deletes the oldest captures so that all together stay within `max_bytes`. Methods raise OSError."""

    def __init__(self, directory: Path, max_bytes: int, most: int = MOST_CAPTURES) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.bytes = 0
        self.captures = 0
        self.deleted = 0
        self._most = most

    def tidy(self) -> None:
        """Remove what a crash has left behind, and what is too much."""
        for path, own in self._own_files():
            twin = path.with_name(own["stem"] + (MANIFEST if own["suffix"] == CAPTURE else CAPTURE))
            if own["unfinished"] or not twin.exists():
                path.unlink(missing_ok=True)
                _log.warning("evidence: removed %s, which was not finished", path)
        self.make_room(0)

    def make_room(self, wanted_bytes: int) -> None:
        """Delete the oldest captures until so much more fits."""
        found = sorted(self._whole(), key=lambda capture: (capture.made_ns, capture.stem))
        total = sum(capture.bytes for capture in found)
        most = self._most - 1 if wanted_bytes else self._most
        while found and (total + wanted_bytes > self.max_bytes or len(found) > most):
            oldest = found.pop(0)
            # The manifest makes it evidence: without one the capture is a leftover.
            self.path(oldest.stem, MANIFEST).unlink(missing_ok=True)
            self.path(oldest.stem, CAPTURE).unlink(missing_ok=True)
            total -= oldest.bytes
            self.deleted += 1
        self.bytes, self.captures = total, len(found)

    def free_stem(self, incident: str) -> str:
        """Give a name that is not taken: the incident's id, with a number behind it where that is."""
        stem, number = incident, 1
        while any(self.path(stem, suffix).exists() for suffix in (CAPTURE, MANIFEST)):
            number += 1
            stem = f"{incident}-{number}"
        return stem

    def path(self, stem: str, suffix: str) -> Path:
        """Give the path of a capture or its manifest."""
        return self.directory / f"{stem}{suffix}"

    def discard(self, stem: str) -> None:
        """Remove what there is of a capture that was not finished."""
        for suffix in (MANIFEST, CAPTURE):
            for ending in ("", ".tmp"):
                self.path(stem, suffix + ending).unlink(missing_ok=True)

    def _own_files(self) -> Iterator[tuple[Path, "re.Match[str]"]]:
        with os.scandir(self.directory) as entries:
            for entry in entries:
                own = _OWN.fullmatch(entry.name)
                if own is not None and entry.is_file(follow_symlinks=False):
                    yield self.directory / entry.name, own

    def _whole(self) -> Iterator[Capture]:
        for path, own in self._own_files():
            if own["suffix"] != MANIFEST or own["unfinished"]:
                continue
            try:
                manifest, capture = path.stat(), self.path(own["stem"], CAPTURE).stat()
            except FileNotFoundError:
                continue  # an operator took it away meanwhile
            yield Capture(own["stem"], manifest.st_size + capture.st_size, manifest.st_mtime_ns)
