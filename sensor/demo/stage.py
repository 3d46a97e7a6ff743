"""What the demo sets up for its sensor: a directory of its own, a list, a configuration."""

from __future__ import annotations

import errno
import json
import socket
from dataclasses import dataclass
from pathlib import Path

from sensor.config import Config, load
from sensor.demo.mirror import Mirror
from sensor.demo.traffic import C2_SERVER

METRICS_PORT = 9669

_WATCHLIST = f"""\
indicator,type,severity,confidence,source,malware,comment
{C2_SERVER},ip,1,90,demo,Emotet C2,the controller that one PC of the demo reports to
"""


@dataclass(frozen=True)
class Stage:
    """The demo's files and its configuration."""

    directory: Path
    config: Config
    metrics_port: int

    @property
    def config_file(self) -> Path:
        """Where the configuration stands, for `spanwatch hosts -c …` in another shell."""
        return _config_file(self.directory)

    @property
    def metrics_url(self) -> str:
        """Where Prometheus would scrape."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"


def set_up(directory: Path) -> Stage:
    """Writes list and configuration into `directory` and loads them.

    Raises:
        OSError: the directory cannot be written.
    """
    (directory / "c2.csv").write_text(_WATCHLIST)
    port = _free_port()
    settings = {
        "sensor": {"name": "demo"},
        "capture": {"interfaces": [Mirror.interface], "ring_memory": "16MiB"},
        "pcap_ring": {
            "directory": str(directory / "ring"),
            "segment_size": "4MiB",
            "segment_time": "15s",
            "max_size": "64MiB",
            "min_free": 0,
        },
        "watchlists": [str(directory / "c2.csv")],
        "alerts": {
            "log": str(directory / "alerts.log"),
            "state": str(directory / "state"),
            "heartbeat": "15s",
        },
        "eve": {"path": str(directory / "eve.json")},
        "evidence": {"directory": str(directory / "evidence"), "after": "5s"},
        "history": {"enabled": False},
        "api": {"socket": str(directory / "api.sock")},
        "metrics": {"listen": f"127.0.0.1:{port}"},
    }
    _config_file(directory).write_text(json.dumps(settings, indent=2) + "\n")
    return Stage(directory, load(_config_file(directory), live=True), port)


def _config_file(directory: Path) -> Path:
    return directory / "spanwatch.yaml"


def _free_port() -> int:
    """The usual port of the metrics, or another one if that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", METRICS_PORT))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
