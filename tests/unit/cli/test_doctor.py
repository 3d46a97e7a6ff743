from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sensor.capture.devices import Device
from sensor.cli import ExitCode, doctor
from sensor.cli.main import main
from sensor.doctor.nic import Nic
from sensor.doctor.watch import Watch

NIC = Nic(Device("eth1", "up", 1000, "igb", None, 9000, 1))
SEEN = Watch(seconds=5, frames=10, bytes=1000)


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "read_nic", lambda name: NIC if name == "eth1" else None)
    monkeypatch.setattr(doctor, "may_capture", lambda: True)
    monkeypatch.setattr(doctor, "watch", lambda *_: SEEN)


@pytest.mark.usefixtures("healthy")
def test_a_healthy_mirror_ends_with_0_and_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "eth1", "--seconds", "5", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["verdict"] == "ok"


@pytest.mark.usefixtures("healthy")
def test_an_interface_that_is_down_is_blind_without_a_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "read_nic", lambda _: replace(NIC, device=replace(NIC.device, state="down")))
    monkeypatch.setattr(doctor, "watch", None)
    assert main(["doctor", "eth1"]) == ExitCode.NO


@pytest.mark.usefixtures("healthy")
def test_a_capture_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*_: object) -> Watch:
        raise OSError(105, "No buffer space available")

    monkeypatch.setattr(doctor, "watch", fails)
    assert main(["doctor", "eth1"]) == ExitCode.SYSTEM
    assert capsys.readouterr().err == "spanwatch: eth1: No buffer space available\n"
    assert main(["doctor", "eth7"]) == ExitCode.SYSTEM
    assert "eth7: no such interface" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_length_that_is_none_is_a_mistake_of_usage(seconds: str) -> None:
    assert main(["doctor", "eth1", "--seconds", seconds]) == ExitCode.USAGE


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--help"]) == ExitCode.OK
    assert "example: spanwatch doctor eth1" in capsys.readouterr().out
