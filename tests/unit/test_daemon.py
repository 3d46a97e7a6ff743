from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sensor._native import Watchlists
from sensor.alerts.incident import Kind
from sensor.alerts.log import AlertLog
from sensor.alerts.state import decode
from sensor.api.server import ServerError
from sensor.config import Config, ConfigError
from sensor.config.errors import Problem
from sensor.daemon import Daemon, Hooks, Parts, WorkerError
from sensor.engine import Batch
from sensor.history.keeper import Keeper
from sensor.history.store import History
from sensor.identity.naming import Identities
from sensor.outputs import OutputError
from sensor.reload import Lists
from tests.unit.daemon_bench import Bench, now_hit, until
from tests.unit.history.samples import flow_batch, ports, rows
from tests.unit.samples import C2, HOST, SECOND, FakeEngine, hit, interface


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_evidence_comes_first_then_lists(bench: Bench) -> None:
    with bench.running():
        assert bench.engine.calls == ["enter", "start", "leave", "replace_watchlists"]
        assert bench.engine.watchlists == ["lists 1"]
        assert bench.engine.settings["mode"] == "live"
    assert bench.engine.calls[-1] == "stop"
    assert not (bench.directory / "api.sock").exists()


def test_a_hit_reaches_the_log_the_event_log_the_api_and_the_hook(bench: Bench) -> None:
    with bench.running():
        bench.engine.batches.append(Batch(time.time_ns(), [now_hit()]))
        until(lambda: bench.alert_lines)
        assert " OPEN   high   watchlist.ip  #" in bench.alert_lines[0]
        until(lambda: bench.engine.events)
        assert json.loads(bench.engine.events[0])["event_type"] == "alert"
        assert [event.kind for event in bench.events] == [Kind.OPEN]
        assert bench.get("/api/alerts")[0]["id"] == bench.events[0].incident


def test_the_history_keeps_records_mails_and_alerts_to_the_end(bench: Bench) -> None:
    bench.lists = [Lists(Watchlists.compile([]), [])]
    root = bench.directory / "history"
    config = bench.config(**{"history.enabled": True, "history.directory": str(root)})
    bench.engine.kept.append(("flow", flow_batch(3)))
    with bench.running(config):
        assert bench.engine.settings["records"] == ("flow", "dns", "tls", "quic", "http", "ssh")
        bench.engine.batches.append(Batch(time.time_ns(), [now_hit()]))
        until(lambda: bench.alert_lines and not bench.engine.kept)
        with pytest.raises(OutputError, match=r"history\.directory: cannot use .*another process has it"):
            Keeper(config, Identities(1))
    assert ports(root) == [1024, 1025, 1026]
    (opened,) = rows(root, "alert", "event, id, host, remote, indicator, list, count, text")
    assert opened == ("OPEN", bench.events[0].incident, HOST, C2, C2, "feodo", 1, bench.alert_lines[0])


def test_a_history_that_cannot_go_on_ends_the_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_history: History, _records: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(History, "take_records", fail)
    bench.lists = [Lists(Watchlists.compile([]), [])]
    config = bench.config(**{"history.enabled": True, "history.directory": str(bench.directory / "history")})
    with pytest.raises(WorkerError, match="the history's writer has died: a defect"):
        bench.daemon(config).run()


def test_what_the_core_still_holds_at_the_stop_is_not_lost_and_survives_a_restart(bench: Bench) -> None:
    with bench.running() as daemon:
        daemon.stop()
        until(lambda: "stop" in bench.engine.calls or not bench.answers())
    bench.engine.batches.extend([Batch(time.time_ns(), [now_hit()]), Batch(time.time_ns(), [now_hit(flow_id=8)])])
    bench.engine.calls.clear()
    with bench.running() as daemon:
        until(lambda: bench.events)
    state = decode((bench.directory / "state" / "incidents.json").read_bytes())
    assert [incident.id for incident in state.incidents] == [bench.events[0].incident]
    bench.engine.calls.clear()
    with bench.running():
        assert [incident["contacts"] for incident in bench.get("/api/alerts")] == [2]
        bench.engine.batches.append(Batch(time.time_ns(), [now_hit(flow_id=9)]))
        until(lambda: bench.get("/api/alerts")[0]["contacts"] == 3)
    assert [event.kind for event in bench.events] == [Kind.OPEN]


def test_batches_that_come_during_the_drain_are_taken(bench: Bench) -> None:
    class Late(FakeEngine):
        def stop(self) -> None:
            super().stop()
            self.batches.append(Batch(time.time_ns(), [now_hit()]))

    bench.engine = Late()
    with bench.running():
        pass
    assert len(bench.alert_lines) == 1


