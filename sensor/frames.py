"""Frames out of capture files: which are wanted, and where they go."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class FrameOutput:
    """A capture file to write, and when the next one begins; 0 is never, for `files` to keep all."""

    path: Path
    seconds: int = 0
    bytes: int = 0
    files: int = 0

    @property
    def rotation(self) -> tuple[int, int, int]:
        """As the core takes it."""
        return (self.seconds, self.bytes, self.files)

    def overwrites(self, files: Sequence[str]) -> bool:
        """Whether it is one of the files that are read."""
        there = (Path(file) for file in files if file != STANDARD_INPUT)
        return self.path.exists() and any(file.exists() and file.samefile(self.path) for file in there)


@dataclass(frozen=True, slots=True)
class Reading:
    """Capture files to analyse; with `output` the frames of the flows of `apps`, or all, are written afterwards."""

    files: Sequence[str]
    apps: Sequence[str] = ()
    output: FrameOutput | None = None


@contextmanager
def read_twice(reading: Reading) -> Iterator[Reading]:
    """Make standard input a file for as long as it is wanted, beside the output. Raises OSError."""
    if reading.output is None or STANDARD_INPUT not in reading.files:
        yield reading
        return
    with tempfile.NamedTemporaryFile(prefix=".standard-input-", dir=reading.output.path.absolute().parent) as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        files = [kept.name if file == STANDARD_INPUT else file for file in reading.files]
        yield Reading(files, reading.apps, reading.output)
