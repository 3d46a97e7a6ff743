from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor.api.app import socket_endpoint
from sensor.api.server import ApiServer, open_unix
from sensor.cli import ExitCode
from sensor.cli.main import main
from sensor.identity.facts import Evidence
from tests.unit.api.test_server import view_of
from tests.unit.samples import HOST, SECOND, START, FakeEngine, flow_row, host_row, interface

HOST_ROW = host_row(vlan=[100, 30])
FLOW_ROW = flow_row(
    orig_ip="2001:db8::1", state="established\x1b[2J", resp_bytes=5_300_000_000, app_proto="tls",
    name="evil\x1b[2J.example", encapsulation=[{"kind": "vlan", "vlan": 20}],
)  # fmt: skip


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(flow_rows=[FLOW_ROW], host_rows=[HOST_ROW])


@pytest.fixture
def path(tmp_path: Path, engine: FakeEngine) -> Iterator[Any]:
    path = tmp_path / "api.sock"
    with open_unix(path) as listener:
        server = ApiServer([socket_endpoint(listener, view_of(engine))])
        server.start()
        yield path
        server.stop()


def ask(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[int, str, str]:
    code = main([words[0], "--socket", str(path), *words[1:]])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_status_of_a_healthy_sensor(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, out, _ = ask(capsys, path, "status")
    assert code == ExitCode.OK
    assert "mirror" in out
    assert "up, 100 frames, 38 kB, 0 dropped by the kernel" in out
    assert "4.1 kB in 2 files, reaches back 31 h" in out
    assert "not in the ring" not in out


def test_status_tells_what_the_ring_was_not_given(
    capsys: pytest.CaptureFixture[str], path: Path, engine: FakeEngine
) -> None:
    fates = engine.counters()["fates"]
    engine.changes = {"fates": {**fates, "cut": 12_345}, "ring_cut_bytes": 17_000_000}
    assert "12,345 frames, 17 MB, by pcap_ring.flow_cutoff" in ask(capsys, path, "status")[1]


def test_status_of_an_unhealthy_sensor_is_a_no(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, engine: FakeEngine
) -> None:
    view = view_of(engine)
    view.stale_lists = [("feodo", "empty")]
    with open_unix(tmp_path / "s") as listener:
        server = ApiServer([socket_endpoint(listener, view)])
        server.start()
        code, out, _ = ask(capsys, tmp_path / "s", "status")
        code_json, out_json, _ = ask(capsys, tmp_path / "s", "status", "--json")
        server.stop()
    assert (code, code_json) == (ExitCode.NO, ExitCode.NO)
    assert "list feodo: empty" in out
    assert json.loads(out_json)["problems"] == ["list feodo: empty"]


def test_hosts_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str], path: Path, engine: FakeEngine) -> None:
    code, out, _ = ask(capsys, path, "hosts", "--filter", "10.0.0.0/8", "--sort", "bytes", "--limit", "5")
    assert code == ExitCode.OK
    header, row = out.splitlines()
    assert header.split()[:5] == ["host", "name", "mac", "vendor", "vlan"]
    assert row.split()[:4] == ["10.20.3.44", "PC-0417", "00:1b:44:11:3a:b7", "SanDisk"]
    assert "  100.30  " in row
    assert "48 kB  1.2 MB" in row
    assert engine.asked == [("hosts", "10.0.0.0/8", "bytes", 5)]
    shown = json.loads(ask(capsys, path, "hosts", "--json")[1])
    assert {column: shown[column] for column in HOST_ROW} == HOST_ROW
    assert shown["history"][0]["name"] == "PC-0417"


def _view_that_heard(engine: FakeEngine) -> Any:
    view = view_of(engine)
    for user, seconds in (("CORP\\first", 60), ("CORP\\evil\x1b[2J", 5)):
        said = Evidence(START - seconds * SECOND, "ntlm", HOST, user=user)
        view._identities.learn(said)
    view._identities.learn(Evidence(START - SECOND, "agent", HOST, agent="curl/8.5.0"))
    return view


def test_a_hosts_page_tells_names_users_and_agents_with_their_times(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, engine: FakeEngine
) -> None:
    with open_unix(tmp_path / "s") as listener:
        server = ApiServer([socket_endpoint(listener, _view_that_heard(engine))])
        server.start()
        code, out, _ = ask(capsys, tmp_path / "s", "hosts", "--host", HOST)
        as_json = json.loads(ask(capsys, tmp_path / "s", "hosts", "--host", HOST, "--json")[1])
        table = ask(capsys, tmp_path / "s", "hosts")[1]
        server.stop()
    lines = [line.split() for line in out.splitlines()]
    assert code == ExitCode.OK
    assert ["name", "PC-0417"] in lines
    date = "2026-11-22"
    user = r"CORP\x5cevil\x1b[2J"
    assert [line for line in lines if line[:1] == ["user"]] == [
        ["user", user, date, "01:13:58", "UTC", date, "01:13:58", "UTC"],
        ["user", r"CORP\x5cfirst", date, "01:13:03", "UTC", date, "01:13:03", "UTC"],
    ]
    assert ["agent", "curl/8.5.0", date, "01:14:02", "UTC", date, "01:14:02", "UTC"] in lines
    assert as_json["host"]["users"][-1]["first_seen_ns"] == START - 5 * SECOND
    assert user in table


