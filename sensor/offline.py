"""The engine over capture files: what `sensor.daemon` is to a mirror port."""

from collections.abc import Callable, Iterator
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
from sensor.outputs import OutputError, check_directories, event_log_of
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
    lists: object,
    listeners: Listeners = _NOBODY,
) -> tuple[Counters, AlertNumbers, Identities]:
    """Read the files to their end with these compiled lists in force, and write the logs that `config` names.

    The frames that are wanted are written afterwards. The time of alerts is the packets'. Raises OSError if nothing can
    be read or a file cannot be written, ValueError for a wrong filter or protocol.
    """
    report = listeners.report
    identities = Identities(config.hosts.max)
    engine = Engine(_settings(config, reading, report))
    alert_log = AlertLog(config.alerts.log) if config.alerts.log else None
    policy = Policy(config.alerts.suppress, rows_tell_time=True)
    history = open_history(config, "read", identities)
    takers = [taker for taker in (report, history) if taker is not None]
    told = (alert_log.write if alert_log else None, history.note if history else None, listeners.on_event)
    desk = AlertDesk(policy, event_log_of(config, engine), told)
    web = WebJudge(config.detect.web, identities.who)
    mail = MailJudge(config)
    mail.use(lists)
    # Nothing passes while lists load here, and the first frame must already meet them.
    engine.replace_watchlists(lists)
    engine.start()
    try:
        for batch in _batches(engine, listeners.show_progress):
            judged = mail.take(web.take(batch))
            desk.take(identities.take(judged))
            _hand_on(judged, takers, engine)
            if _is_calm(batch):
                identities.warm_up()
        desk.tick(engine.counters()["time_ns"])
        desk.finish(_END)
        if history is not None:
            history.compact()
    finally:
        engine.stop()
        if history is not None:
            history.close()
    counters = engine.counters()
    if reading.output is not None:
        _write_frames(engine, reading.output)
    StatsLog(config, engine.log_event).close(counters)
    if alert_log is not None:
        _close(alert_log)
    if history is not None:
        _check(history, config.history.directory)
    if report is not None:
        report.finish(counters, identities.machines(_MOST_MACHINES), desk.closed_incidents())
    return counters, desk.numbers(), identities


def _settings(config: Config, reading: Reading, report: "Report | None") -> dict[str, Any]:
    settings = engine_settings(config, "read", reading.files, reading.apps)
    settings["records"] = sorted({*kept_kinds(config, "read"), *(report.RECORDS if report is not None else ())})
    settings["raw_mails"] = report is not None
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


def _hand_on(batch: Batch, takers: "list[Report | History]", engine: Engine) -> None:
    """Hand what was judged to those who take everything, with the records that wait; at the end all that are left."""
    for taker in takers:
        taker.take(batch)
    while takers and (records := engine.records(0)):
        for taker in takers:
            taker.take_records(records)
        if not batch.ended:
            return


def _check(history: "History", directory: Path) -> None:
    sink = history.sink()
    if sink["error"] is not None:
        raise OutputError(f"{directory}: {sink['error']}: {sink['dropped']} records are lost")


def _close(alert_log: AlertLog) -> None:
    alert_log.flush()
    alert_log.close()
    if alert_log.error is not None:
        raise OutputError(f"{alert_log.path} cannot be written: {alert_log.error}")
