# ruff: noqa: RUF001  # notices are written in Chinese, too
"""`spanwatch hunt` from outside."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sensor.cli.main import main
from sensor.demo.messages import client_hello, server_hello
from tests.traffic.build import Conversation, Endpoint, write_pcap
from tests.unit.hunt.history import HistoryTree

START_NS = 1_795_330_800 * 1_000_000_000
PC = Endpoint("02:00:00:00:00:01", "10.20.3.44", 50_000)
C2 = Endpoint("02:00:00:00:00:02", "203.0.113.9", 443)


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command with the configuration of a history in which one host meets the controller."""
    talk = Conversation(PC, C2)
    frames = [*talk.open(), *talk.send(client_hello("c2.example", 1), from_client=True)]
    frames += [*talk.send(server_hello(1), from_client=False), *talk.close()]
    write_pcap(tmp_path / "c2.pcap", [(START_NS + n * 1_000_000, frame) for n, frame in enumerate(frames)])
    HistoryTree(tmp_path / "history").add_capture(tmp_path / "c2.pcap")
    return configured(tmp_path, tmp_path / "history")


def configured(tmp_path: Path, history: Path) -> list[str]:
    path = tmp_path / "spanwatch.yaml"
    path.write_text(
        f"history: {{directory: {history}}}\napi: {{socket: {tmp_path / 'none.sock'}}}\n"
        f"pcap_ring: {{directory: {tmp_path / 'ring'}}}\nwatchlists: []\n"
    )
    return ["hunt", "-c", str(path)]


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_who_met_an_indicator_is_one_object_a_line(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--json", "203.0.113.9:443", "c2.example"]) == 0
    found = rows(capsys)
    assert [row["indicator"] for row in found] == ["203.0.113.9:443", "c2.example"]
    keys = "ip mac vlan name first_seen last_seen contacts attempts bytes_out bytes_in packets_available indicator"
    assert set(keys.split()) <= set(found[0])
    assert (found[0]["ip"], found[0]["mac"], found[0]["contacts"]) == (PC.address, PC.mac, 1)
    assert found[0]["packets_available"] is False


def test_the_table_names_host_and_remote(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "203.0.113.9"]) == 0
    printed = capsys.readouterr()
    assert "10.20.3.44" in printed.out
    assert "203.0.113.9:443" in printed.out
    assert "looking through" in printed.err


def test_a_stream_tells_who_was_met_before_all_is_read(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--json", "c2.example", "203.0.113.9"]) == 0
    answer = [{**row, "final": True} for row in rows(capsys)]
    assert main([*command, "--stream", "c2.example", "203.0.113.9"]) == 0
    [early, *rest] = rows(capsys)
    assert (early["ip"], early["indicator"], early["final"]) == (PC.address, "c2.example", False)
    assert early["seen_in"] == ["tls"], "the connection itself is read later"
    assert rest == answer
    assert main([*command, "--stream", "--json", "c2.example"]) == 2


def test_a_terminal_shows_the_table_while_it_fills(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for name, value in (("COLUMNS", "200"), ("LINES", "20"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    assert main([*command, "c2.example"]) == 0
    early, bar, answer = terminal.getvalue().partition("0 of 1 hours read")
    assert bar
    assert PC.address in early
    assert PC.address in answer.rpartition("first seen")[2], "the answer stays"


def test_nobody_is_the_commands_no(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--json", "192.0.2.1"]) == 1
    assert main([*command, "--since", "2026-11-23T00:00Z", "203.0.113.9"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nobody met 1 indicator" in printed.err
    assert printed.err.count("looking through") == 1


def test_a_list_of_any_format_is_hunted(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("# all\n203.0.113.9\nbad indicator\nx@evil.example # mail\n" + "a" * 64 + "\n")
    zeek = tmp_path / "intel.dat"
    zeek.write_text("#fields\tindicator\tindicator_type\nc2.example\tIntel::DOMAIN\n")
    assert main([*command, "--json", "--list", str(plain), "--list", str(zeek)]) == 0
    printed = capsys.readouterr()
    assert {json.loads(line)["indicator"] for line in printed.out.splitlines()} == {"203.0.113.9", "c2.example"}
    assert "1 entry not looked for, the first in line 3" in printed.err


def test_a_notice_is_read_aloud_and_hunted(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notice = tmp_path / "notice.txt"
    notice.write_text(
        "北京时间 2026-11-22 15:00，源IP：198.51.100.7 访问控制端 203.0.113[.]9 端口 443".replace("，", ", ")
    )
    assert main([*command, "--json", "--notice", str(notice)]) == 0
    printed = capsys.readouterr()
    [row] = [json.loads(line) for line in printed.out.splitlines()]
    assert (row["ip"], row["indicator"]) == (PC.address, "203.0.113.9:443")
    assert "our own, as seen from outside or inside: address 198.51.100.7" in printed.err
    assert "hunted for: 203.0.113.9:443" in printed.err
    notice.write_text("2026-11-21T15:00Z your address 198.51.100.7 contacted 203.0.113.9")
    assert main([*command, "--notice", str(notice)]) == 1


def test_a_port_and_a_time_narrow_down_to_candidates(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notice = tmp_path / "notice.txt"
    notice.write_text("On 2026-11-22 07:05 UTC your address 198.51.100.7 attacked others on port 443.")
    assert main([*command, "--json", "--notice", str(notice)]) == 0
    [row] = rows(capsys)
    assert (row["ip"], row["indicator"], row["remotes"]) == (PC.address, "port 443", ["203.0.113.9:443"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no indicator"],
        ["1.2.3.999"],
        ["a" * 40],
        ["--since", "soon", "1.2.3.4"],
        ["--since", "1h", "--until", "2h", "1.2.3.4"],
    ],
)
def test_what_cannot_be_meant_is_refused(command: list[str], arguments: list[str]) -> None:
    assert main([*command, *arguments]) == 2


def test_files_that_are_none_are_input_errors(command: list[str], tmp_path: Path) -> None:
    assert main([*command, "--list", str(tmp_path / "gone.txt")]) == 74
    assert main([*command, "--notice", str(tmp_path / "gone.txt")]) == 74
    (tmp_path / "notice.pdf").write_bytes(b"%PDF-1.4\0\0\xff")
    assert main([*command, "--notice", str(tmp_path / "notice.pdf")]) == 74
    (tmp_path / "empty.txt").write_text("Dear all, nothing happened.")
    assert main([*command, "--notice", str(tmp_path / "empty.txt")]) == 2


def test_a_history_that_is_not_there_is_an_input_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*configured(tmp_path, tmp_path / "gone"), "203.0.113.9"]) == 74
    assert "no history is there" in capsys.readouterr().err
