"""The history beside a running sensor: a thread of its own, so that a slow disk delays the history and nothing else."""

import logging
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sensor.alerts.incident import Event
from sensor.config import Config, keeps_history
from sensor.config.engine import Mode
from sensor.engine import Batch, Engine, SinkCounters
from sensor.history.numbers import HistoryNumbers
from sensor.history.schema import CORE_KINDS
from sensor.identity.naming import Identities
from sensor.outputs import OutputError

if TYPE_CHECKING:
    from sensor.history.store import History

_log = logging.getLogger(__name__)
_WAIT_SECONDS = 1.0
_DRAIN_SECONDS = 20.0


def kept_kinds(config: Config, mode: Mode) -> tuple[str, ...]:
    """Give the kinds of records that the core has to hand over."""
    return CORE_KINDS if keeps_history(config, mode) else ()


def open_history(config: Config, mode: Mode, identities: Identities) -> "History | None":
    """Give the history, if the configuration wants one. OSError: its directory cannot be had."""
    if not keeps_history(config, mode):
        return None
    from sensor.history.store import History  # noqa: PLC0415  # late: reading without a history starts faster

    try:
        history = History(config.history, identities, since_ns=time.time_ns() if mode == "live" else 0)
    except OSError as error:
        held = "another process has it" if isinstance(error, BlockingIOError) else error.strerror
        raise OutputError(f"history.directory: cannot use {config.history.directory}: {held}") from error
    if mode == "read":
        history.scan()
    return history


class Keeper:
    """Writes the history while it is entered and started; does nothing where the configuration wants none."""

    def __init__(self, config: Config, identities: Identities) -> None:
        """Raises OSError if the directory cannot be had."""
        self._history = open_history(config, "live", identities)
        self._closing = threading.Event()
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write all that is left; a disk that hangs is given up after 20 s."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_DRAIN_SECONDS)
            if self._thread.is_alive():
                _log.error("the disk of the history hangs: what was not written is lost")
        elif self._history is not None:
            self._history.close()

    def start(self, engine: Engine) -> None:
        """Take the records of a running engine from now on."""
        if self._history is not None:
            run = (self._history, engine)
            self._thread = threading.Thread(target=self._run, args=run, name="history", daemon=True)
            self._thread.start()

    def take(self, batch: Batch) -> None:
        """Take what a poll gave."""
        if self._history is not None:
            self._history.take(batch)

    def note(self, event: Event) -> None:
        """Take a line of the alert log."""
        if self._history is not None:
            self._history.note(event)

    def check(self) -> None:
        """Raise RuntimeError if the thread has died: nothing would be kept any more."""
        if self._failure is not None:
            raise RuntimeError(f"the history's writer has died: {self._failure}") from self._failure

    def sinks(self) -> tuple[SinkCounters, ...]:
        """Count as the core does for its own outputs."""
        return (self._history.sink(),) if self._history is not None else ()

    def numbers(self) -> HistoryNumbers | None:
        """Give the counts as of now; None where no history is kept."""
        return self._history.numbers if self._history is not None else None

    def _run(self, history: "History", engine: Engine) -> None:
        try:
            self._keep(history, engine)
        except Exception as error:  # noqa: BLE001
            # Whatever it is, `check` brings it to the main thread.
            self._failure = error

    def _keep(self, history: "History", engine: Engine) -> None:
        history.scan()
        while (records := engine.records(_WAIT_SECONDS)) is not None:
            history.take_records(records)
        # What is judged while the sensor stops comes from the main thread.
        self._closing.wait()
        history.close()
