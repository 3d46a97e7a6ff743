"""A progress bar by bytes, for a terminal."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn


class ByteBar(AbstractContextManager[Callable[[int], None]]):
    """A bar on standard error; entering gives the function that takes the bytes done. Without a total it only moves."""

    def __init__(self, name: str, total_bytes: int | None) -> None:
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(name, total=total_bytes)

    def __enter__(self) -> Callable[[int], None]:
        self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, completed_bytes: int) -> None:
        self._progress.update(self._task, completed=completed_bytes)
