"""The alert side of a running daemon: policy, logs and state, opened together and closed together."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sensor.alerts.batch import Row
from sensor.alerts.desk import AlertDesk, EventLog
from sensor.alerts.incident import Event
from sensor.alerts.log import AlertLog
from sensor.alerts.outbox import Outbox
from sensor.alerts.policy import Policy
from sensor.alerts.state import StateFile
from sensor.config import Config, keeps_history
from sensor.engine import Counters, Engine, SinkCounters

if TYPE_CHECKING:
    from sensor.evidence.keeper import EvidenceKeeper, EvidenceNumbers

_log = logging.getLogger(__name__)


class OutputError(OSError):
    """A file or directory that cannot be written; the text says which, why and at which key."""


def check_directories(config: Config, *, live: bool) -> None:
    """Make the directories that are written to, and see that they can be. Raises OutputError.

    Without `live` no state is kept, and the ring is written only if the configuration names it.
    """
    wanted = {"alerts.state": config.alerts.state} if live else {}
    if config.alerts.log is not None:
        wanted["alerts.log"] = config.alerts.log.parent
    if config.eve.path is not None:
        wanted["eve.path"] = config.eve.path.parent
    if config.pcap_ring.enabled and (live or "pcap_ring" in config.model_fields_set):
        wanted["pcap_ring.directory"] = config.pcap_ring.directory
    if _keeps_evidence(config, live=live):
        wanted["evidence.directory"] = config.evidence.directory
    if keeps_history(config, "live" if live else "read"):
        wanted["history.directory"] = config.history.directory
    for key, directory in wanted.items():
        _check(key, directory)


def _check(key: str, directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(error.errno, f"{key}: cannot make {directory}: {error.strerror}") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OutputError(f"{key}: {directory} cannot be written: check its owner and mode")


def _keeps_evidence(config: Config, *, live: bool) -> bool:
    """Whether packets of incidents are wanted, and there is a ring to cut them out of; in `read`, if both are named."""
    named = live or {"pcap_ring", "evidence"} <= config.model_fields_set
    return named and config.pcap_ring.enabled and config.evidence.max_size > 0


def evidence_keeper(config: Config, *, live: bool) -> "EvidenceKeeper | None":
    """Make who keeps the packets of incidents, if that is wanted."""
    if not _keeps_evidence(config, live=live):
        return None
    from sensor.evidence.keeper import EvidenceKeeper  # noqa: PLC0415  # late: `read` without evidence starts faster

    return EvidenceKeeper(config)


def event_log_of(config: Config, engine: Engine) -> EventLog:
    """Give the event log as the configuration wants it."""
    types = frozenset(config.eve.types) if config.eve.path is not None else frozenset[str]()
    return EventLog(engine.log_event, types, config.sensor.name or socket.gethostname())


class AlertOutputs:
    """Opens the alert log, goes on with the incidents of the last run, and saves them at the end.

    `evidence` keeps the packets of incidents; None where there is no ring to cut them out of, or none are wanted.
    `name` puts the machine in a row.
    """

    def __init__(
        self,
        config: Config,
        engine: Engine,
        name: Callable[[Row], None],
        listeners: Iterable[Callable[[Event], None] | None],
    ) -> None:
        self._state = StateFile(config.alerts.state)
        self._alert_log = AlertLog(config.alerts.log) if config.alerts.log else None
        self._outbox = Outbox(self._alert_log, self._state)
        self._policy = Policy(config.alerts.suppress, time.time_ns(), name=name)
        self.evidence = evidence_keeper(config, live=True)
        hearers = (self._outbox.post, self.evidence.take if self.evidence else None, *listeners)
        self.desk = AlertDesk(self._policy, event_log_of(config, engine), hearers)

    def __enter__(self) -> Self:
        """Take the earlier state and start to write. Raises OutputError if another process has the state."""
        try:
            self._state.lock()
        except OSError as error:
            held = "another process has it" if isinstance(error, BlockingIOError) else error.strerror
            raise OutputError(f"alerts.state: cannot use {self._state.path.parent}: {held}") from error
        earlier = self._state.load()
        if earlier is not None:
            self._policy.restore(earlier)
            _log.info("going on with %d open incidents", self._policy.open_incidents)
        self._outbox.start()
        if self.evidence is not None:
            for event in self._policy.without_evidence():
                self.evidence.take(event)
            self.evidence.start(self.desk.attach_evidence)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write all that waits, and the state."""
        if self.evidence is not None:
            self.evidence.close()
        state = self.desk.unsaved_state()
        if state is not None:
            self.save_state(state)
        self._outbox.close()
        self._state.unlock()

    def check(self) -> None:
        """Raise RuntimeError if alerts are not written any more."""
        self._outbox.check()

    def save_state(self, state: bytes) -> None:
        """Save the state in the background."""
        self._outbox.save(state)

    def note(self, counters: Counters) -> "EvidenceNumbers | None":
        """Take the counters of a second; give the numbers of the evidence if any is kept."""
        if self.evidence is None:
            return None
        self.evidence.note(counters)
        return self.evidence.numbers()

    def sinks(self) -> tuple[SinkCounters, ...]:
        """Count as the core does for its own outputs."""
        log = self._alert_log
        if log is None:
            return ()
        dropped = log.dropped + self._outbox.dropped
        return ({"sink": "alerts", "written": log.written, "dropped": dropped, "error": log.error},)

    def close_accounts(self, counters: Counters) -> None:
        """Say the final accounts in one line."""
        captured = sum(interface["captured_frames"] for interface in counters["interfaces"])
        fates = ", ".join(f"{name} {frames}" for name, frames in counters["fates"].items() if frames)
        analysis = ", ".join(f"{name} {frames}" for name, frames in counters["analysis"].items() if frames)
        _log.info("captured %d frames: %s; analysed: %s", captured, fates or "none", analysis or "none")
