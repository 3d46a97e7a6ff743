from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import pytest

from sensor.api.server import ServerError
from sensor.cli import ExitCode, run
from sensor.cli.main import main
from sensor.cli.options import StopAfter
from sensor.config import Config, ConfigError
from sensor.config.errors import Problem
from sensor.daemon import Hooks, WorkerError
from sensor.outputs import OutputError
from tests.unit.api.test_server import view_of
from tests.unit.samples import FakeEngine


class FakeDaemon:
    """Remembers how it was made, and ends as it is told to."""

    end: BaseException | None = None
    made: list[tuple[Config, Hooks]] = []  # noqa: RUF012

    def __init__(self, config: Config, hooks: Hooks) -> None:
        self.made.append((config, hooks))

    def run(self) -> None:
        if self.end is not None:
            raise self.end


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(run, "Daemon", FakeDaemon)
    monkeypatch.setattr(run, "configure_logging", lambda: None)
    monkeypatch.setattr(FakeDaemon, "end", None)
    monkeypatch.setattr(FakeDaemon, "made", [])
    return FakeDaemon


def test_options_reach_the_daemon(daemon: type[FakeDaemon]) -> None:
    assert main(["run", "-i", "eth1", "-i", "eth2", "-f", "udp", "-s", "96"]) == ExitCode.OK
    ((config, hooks),) = daemon.made
    assert [entry.name for entry in config.capture.interfaces] == ["eth1", "eth2"]
    assert (config.capture.filter, config.capture.snaplen) == ("udp", 96)
    assert hooks.stop_when is None


def test_a_reload_reads_the_file_again_under_the_same_options(daemon: type[FakeDaemon], tmp_path: Path) -> None:
    path = tmp_path / "spanwatch.yaml"
    path.write_text("flows: {max: 10}\n")
    assert main(["run", "-c", str(path), "-i", "eth1"]) == ExitCode.OK
    ((_, hooks),) = daemon.made
    path.write_text("flows: {max: 20}\n")
    assert hooks.read_config is not None
    again = hooks.read_config()
    assert (again.flows.max, again.capture.interfaces[0].name) == (20, "eth1")
    path.write_text("flows: {max: 0}\n")
    with pytest.raises(ConfigError):
        hooks.read_config()


@pytest.mark.parametrize(
    ("end", "code", "text"),
    [
        (ConfigError([Problem("l.csv", None, "list l", "empty")]), ExitCode.CONFIGURATION, "l.csv: list l: empty"),
        (ValueError("filter: syntax error"), ExitCode.CONFIGURATION, "filter: syntax error"),
        (OutputError(28, "alerts.log: no space"), ExitCode.INPUT_OUTPUT, "alerts.log: no space"),
        (ServerError(98, "cannot listen"), ExitCode.SYSTEM, "cannot listen"),
        (WorkerError("the capture has ended"), ExitCode.SYSTEM, "the capture has ended"),
        (PermissionError(1, "Operation not permitted"), ExitCode.SYSTEM, "Operation not permitted"),
        (FileNotFoundError(2, "No such device", "eth9"), ExitCode.SYSTEM, "eth9: No such device"),
    ],
)
def test_each_end_has_its_code_and_line(
    daemon: type[FakeDaemon],
    capsys: pytest.CaptureFixture[str],
    end: BaseException,
    code: int,
    text: str,
) -> None:
    daemon.end = end
    assert main(["run", "-i", "eth1"]) == code
    assert capsys.readouterr().err == f"spanwatch: {text}\n"


def test_without_an_interface_the_configuration_is_at_fault(
    daemon: type[FakeDaemon], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "empty.yaml"
    path.touch()
    assert main(["run", "-c", str(path)]) == ExitCode.CONFIGURATION
    assert "-i" in capsys.readouterr().err
    assert daemon.made == []


def stopped(stop: StopAfter, **changes: Any) -> bool:
    engine = FakeEngine(changes=changes)
    condition = run.stop_condition(stop)
    assert condition is not None
    return condition(view_of(engine))


def test_stop_conditions() -> None:
    assert run.stop_condition(StopAfter()) is None
    assert stopped(StopAfter(packets=100))
    assert not stopped(StopAfter(packets=101))
    assert stopped(StopAfter(files=2))
    assert not stopped(StopAfter(files=3))
    assert stopped(StopAfter(bytes=8192))
    assert not stopped(StopAfter(files=1, bytes=1), ring=None)


def test_a_duration_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    condition = run.stop_condition(StopAfter(duration_seconds=5))
    assert condition is not None
    view = view_of(FakeEngine())
    assert not condition(view)
    now[0] = 105.0
    assert condition(view)


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == ExitCode.OK
    assert "example: spanwatch run" in capsys.readouterr().out


def test_registering_adds_one_command() -> None:
    parser = argparse.ArgumentParser()
    run.register(parser.add_subparsers())
    assert parser.parse_args(["run", "-i", "x", "-a", "duration:3"]).stop_after == [("duration", 3)]
