"""Names of a live mirror are those that tshark finds in the same frames."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import Lab
from tests.live.sensor_process import total
from tests.live.test_ring import capture_of
from tests.traffic import tshark
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live


def told_by_tshark(capture: Path, display_filter: str, field: str) -> Counter[str]:
    return Counter(tshark.run(capture, "-Y", display_filter, "-T", "fields", "-e", field).split())


@pytest.mark.parametrize("workers", [1, 2])
def test_names_are_those_that_tshark_finds(lab: Lab, sensor: SensorFactory, tmp_path: Path, workers: int) -> None:
    frames = office_frames(6000, seed=5)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    daemon = sensor(capture={"workers": workers}, eve={"types": ["tls", "dns"]}).start()
    lab.replay(sent, "--pps", "10000")
    daemon.captures(len(frames))
    open_flows = daemon.flows(limit=10_000)
    samples = daemon.scrape()
    assert daemon.stop() == 0
    server_names = Counter(event["tls"]["sni"] for event in daemon.events("tls") if "sni" in event["tls"])
    questions = Counter(query["rrname"] for event in daemon.events("dns") for query in event["dns"]["queries"])
    assert server_names == told_by_tshark(sent, "tls.handshake.type == 1", "tls.handshake.extensions_server_name")
    assert questions == told_by_tshark(sent, "dns", "dns.qry.name")
    assert {row["name"] for row in open_flows if row["app_proto"] == "tls"} <= {None, *server_names}
    assert samples['spanwatch_app_flows_total{app_proto="tls"}'] == len(daemon.events("tls"))
    assert total(samples, "spanwatch_app_given_up_flows_total") == 0
