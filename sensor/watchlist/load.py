"""From the configuration's paths and globs to the texts that the core compiles."""

import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sensor.config.detection import ListFormat, WatchlistSource
from sensor.watchlist.detect import detect, no_list
from sensor.watchlist.formats import CONVERTERS
from sensor.watchlist.table import LONGEST_REASON, Conversion, harmless

LARGEST_LIST_BYTES = 256 * 1024 * 1024
MOST_LISTS = 1000

CoreList = tuple[str, str, bytes, int]
"""A list as the core takes it: name, `plain` or `csv`, text, default severity."""


@dataclass(frozen=True, slots=True)
class ListText:
    """One list as it was read: its format, and what it was converted to unless the core reads the format itself."""

    name: str
    format: ListFormat
    text: bytes
    severity: int
    conversion: Conversion | None = None

    @property
    def core(self) -> CoreList:
        """What the core compiles."""
        if self.conversion:
            return self.name, "csv", self.conversion.text, self.severity
        return self.name, self.format, self.text, self.severity


@dataclass(frozen=True, slots=True)
class ListFile:
    """One file that the configuration names, itself or by a glob."""

    path: Path
    source: WatchlistSource

    @property
    def name(self) -> str:
        """The list's name in alerts and metrics: the file's name without its suffix."""
        return self.path.stem


class ListError(ValueError):
    """A list that cannot be used as a whole; the text says why."""


def is_glob(source: WatchlistSource) -> bool:
    """Whether a source is a pattern, which may match nothing."""
    return glob.has_magic(str(source.path))


def list_files(sources: Sequence[WatchlistSource]) -> list[ListFile]:
    """Find the files, each once, in the order of the configuration and by name within a glob.

    Raises ListError when there are more than MOST_LISTS.
    """
    found: dict[Path, ListFile] = {}
    for source in sources:
        for path in _matches(source.path) if is_glob(source) else [source.path]:
            found.setdefault(path, ListFile(path, source))
    if len(found) > MOST_LISTS:
        raise ListError(f"{len(found)} lists; {MOST_LISTS} are the most")
    return list(found.values())


def _matches(pattern: Path) -> list[Path]:
    """Give the files of a glob, by name. Path.glob takes no absolute pattern."""
    paths = map(Path, sorted(glob.glob(str(pattern))))  # noqa: PTH207
    return [path for path in paths if not path.is_dir()]


def read_list(file: ListFile) -> ListText:
    """Read one list and bring it into a format of the core. Raises ListError with the reason."""
    text = _as_utf8(_read(file.path))
    return to_core(file.name, text, file.source.format, file.source.severity)


def to_core(name: str, text: bytes, format_: ListFormat, severity: int) -> ListText:
    """Bring a list into a format of the core. Raises ListError with the reason."""
    reason = no_list(text)
    if reason:
        raise ListError(reason)
    try:
        actual = detect(text) if format_ == "auto" else format_
        convert = CONVERTERS.get(actual)
        if convert is None:
            return ListText(name, actual, text, severity)
        return ListText(name, actual, b"", severity, convert(text))
    except ValueError as error:
        raise ListError(harmless(str(error), LONGEST_REASON)) from None


def _read(path: Path) -> bytes:
    """Read a regular file; a pipe or device of the name must not hold the sensor up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ListError("not a file")
            if status.st_size > LARGEST_LIST_BYTES:
                raise ListError(f"larger than {LARGEST_LIST_BYTES >> 20} MiB")
            return file.read(LARGEST_LIST_BYTES + 1)
    except OSError as error:
        raise ListError(f"cannot be read: {error.strerror}") from None


def _as_utf8(text: bytes) -> bytes:
    """Turn UTF-16 with its mark, which Windows editors write, into UTF-8; the core judges everything else."""
    if not text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return text
    try:
        return text.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise ListError(f"not valid UTF-16 at byte {error.start}") from None
