"""From when to when the ring holds packets, by the names of its segments alone."""

from collections import defaultdict
from pathlib import Path

from sensor._native import segment_of


class Segments:
    """The times that segments cover: each reaches to the next one of its interface and worker, the last to its end."""

    def __init__(self, directory: Path | None) -> None:
        """Without a directory, or where it cannot be read, the ring holds nothing."""
        self._covered: list[tuple[int, int]] = []
        streams: defaultdict[tuple[str, int], list[tuple[int, Path]]] = defaultdict(list)
        for path in _files(directory):
            segment = segment_of(path.name)
            if segment is not None:
                interface, worker, start_ns = segment
                streams[interface, worker].append((start_ns, path))
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


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
