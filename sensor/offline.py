"""The engine over capture files: what `sensor.daemon` is to a mirror port."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.alerts.desk import AlertDesk, AlertNumbers
from sensor.alerts.incident import Event
from sensor.alerts.log import AlertLog
from sensor.alerts.policy import Policy
from sensor.config import Config, engine_settings
from sensor.engine import Batch, Counters, Engine
from sensor.frames import FrameOutput, Reading
from sensor.history.keeper import kept_kinds, open_history
from sensor.identity.naming import Identities
from sensor.mail.judge import MailJudge
from sensor.outputs import OutputError, check_directories, event_log_of, evidence_keeper
from sensor.stats import StatsLog
from sensor.web.judge import WebJudge

if TYPE_CHECKING:
    from sensor.history.store import History
    from sensor.report.collect import Report

_POLL_SECONDS = 0.1
_END = "end of the capture"
_MOST_MACHINES = 10_000


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told while files are read: of progress, of each line of the alert log, of everything for the report."""

    show_progress: Callable[[Counters], None] | None = None
    on_event: Callable[[Event], None] | None = None
    report: "Report | None" = None


_NOBODY = Listeners()


def prepare(config: Config, *, anew: bool) -> None:
    """Make the directories that are written to; with `anew` remove what an earlier run left. Raises OSError."""
    check_directories(config, live=False)
    for path in (config.eve.path, config.alerts.log):
        if anew and path is not None:
            path.unlink(missing_ok=True)


def analyse(
    config: Config,
    reading: Reading,
    lists: Callable[[], object],
    listeners: Listeners = _NOBODY,
) -> tuple[Counters, AlertNumbers, Identities]:
    """Read the files to their end with the compiled lists in force, and write the logs that `config` names.

    `lists` gives them; they may still be made while all else gets ready. The frames that are wanted are written
    afterwards. The time of alerts is the packets'. Raises OSError if nothing can be read or a file cannot be written,
    ValueError for a wrong filter or protocol, and what `lists` raises.
    """
    engine = Engine(_settings(config, reading, listeners.report))
    identities = Identities(config.hosts.max)
    with closing(_Outputs(config, engine, identities, listeners)) as outputs:
        _judge_all(config, engine, outputs, lists)
        counters = engine.counters()
        outputs.finish(engine, counters)
        if reading.output is not None:
            _write_frames(engine, reading.output)
        StatsLog(config, engine.log_event).close(counters)
    return counters, outputs.desk.numbers(), identities


class _Outputs:
    """Where alerts and records go."""

    def __init__(self, config: Config, engine: Engine, identities: Identities, listeners: Listeners) -> None:
        self.identities = identities
        self.show_progress = listeners.show_progress
        self._report = listeners.report
        self._alert_log = AlertLog(config.alerts.log) if config.alerts.log else None
        self._history = open_history(config, "read", identities)
        self._evidence = evidence_keeper(config, live=False)
        self._history_directory = config.history.directory
        hearers = (
            self._alert_log.write if self._alert_log else None,
            self._evidence.take if self._evidence else None,
            self._history.note if self._history else None,
            listeners.on_event,
        )
        policy = Policy(config.alerts.suppress, rows_tell_time=True, name=identities.name)
        self.desk = AlertDesk(policy, event_log_of(config, engine), hearers)

    def take(self, batch: Batch, engine: Engine) -> None:
        """Take what was judged, with the records that wait; at the end all that are left."""
        self.desk.take(batch)
        for taker in (self._report, self._history):
            if taker is not None:
                taker.take(batch)
        while self._history is not None and (records := engine.records(0)):
            self._history.take_records(records)
            if not batch.ended:
                return

    def finish(self, engine: Engine, counters: Counters) -> None:
        """Close all incidents. The ring is whole only now, and what closes an incident names its evidence."""
        self._cut_evidence(counters)
        self.desk.finish(_END)
        self._cut_evidence(counters)
        if self._history is not None:
            self._history.compact()
        if self._report is not None:
            machines = self.identities.machines(_MOST_MACHINES)
            self._report.finish(counters, engine.traffic(self._report.TOP), machines, self.desk.closed_incidents())

    def _cut_evidence(self, counters: Counters) -> None:
        if self._evidence is not None:
            self._evidence.cut_all(counters, self.desk.attach_evidence)

    def close(self) -> None:
        """Write what waits. Raises OutputError if something could not be written."""
        try:
            if self._history is not None:
                self._history.close()
                _check(self._history, self._history_directory)
        finally:
            if self._alert_log is not None:
                _close(self._alert_log)


def _judge_all(config: Config, engine: Engine, outputs: _Outputs, lists: Callable[[], object]) -> None:
    web = WebJudge(config.detect.web, outputs.identities.who)
    mail = MailJudge(config)
    # Nothing passes while lists load here, and the first frame must already meet them.
    compiled = lists()
    mail.use(compiled)
    engine.replace_watchlists(compiled)
    engine.start()
    try:
        for batch in _batches(engine, outputs.show_progress):
            outputs.identities.take(batch)
            outputs.take(mail.take(web.take(batch)), engine)
            if _is_calm(batch):
                outputs.identities.warm_up()
        outputs.desk.tick(engine.counters()["time_ns"])
    finally:
        engine.stop()


def _settings(config: Config, reading: Reading, report: "Report | None") -> dict[str, Any]:
    settings = engine_settings(config, "read", reading.files, reading.apps)
    settings["records"] = kept_kinds(config, "read")
    settings["raw_mails"] = settings["traffic"] = report is not None
    return settings


def _batches(engine: Engine, show_progress: Callable[[Counters], None] | None) -> Iterator[Batch]:
    """Give what each poll brings."""
    ended = False
    while not ended:
        batch = engine.poll(_POLL_SECONDS)
        yield batch
        ended = batch.ended
        if show_progress is not None:
            show_progress(engine.counters())


def _is_calm(batch: Batch) -> bool:
    """Whether the core is busy with a longer capture, and nothing waits for Python."""
    judged = batch.findings or batch.beacons or batch.web or batch.logins
    return not (batch.ended or batch.hits or judged or batch.punted)


def _write_frames(engine: Engine, output: FrameOutput) -> None:
    _, _, left_out = engine.write_frames(str(output.path), output.rotation)
    if left_out:
        raise OutputError(f"{output.path} is not whole: too many flows are wanted; read fewer files at once")


def _check(history: "History", directory: Path) -> None:
    sink = history.sink()
    if sink["error"] is not None:
        raise OutputError(f"{directory}: {sink['error']}: {sink['dropped']} records are lost")


def _close(alert_log: AlertLog) -> None:
    alert_log.flush()
    alert_log.close()
    if alert_log.error is not None:
        raise OutputError(f"{alert_log.path} cannot be written: {alert_log.error}")