def test_a_hosts_page_needs_an_address_of_which_something_is_known(
    capsys: pytest.CaptureFixture[str], path: Path, engine: FakeEngine
) -> None:
    code, _, err = ask(capsys, path, "hosts", "--host", "PC-0417")
    assert (code, err) == (ExitCode.USAGE, "spanwatch: --host: 'PC-0417' is no IPv4 or IPv6 address\n")
    engine.host_rows, engine.flow_rows = [], []
    code, _, err = ask(capsys, path, "hosts", "--host", "192.0.2.1")
    assert (code, err) == (ExitCode.NO, "spanwatch: nothing is known of 192.0.2.1\n")


def test_flows_show_ends_and_no_escape_sequence(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, out, _ = ask(capsys, path, "flows")
    assert code == ExitCode.OK
    assert "[2001:db8::1]:50000  203.0.113.9:443" in out
    assert "\x1b" not in out
    assert "established\\x1b[2J" in out
    assert "tls  evil\\x1b[2J.example" in out
    as_json = ask(capsys, path, "flows", "--json")[1]
    assert "\x1b" not in as_json
    assert json.loads(as_json) == {**FLOW_ROW, "local": "orig"}
    assert "tls  evil\\x1b[2J.example" in out
    assert "\x1b" not in ask(capsys, path, "flows", "--json")[1]


def test_alerts(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, out, _ = ask(capsys, path, "alerts")
    assert code == ExitCode.OK
    assert "high      watchlist.ip  10.20.3.44  PC-0417  00:1b:44:11:3a:b7  203.0.113.9  contact  1" in out
    assert json.loads(ask(capsys, path, "alerts", "--json")[1])["contacts"] == 1


def test_terms_stand_alone_or_in_one_piece(capsys: pytest.CaptureFixture[str], path: Path, engine: FakeEngine) -> None:
    assert ask(capsys, path, "flows", "10.0.0.0/8", "443", "--filter", "tcp vlan:20")[0] == ExitCode.OK
    assert ask(capsys, path, "hosts", "10.20.3.44", "--sort", "start", "--limit", "7")[0] == ExitCode.OK
    assert engine.asked == [("flows", "10.0.0.0/8 443 tcp vlan:20", "rate", 50), ("hosts", "10.20.3.44", "start", 7)]


def test_alerts_are_filtered_by_the_daemon(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    assert len(ask(capsys, path, "alerts", "10.20.0.0/16", "--severity", "high", "--rule", "watchlist")[1]) > 100
    assert ask(capsys, path, "alerts", "192.0.2.0/24", "--json")[1] == ""
    assert ask(capsys, path, "alerts", "--all", "--rule", "smtp", "--json")[1] == ""
    code, _, err = ask(capsys, path, "alerts", "--since", "tomorrow")
    assert code == ExitCode.USAGE
    assert err.startswith("spanwatch: since: a duration such as 2h")


def test_closed_incidents_are_shown_when_they_are_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, engine: FakeEngine
) -> None:
    view = view_of(engine)
    view._desk.finish("end")
    with open_unix(tmp_path / "s") as listener:
        server = ApiServer([socket_endpoint(listener, view)])
        server.start()
        of_now = ask(capsys, tmp_path / "s", "alerts", "--json")[1]
        of_all = ask(capsys, tmp_path / "s", "alerts", "--all")[1]
        server.stop()
    assert of_now == ""
    assert "closed  2026-11-22 01:14:03 UTC" in of_all


def test_a_bad_question_is_a_usage_error_with_the_reason(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, _, err = ask(capsys, path, "flows", "--filter", "nonsense!")
    assert code == ExitCode.USAGE
    assert err == "spanwatch: 'nonsense!' is no address, network, port, protocol or vlan:ID\n"
    assert ask(capsys, path, "hosts", "--limit", "0")[0] == ExitCode.USAGE


def test_no_daemon_is_said_with_the_next_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = ask(capsys, tmp_path / "none", "status")
    assert code == ExitCode.SYSTEM
    assert out == ""
    assert "no daemon answers at" in err
    assert "spanwatch run" in err


@pytest.mark.usefixtures("capsys")
def test_the_socket_comes_from_the_configuration(tmp_path: Path, path: Path) -> None:
    configuration = tmp_path / "spanwatch.yaml"
    configuration.write_text(f"api: {{socket: {path}}}\n")
    assert main(["status", "-c", str(configuration), "--json"]) == ExitCode.OK
    configuration.write_text("api: {socket: null}\n")
    assert main(["status", "-c", str(configuration)]) == ExitCode.CONFIGURATION


def test_an_interface_that_is_gone_shows(capsys: pytest.CaptureFixture[str], path: Path, engine: FakeEngine) -> None:
    engine.changes = {"interfaces": interface(state="waiting")}
    assert "waiting, 100 frames" in ask(capsys, path, "status")[1]


@pytest.mark.parametrize("command", ["status", "hosts", "flows", "alerts"])
def test_each_help_has_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, "--help"]) == ExitCode.OK
    assert f"example: spanwatch {command}" in capsys.readouterr().out
