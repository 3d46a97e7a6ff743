"""From when to when the ring holds packets, by the names of its segments alone."""

import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

_NAME = re.compile(r"(?P<stream>.+-\d+)-(?P<time>\d{8}T\d{6}\.\d{6})Z-\d{6,}\.pcap(?:\.part)?")
_NS_PER_SECOND = 1_000_000_000


class Segments:
    """The times that segments cover: each reaches to the next one of its interface and worker, the last to its end."""

    def __init__(self, directory: Path | None) -> None:
        """Without a directory, or where it cannot be read, the ring holds nothing."""
        self._covered: list[tuple[int, int]] = []
        streams: defaultdict[str, list[tuple[int, Path]]] = defaultdict(list)
        for path in _files(directory):
            found = _NAME.fullmatch(path.name)
            if found is not None:
                streams[found["stream"]].append((_time_ns(found["time"]), path))
        for segments in streams.values():
            segments.sort()
            ends = [start_ns for start_ns, _ in segments[1:]]
            for (start_ns, _), end_ns in zip(segments, [*ends, _changed_ns(segments[-1][1])], strict=True):
                self._covered.append((start_ns, max(start_ns, end_ns)))

    def hold(self, first_ns: int, last_ns: int) -> bool:
        """Whether packets between these times may be there."""
        return any(start_ns <= last_ns and first_ns <= end_ns for start_ns, end_ns in self._covered)


def _files(directory: Path | None) -> list[Path]:
    if directory is None:
        return []
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _time_ns(text: str) -> int:
    seconds, _, micros = text.partition(".")
    moment = datetime.strptime(seconds, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * _NS_PER_SECOND + int(micros) * 1000


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
