"""`spanwatch run` as a process inside a lab, and what it tells the outside."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.live.lab import Lab, until

Samples = dict[str, float]
"""Metric samples by their exposition name: `name{label="value"}`."""

END_SECONDS = 20.0


class SensorProcess:
    """One daemon with a directory of its own."""

    def __init__(self, lab: Lab, command: Path, directory: Path, **sections: Mapping[str, Any] | list[Any]) -> None:
        self.directory = directory
        self.ring = directory / "ring"
        self.evidence = directory / "evidence"
        self.eve = directory / "log" / "eve.json"
        self.alerts_log = directory / "log" / "alerts.log"
        self.config = directory / "spanwatch.yaml"
        self.errors = directory / "stderr.txt"
        self._lab = lab
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        # A path of a Unix socket is at most 107 bytes, which a test's own directory may exceed.
        self._sockets = tempfile.TemporaryDirectory(prefix="sw-")
        self.socket = Path(self._sockets.name) / "api.sock"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._notify.bind(str(Path(self._sockets.name) / "notify"))
        self._heard = ""
        for path in (self.ring, self.eve.parent, directory / "state"):
            path.mkdir(parents=True, exist_ok=True)
        self.write_config(**sections)

    def write_config(self, **sections: Mapping[str, Any] | list[Any]) -> None:
        """Writes the configuration: defaults for a test, each section updated by the one given."""
        config: dict[str, Any] = {
            "sensor": {"name": "lab"},
            "capture": {"interfaces": ["mirror0"]},
            "pcap_ring": {"directory": str(self.ring), "min_free": "1MiB", "max_size": "2GiB"},
            "evidence": {"directory": str(self.evidence)},
            "alerts": {"log": str(self.alerts_log), "state": str(self.directory / "state")},
            "eve": {"path": str(self.eve), "types": ["alert", "flow", "stats"]},
            "history": {"enabled": False},
            "api": {"socket": str(self.socket)},
            "metrics": {"listen": "127.0.0.1:9669"},
        }
        for name, section in sections.items():
            known = config.get(name)
            config[name] = {**known, **section} if isinstance(known, dict) and isinstance(section, Mapping) else section
        self.config.write_text(json.dumps(config))  # JSON is YAML

    def start(self, *prefix: str) -> SensorProcess:
        """Starts the daemon, by the command `prefix` if there is one, and returns when it says READY."""
        self.launch(*prefix)
        self.hears("READY=1")
        return self

    def launch(self, *prefix: str) -> None:
        """Starts the daemon without waiting."""
        self._heard = ""
        command = self._lab.inside(*prefix, str(self._command), "run", "-c", str(self.config))
        environment = {**os.environ, "NOTIFY_SOCKET": self._notify.getsockname()}
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(command, stdout=errors, stderr=errors, env=environment)

    def hears(self, word: str, timeout_seconds: float = 20) -> None:
        """Waits for a notification of the daemon to its service manager; each is heard once."""
        until(f"{word} from the daemon; it said: {self.said()}", lambda: self._heard_of(word), timeout_seconds)

    def _listen(self) -> None:
        try:
            while True:
                self._heard += self._notify.recv(4096).decode() + "\n"
        except BlockingIOError:
            pass

    def _heard_of(self, word: str) -> bool:
        self._listen()
        _, found, after = self._heard.partition(word)
        if found:
            self._heard = after
        elif not self.running():
            raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.said()}")
        return bool(found)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def said(self) -> str:
        """Standard output and error so far."""
        return self.errors.read_text(errors="replace") if self.errors.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Waits for the end; the exit code."""
        return self.process.wait(END_SECONDS)

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def reload(self) -> None:
        """SIGHUP, and waits until the daemon is ready again."""
        self._listen()
        self._heard = ""  # what was said before does not count
        self.signal(signal.SIGHUP)
        self.hears("RELOADING=1")
        self.hears("READY=1")

    def close(self) -> None:
        """Ends what is left, whatever the test did."""
        if self._process is not None and self.running():
            self._process.kill()
            self._process.wait()
        self._notify.close()
        self._sockets.cleanup()

    def get(self, path: str) -> str:
        """Asks the API over its Unix socket."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            assert response.status == 200, f"GET {path}: {response.status} {body}"
            return body
        finally:
            connection.close()

    def scrape(self) -> Samples:
        """All samples of one scrape."""
        return {
            _exposed(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(self.get("/metrics"))
            for sample in family.samples
        }

    def hosts(self, limit: int) -> list[dict[str, Any]]:
        """Rows of the host table."""
        rows: list[dict[str, Any]] = json.loads(self.get(f"/api/hosts?limit={limit}"))
        return rows

    def flows(self, limit: int) -> list[dict[str, Any]]:
        """Rows of the flow tables."""
        rows: list[dict[str, Any]] = json.loads(self.get(f"/api/flows?limit={limit}"))
        return rows

    def captured(self) -> int:
        """Frames captured so far, over all interfaces."""
        return int(total(self.scrape(), "spanwatch_capture_frames_total"))

    def captures(self, frames: int, timeout_seconds: float = 30) -> None:
        """Waits until exactly `frames` were captured."""
        until(f"{frames} captured frames", lambda: self.captured() >= frames, timeout_seconds)
        assert self.captured() == frames

    def alert_lines(self, *words: str) -> list[str]:
        """Lines of the alert log that contain all `words`."""
        if not self.alerts_log.exists():
            return []
        lines = self.alerts_log.read_text().splitlines()
        return [line for line in lines if all(re.search(rf"(?<!\S){re.escape(word)}(?!\S)", line) for word in words)]

    def alerted(self, *words: str, timeout_seconds: float = 20) -> str:
        """Waits for a line of the alert log with all `words`; the first such."""
        return until(f"an alert with {words}", lambda: self.alert_lines(*words), timeout_seconds)[0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Records of the event log of one `event_type`."""
        with self.eve.open() as lines:
            records = [json.loads(line) for line in lines]
        return [record for record in records if record["event_type"] == kind]


def total(samples: Samples, name: str) -> float:
    """The sum of all series of a metric."""
    return sum(value for key, value in samples.items() if key == name or key.startswith(name + "{"))


def assert_accounts_close(samples: Samples) -> None:
    """Law 4: captured = fates + in flight = analysis results, to the frame."""
    captured = total(samples, "spanwatch_capture_frames_total")
    in_flight = total(samples, "spanwatch_ring_in_flight_frames")
    assert captured == total(samples, "spanwatch_frames_total") + in_flight
    assert captured == total(samples, "spanwatch_analysis_frames_total")


def _exposed(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
