import contextlib
import socket
from pathlib import Path

from sensor.config import load
from sensor.demo.stage import METRICS_PORT, set_up


def test_the_stage_is_a_configuration_that_another_shell_can_use(tmp_path: Path) -> None:
    stage = set_up(tmp_path)
    assert load(stage.config_file, live=True) == stage.config
    assert stage.config.pcap_ring.directory.is_relative_to(tmp_path)
    assert stage.config.alerts.log == tmp_path / "alerts.log"
    assert "203.0.113.9" in (tmp_path / "c2.csv").read_text()


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # whoever else has it serves as well
            taken.bind(("127.0.0.1", METRICS_PORT))
            taken.listen()
        stage = set_up(tmp_path)
    assert stage.metrics_port != METRICS_PORT
    assert str(stage.metrics_port) in stage.metrics_url
    assert stage.config.metrics.listen is not None
    assert stage.config.metrics.listen.port == stage.metrics_port
