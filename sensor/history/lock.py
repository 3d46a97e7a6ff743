"""One writer a directory of history."""

import fcntl
import os
import shutil
from pathlib import Path

from sensor.history.tree import WORK


class Lock:
    """Holds the history's directory for one process, and clears away what an earlier one left unfinished."""

    def __init__(self, root: Path) -> None:
        """Raises OSError; BlockingIOError if another process writes to the directory."""
        work = root / WORK
        work.mkdir(exist_ok=True)
        self._descriptor = os.open(root / WORK / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(work)
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)


def _clear(work: Path) -> None:
    for entry in work.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()
