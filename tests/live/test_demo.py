"""`spanwatch demo` as a newcomer meets it."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sensor.demo.mirror import Mirror
from sensor.demo.namespace import entered
from tests.live.lab import WITHOUT_CAPABILITIES, Lab, until

pytestmark = pytest.mark.live

SECONDS = "12"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the demo makes its directories; short, because a Unix socket will lie in it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as directory:
        yield Path(directory)


def demo(spanwatch: Path, temporary: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [*prefix, str(spanwatch), "demo", "--seconds", SECONDS]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=90)


def test_the_demo_raises_both_alerts_and_ends_by_itself(spanwatch: Path, temporary: Path) -> None:
    done = demo(spanwatch, temporary)
    assert done.returncode == 0, done.stdout + done.stderr
    opened = [line for line in done.stdout.splitlines() if "OPEN" in line]
    assert any("10.20.3.44 (PC-0417 00:1b:44:11:03:2c vlan 20)" in line and "watchlist.ip" in line for line in opened)
    assert any("smtp." in line and "10.20.7.12" in line and "vlan 100" in line for line in opened)
    assert list(temporary.iterdir()) == []


def test_without_root_the_same_is_read_from_a_capture(spanwatch: Path, temporary: Path) -> None:
    done = demo(spanwatch, temporary, *WITHOUT_CAPABILITIES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "capture" in done.stdout
    assert "watchlist.ip" in done.stdout
    assert "smtp." in done.stdout


def test_a_demo_that_ends_too_soon_says_what_is_missing(spanwatch: Path, temporary: Path) -> None:
    command = [str(spanwatch), "demo", "--seconds", "0.5"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1
    assert "watchlist.ip for 10.20.3.44" in done.stderr


def test_metrics_are_reachable_from_the_callers_shell_and_ctrl_c_ends_cleanly(spanwatch: Path, temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, taken(9669, other):
        process = subprocess.Popen(
            [str(spanwatch), "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(temporary)}, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        said = ""
        while "metrics http" not in said:
            said += process.stdout.readline()
        url = said.partition("metrics http")[2].split()[0]
        assert "9669 is taken" in said
        until("captured frames in the metrics", lambda: frames(f"http{url}") > 1000)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert process.returncode in (0, 1)
    assert list(temporary.iterdir()) == []


def taken(port: int, fallback: socket.socket) -> socket.socket:
    """A listener on `port`; if another process has it already, that does as well."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return fallback


def frames(url: str) -> float:
    """Frames that were captured; none while nothing answers yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- an http URL on loopback
            families = text_string_to_metric_families(answer.read().decode())
    except urllib.error.URLError:
        return 0
    return sum(s.value for family in families for s in family.samples if s.name == "spanwatch_capture_frames_total")


def test_the_network_of_a_thread_is_restored(lab: Lab) -> None:
    outside = socket.if_nameindex()
    with contextlib.suppress(RuntimeError), entered(lab.path):
        inside = socket.if_nameindex()
        raise RuntimeError
    assert "mirror0" in {name for _, name in inside}
    assert socket.if_nameindex() == outside


def test_the_mirror_port_ends_with_its_parent(lab: Lab) -> None:
    del lab  # only root can run this
    with Mirror() as mirror:
        with mirror.entered():
            port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
            port.bind((Mirror.interface, 0))
        mirror.play()
        port.settimeout(10)
        assert len(port.recv(65536)) >= 42
    port.close()