def test_a_reload_takes_lists_and_suppressions(bench: Bench) -> None:
    bench.lists.append(Lists("lists 2", []))
    with bench.running() as daemon:
        bench.configs.append(bench.config(**{"alerts.suppress": [{"rule": "watchlist.ip"}]}))
        daemon._reloader.request()
        until(lambda: bench.engine.watchlists == ["lists 1", "lists 2"])
        until(lambda: daemon._reloader._running is None)
        bench.engine.batches.append(Batch(time.time_ns(), [now_hit()]))
        until(lambda: bench.get("/api/status")["alerts"]["suppressed"] == 1)
        assert "spanwatch_reload_success 1.0" in bench.get("/metrics")
    assert not bench.alert_lines


def test_a_bad_configuration_keeps_the_old_one_loudly(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.configs.append(ConfigError([Problem("spanwatch.yaml", None, "flows.max", "must be at least 1")]))
    with bench.running() as daemon:
        daemon._reloader.request()
        until(lambda: "spanwatch_reload_success 0.0" in bench.get("/metrics"))
        until(lambda: bench.alert_lines)
        assert " OPEN   medium sensor.list-stale  #" in bench.alert_lines[0]
        assert "configuration  spanwatch.yaml: flows.max: must be at least 1" in bench.alert_lines[0]
        assert bench.get("/api/status")["healthy"] is False
        bench.configs.append(bench.config())
        daemon._reloader.request()
        until(lambda: len(bench.alert_lines) == 2)
        assert " CLOSE " in bench.alert_lines[1]
        assert "spanwatch_reload_success 1.0" in bench.get("/metrics")
    assert "what was in use stays in use" in caplog.text


def test_a_reload_takes_web_rules_and_bad_ones_change_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.configs.append(bench.config())
    with bench.running() as daemon:
        daemon._reloader.request()
        until(lambda: bench.engine.web_rules == ["rules"])
        bench.wrong_rules = True
        daemon._reloader.request()
        until(lambda: bench.alert_lines)
        assert "configuration  own.yaml:3:5: pattern: unclosed group" in bench.alert_lines[0]
        assert bench.engine.web_rules == ["rules"]
    assert "unclosed group; what was in use stays in use" in caplog.text


def test_a_stale_list_is_told_until_it_is_good_again(bench: Bench) -> None:
    bench.lists += [Lists("lists 2", [("feodo", "empty")]), Lists("lists 3", [])]
    with bench.running() as daemon:
        daemon._reloader.request()
        until(lambda: bench.alert_lines)
        assert bench.alert_lines[0].endswith("  feodo  empty")
        daemon._reloader.request()
        until(lambda: len(bench.alert_lines) == 2)


def test_changes_that_need_a_restart_are_named(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.configs.append(bench.config(**{"flows.max": 5, "alerts.heartbeat": "2m"}))
    with bench.running() as daemon:
        daemon._reloader.request()
        until(lambda: "changes in flows, alerts need a restart" in caplog.text)


def test_a_dead_worker_ends_the_run_with_everything_saved(bench: Bench) -> None:
    bench.engine.batches.extend([Batch(time.time_ns(), [now_hit()]), RuntimeError("worker 0 panicked")])
    with pytest.raises(WorkerError, match="worker 0 panicked"):
        bench.daemon().run()
    assert len(bench.alert_lines) == 1
    assert len(decode((bench.directory / "state" / "incidents.json").read_bytes()).incidents) == 1
    assert bench.engine.calls[-1] == "stop"
    assert not (bench.directory / "api.sock").exists()


def test_an_alert_writer_that_dies_ends_the_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AlertLog, "write", lambda *_: 1 / 0)
    bench.engine.batches.append(Batch(time.time_ns(), [now_hit()]))
    with pytest.raises(WorkerError, match="the alert log's writer has died: division by zero"):
        bench.daemon().run()


def test_a_capture_that_ends_by_itself_is_an_error(bench: Bench) -> None:
    bench.engine.batches.append(Batch(0, ended=True))
    with pytest.raises(WorkerError, match="by itself"):
        bench.daemon().run()


def test_a_start_that_fails_leaves_nothing_started(bench: Bench) -> None:
    class Broken(FakeEngine):
        def start(self) -> None:
            raise OSError(1, "no privilege: CAP_NET_RAW")

    bench.engine = Broken()
    with pytest.raises(OSError, match="CAP_NET_RAW"):
        bench.daemon().run()
    assert bench.engine.calls == ["enter"]
    assert not (bench.directory / "api.sock").exists()


def test_a_bad_list_at_the_start_stops_the_capture_again(bench: Bench) -> None:
    def refuse(_config: Config) -> Lists:
        raise ConfigError([Problem("list.csv", None, "list x", "empty")])

    daemon = Daemon(bench.config(), Hooks(), Parts(bench._make_engine, refuse))
    with pytest.raises(ConfigError, match=r"list\.csv"):
        daemon.run()
    assert bench.engine.calls == ["start", "stop"]


def test_a_taken_port_starts_nothing(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = bench.config(**{"metrics.listen": f"127.0.0.1:{taken.getsockname()[1]}"})
        with pytest.raises(ServerError, match="Address already in use"):
            bench.daemon(config).run()
    assert bench.engine.calls == []


@pytest.mark.parametrize(
    "key",
    ["alerts.log", "alerts.state", "eve.path", "pcap_ring.directory", "history.directory", "evidence.directory"],
)
def test_a_directory_that_cannot_be_made_starts_nothing(bench: Bench, key: str) -> None:
    (bench.directory / "file").touch()
    changes = {"history.enabled": True, key: str(bench.directory / "file" / "below" / "x")}
    with pytest.raises(OutputError, match=key.replace(".", r"\.")):
        bench.daemon(bench.config(**changes)).run()
    assert bench.engine.calls == []


def test_a_second_daemon_with_the_same_state_is_refused_and_the_first_goes_on(bench: Bench, tmp_path: Path) -> None:
    with bench.running():
        second = Bench(tmp_path)
        config = second.config(**{"api.socket": str(tmp_path / "second.sock")})
        with pytest.raises(OutputError, match=r"alerts\.state: cannot use .*another process has it"):
            second.daemon(config).run()
        assert second.engine.calls == []
        assert bench.answers()
    bench.engine.calls.clear()
    with bench.running():
        assert bench.answers()


def test_the_heartbeat_beats_and_a_silent_mirror_is_told(bench: Bench) -> None:
    bench.engine.changes = {"interfaces": interface(captured_frames=0)}
    config = bench.config(**{"alerts.heartbeat": "1s", "detect.mirror.silence": "2s"})
    daemon = bench.daemon(config)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        until(
            lambda: any(
                " ALIVE  mirror blind: mirror.silent eth1: shows no frame for " in line for line in bench.alert_lines
            )
        )
        assert any(" OPEN   high   mirror.silent  #" in line for line in bench.alert_lines)
        assert any(" ALIVE  mirror ok  " in line for line in bench.alert_lines)
    finally:
        daemon.stop()
        thread.join(20)


def test_the_watchdog_is_fed_only_while_every_worker_advances(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "systemd", None)
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        with bench.running():
            messages = [receiver.recv(200)]
            while messages.count(b"WATCHDOG=1") < 2:
                messages.append(receiver.recv(200))
            assert messages[0] == b"READY=1"
            assert any(message.startswith(b"STATUS=mirror ok  ") for message in messages)
            bench.engine.advances = False
            until(lambda: not bench.answers())
            receiver.settimeout(0.1)
            with suppress(TimeoutError):
                while receiver.recv(200):
                    pass
            receiver.settimeout(2.5)
            with pytest.raises(TimeoutError):
                receiver.recv(200)
            bench.engine.advances = True
            receiver.settimeout(10)
            assert receiver.recv(200) == b"WATCHDOG=1"


def test_stop_when_ends_the_run(bench: Bench) -> None:
    asked = []

    def stop_when(view: Any) -> bool:
        asked.append(view.counters()["time_ns"])
        return len(asked) == 3

    Daemon(bench.config(), Hooks(stop_when=stop_when), Parts(bench._make_engine, bench._load_lists)).run()
    assert len(asked) == 3


def test_sigterm_drains_sighup_reloads(bench: Bench) -> None:
    bench.lists.append(Lists("lists 2", []))

    def drive() -> None:
        until(bench.answers)
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: bench.engine.watchlists == ["lists 1", "lists 2"])
        os.kill(os.getpid(), signal.SIGTERM)

    driver = threading.Thread(target=drive)
    driver.start()
    bench.daemon().run()
    driver.join(20)
    assert bench.engine.calls[-1] == "stop"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_final_accounts_are_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), bench.running():
        pass
    assert "captured 100 frames: stored 90; analysed: flow 95, non_ip 3, undecodable 2" in caplog.text


def test_an_incident_that_is_over_closes_although_no_frame_comes(bench: Bench) -> None:
    with bench.running():
        bench.engine.batches.append(Batch(1, [hit(time.time_ns() - 3700 * SECOND)]))
        until(lambda: any(" CLOSE " in line for line in bench.alert_lines))


def test_what_the_ring_had_to_mend_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path)
    bench.engine.changes = {"ring_notes": ["eth1-0.pcap.part was cut to 12 whole frames"]}
    with bench.running():
        pass
    assert "pcap ring: eth1-0.pcap.part was cut to 12 whole frames" in caplog.text
