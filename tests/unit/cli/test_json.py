"""What scripts read: `--json` of commands that need no daemon."""

import json
from pathlib import Path
from typing import Any

import pytest

from sensor._native import Watchlists
from sensor.cli import ExitCode, watchlist
from sensor.cli.main import main

CapSys = pytest.CaptureFixture[str]


def answers(capsys: CapSys) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_checked_list_is_an_object(tmp_path: Path, capsys: CapSys, monkeypatch: pytest.MonkeyPatch) -> None:
    # The module may have been imported while another test had put its own compiler in place.
    monkeypatch.setattr(watchlist, "native_compile", lambda: Watchlists.compile)
    path = tmp_path / "c2.txt"
    path.write_text("203.0.113.9\nevil.example\nno such thing\n")
    assert main(["watchlist", "check", "--json", str(path)]) == ExitCode.NO
    (answer,) = answers(capsys)
    counts = {kind: count for kind, count in answer.pop("indicators").items() if count}
    (refused,) = answer.pop("refused")
    assert counts == {"ip": 1, "domain": 1}
    assert (refused["line"], refused["column"]) == (3, 1)
    assert refused["reason"]
    assert answer == {"file": str(path), "format": "plain", "entries": 2, "refused_total": 1}


def test_an_interface_is_a_line(capsys: CapSys) -> None:
    assert main(["interfaces", "--json"]) == ExitCode.OK
    found = {answer["name"]: answer for answer in answers(capsys)}
    columns = {"name", "state", "speed_mbit", "driver", "mac", "mtu_bytes", "would_capture", "reason"}
    assert all(answer.keys() == columns for answer in found.values())
    assert found["lo"]["would_capture"] is (found["lo"]["reason"] is None)


def test_the_effective_configuration_is_one_object_that_can_be_read_again(tmp_path: Path, capsys: CapSys) -> None:
    path = tmp_path / "spanwatch.yaml"
    path.write_text("flows: {max: 1234}\n")
    assert main(["config", "dump", "-c", str(path), "--json"]) == ExitCode.OK
    (answer,) = answers(capsys)
    assert answer["flows"]["max"] == 1234
    path.write_text(json.dumps(answer))
    assert main(["config", "dump", "-c", str(path), "--json"]) == ExitCode.OK
    assert answers(capsys) == [answer]
