"""`spanwatch doctor` on a mirror that works, one that is silent, and where it cannot look."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import WITHOUT_CAPABILITIES, Lab
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

HEALTHY, NOT_HEALTHY, SYSTEM = 0, 1, 71
END_SECONDS = 60
# More than are sent within a second, so that none looks like a copy of one that came just before.
FRAMES = office_frames(40_000, seed=13)
A_TURN = 300


def begin(lab: Lab, spanwatch: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = lab.inside(*prefix, str(spanwatch), "doctor", *arguments)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=END_SECONDS)
    assert "Traceback" not in errors
    return process.returncode, output, errors


def playing(lab: Lab, process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Sends frames for as long as the doctor looks."""
    turns = itertools.cycle(range(0, len(FRAMES), A_TURN))
    while process.poll() is None:
        start = next(turns)
        lab.send(FRAMES[start : start + A_TURN])
    return end(process)


def rules(report: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in report["findings"] if finding["severity"] != "info"}


def test_a_healthy_mirror_beside_a_running_daemon(lab: Lab, spanwatch: Path, sensor: SensorFactory) -> None:
    daemon = sensor().start()
    before = set(daemon.directory.rglob("*"))
    code, output, errors = playing(lab, begin(lab, spanwatch, "mirror0", "--seconds", "3", "--json"))
    report = json.loads(output)
    assert (code, report["verdict"]) == (HEALTHY, "ok"), report["findings"]
    assert errors == ""
    assert report["mirror"]["frames"] >= A_TURN
    assert any(name.startswith("spanwatch") for name in report["nic"]["listeners"])
    assert {path.suffix for path in set(daemon.directory.rglob("*")) - before} <= {
        ".pcap",
        ".idx",
        ".part",
        ".json",
        ".log",
    }
    assert daemon.stop() == 0


def test_a_silent_mirror_is_blind_and_the_likely_causes_are_said(lab: Lab, spanwatch: Path) -> None:
    code, output, _ = end(begin(lab, spanwatch, "mirror0", "--seconds", "1"))
    assert code == NOT_HEALTHY
    assert output.startswith("mirror0: blind\n")
    assert "mirror.silent: no frame in 1 s" in output
    assert "session was not started" in output
    assert "docs/mirror-setup.md#mirror-silent" in output


def test_merging_makes_a_mirror_unhealthy_and_the_command_heals_it(lab: Lab, spanwatch: Path) -> None:
    lab.run("ethtool", "-K", "mirror0", "gro", "on")
    code, output, _ = playing(lab, begin(lab, spanwatch, "mirror0", "--seconds", "2", "--json"))
    report = json.loads(output)
    assert (code, report["verdict"], rules(report)) == (NOT_HEALTHY, "degraded", {"nic.offloads"})
    (finding,) = [finding for finding in report["findings"] if finding["rule"] == "nic.offloads"]
    assert finding["commands"][0] == "ethtool -K mirror0 gro off"
    lab.run(*finding["commands"][0].split())
    code, output, _ = playing(lab, begin(lab, spanwatch, "mirror0", "--seconds", "2"))
    assert (code, output.splitlines()[0]) == (HEALTHY, "mirror0: ok")


def test_an_interface_that_is_down_is_not_waited_for(lab: Lab, spanwatch: Path) -> None:
    lab.ip("link", "set", "mirror0", "down")
    code, output, _ = end(begin(lab, spanwatch, "mirror0", "--json"))
    report = json.loads(output)
    assert (code, report["verdict"]) == (NOT_HEALTHY, "blind")
    assert "nic.link" in rules(report)


@pytest.mark.parametrize(
    ("interface", "prefix", "words"),
    [
        ("mirror9", (), ("mirror9: no such interface", "mirror0", "ip netns exec")),
        ("mirror0", WITHOUT_CAPABILITIES, ("mirror0", "CAP_NET_RAW", "sudo")),
    ],
)
def test_where_it_cannot_look_the_next_step_is_said_in_one_line(
    lab: Lab, spanwatch: Path, interface: str, prefix: tuple[str, ...], words: tuple[str, ...]
) -> None:
    code, output, errors = end(begin(lab, spanwatch, interface, "--seconds", "1", prefix=prefix))
    assert (code, output, len(errors.splitlines())) == (SYSTEM, "", 1)
    assert all(word in errors for word in words), errors
