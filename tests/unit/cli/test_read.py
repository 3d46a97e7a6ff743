from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from sensor import offline
from sensor.cli import ExitCode, read
from sensor.cli.main import main
from sensor.config import Config
from sensor.engine import Batch
from sensor.reload import Lists
from tests.unit.samples import SECOND, START, FakeEngine, finding, hit


class ReadEngine(FakeEngine):
    """Reads two batches and is done; writes the event log itself, as the core does."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.batches = deque([
            Batch(START + 5, [hit(), hit(START + 1, flow_id=8)]),
            Batch(START + 7),
            Batch(START + SECOND, [hit(START + SECOND, event="progress", stage="data")], [finding(START + SECOND)]),
            Batch(START + 3 * SECOND, ended=True),
        ])  # fmt: skip
        self.changes = {"time_ns": START + 3 * SECOND}

    def log_event(self, line: str) -> None:
        assert "stop" not in self.calls
        if self.settings["eve"]:
            with Path(self.settings["eve"]["path"]).open("a") as stream:
                stream.write(line + "\n")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Any:
    made: list[ReadEngine] = []

    def make(settings: dict[str, Any]) -> ReadEngine:
        made.append(ReadEngine(settings))
        return made[-1]

    class Loader:
        def __call__(self, _config: Config) -> Lists:
            return Lists("lists", [])

    monkeypatch.setattr(offline, "Engine", make)
    monkeypatch.setattr(read, "ListLoader", Loader)
    monkeypatch.setattr(read, "configure_logging", lambda _level: None)
    return made


def test_lists_come_before_the_first_frame(engines: list[ReadEngine]) -> None:
    assert main(["read", "x.pcap"]) == ExitCode.OK
    assert engines[0].calls == ["replace_watchlists", "start", "stop"]
    assert engines[0].settings["mode"] == "read"
    assert engines[0].settings["files"] == ["x.pcap"]


def test_without_output_and_configuration_nothing_is_written(
    engines: list[ReadEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["read", "x.pcap"]) == ExitCode.OK
    assert engines[0].settings["eve"] is None
    assert engines[0].settings["pcap_ring"] is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("engines")
def test_output_is_the_same_each_time_and_written_anew(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        assert main(["read", "-o", str(tmp_path / "out"), "x.pcap"]) == ExitCode.OK
        contents.append([(tmp_path / "out" / name).read_bytes() for name in ("alerts.log", "eve.json")])
    assert contents[0] == contents[1]
    lines = contents[0][0].decode().splitlines()
    assert [line.split()[1] for line in lines] == ["OPEN", "UPDATE", "OPEN", "CLOSE", "CLOSE"]
    assert lines[-1].endswith("; end of the capture")
    assert not any("ALIVE" in line for line in lines)
    *alerts, stats = [json.loads(line) for line in contents[0][1].splitlines()]
    assert [event["event_type"] for event in alerts] == ["alert"] * 3
    assert (stats["event_type"], stats["stats"]["decoder"]["pkts"]) == ("stats", 100)


def test_the_summary_as_a_table_and_as_json(engines: list[ReadEngine], capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", "-f", "udp", "x.pcap"])
    out = capsys.readouterr().out
    assert engines[0].settings["filter"] == "udp"
    rows = {line[:28].strip(): line[28:].strip() for line in out.splitlines()}
    assert "alerts watchlist.ip" in out
    assert "1 (high)" in out
    assert "not understood: ipv4" in out
    assert rows
    main(["read", "--json", "x.pcap"])
    found = json.loads(capsys.readouterr().out)
    assert (found["packets"], found["flows"], found["hosts"]) == (100, 8, 3)
    assert found["alerts"] == [
        {"rule": "watchlist.ip", "severity": "high", "incidents": 1},
        {"rule": "smtp.bulk", "severity": "high", "incidents": 1},
    ]
    assert found["not_understood"] == [{"layer": "ipv4", "error": "truncated", "frames": 2}]


def test_tables_that_were_full_are_named(
    engines: list[ReadEngine], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def make(settings: dict[str, Any]) -> ReadEngine:
        engine = ReadEngine(settings)
        engine.changes |= {"fragments_forgotten": 2, "flows_without_layers": 1, "frames_without_source": 7}
        engines.append(engine)
        return engine

    monkeypatch.setattr(offline, "Engine", make)
    main(["read", "--json", "x.pcap"])
    captured = capsys.readouterr()
    found = json.loads(captured.out)["overflows"]
    assert found == {"flows": 0, "hosts": 0, "incidents": 0, "identities": 0, "fragments": 2, "layers": 1, "sources": 7}
    assert captured.err == "spanwatch: warning: full tables: fragments, layers, sources; see flows.max and hosts.max\n"


def _damaged(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    counted = {**FakeEngine().counters()["interfaces"][0], "captured_frames": frames}

    def make(settings: dict[str, Any]) -> ReadEngine:
        engine = ReadEngine(settings)
        engine.changes = {"interfaces": [counted], "warnings": ["x.pcap: damaged at byte 24\x1b[2J"]}
        return engine

    monkeypatch.setattr(offline, "Engine", make)


@pytest.mark.usefixtures("engines")
def test_a_damaged_file_is_a_warning_and_an_error_only_if_nothing_could_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _damaged(monkeypatch, 10)
    assert main(["read", "x.pcap"]) == ExitCode.OK
    assert capsys.readouterr().err == "spanwatch: warning: x.pcap: damaged at byte 24\\x1b[2J\n"
    _damaged(monkeypatch, 0)
    assert main(["read", "x.pcap"]) == ExitCode.INPUT_OUTPUT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(2, "No such file or directory", "x.pcap"), ExitCode.INPUT_OUTPUT),
        (ValueError("filter: syntax error"), ExitCode.USAGE),
    ],
)
@pytest.mark.usefixtures("engines")
def test_what_cannot_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail(_self: ReadEngine) -> None:
        raise error

    monkeypatch.setattr(ReadEngine, "start", fail)
    assert main(["read", "x.pcap"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_an_output_directory_that_cannot_be_made_is_an_input_output_error(
    engines: list[ReadEngine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["read", "-o", str(tmp_path / "file" / "out"), "x.pcap"]) == ExitCode.INPUT_OUTPUT
    assert "cannot make" in capsys.readouterr().err
    assert engines == []


def test_the_configured_ring_is_written_only_with_its_configuration(engines: list[ReadEngine], tmp_path: Path) -> None:
    configuration = tmp_path / "c.yaml"
    configuration.write_text(
        f"pcap_ring: {{directory: {tmp_path / 'ring'}}}\neve: {{path: null}}\nalerts: {{log: null}}\n"
    )
    assert main(["read", "-c", str(configuration), "x.pcap"]) == ExitCode.OK
    assert engines[0].settings["pcap_ring"]["directory"] == str(tmp_path / "ring")
    configuration.write_text("eve: {path: null}\nalerts: {log: null}\n")
    assert main(["read", "-c", str(configuration), "x.pcap"]) == ExitCode.OK
    assert engines[1].settings["pcap_ring"] is None
