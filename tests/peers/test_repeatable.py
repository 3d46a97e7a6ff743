"""The same capture gives the same records, each time and with any number of workers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sensor.demo.pcap_file import write_pcap
from sensor.demo.traffic import C2_SERVER, office
from tests.peers.read import Result, read
from tests.traffic import tshark
from tests.traffic.event_log import flow_totals
from tests.traffic.office import write_office

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of the demo's office: ERSPAN, tags, a C2 contact and bulk mail."""
    path = tmp_path_factory.mktemp("capture") / "demo.pcap"
    minute = itertools.takewhile(lambda step: step[0] < 60, office(seed=7))
    write_pcap(path, ((1_800_000_000_000_000_000 + int(at * 1e9), frame) for at, frame in minute))
    return path


@pytest.fixture(scope="module")
def indicators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "feed.csv"
    path.write_text(f"indicator,malware\n{C2_SERVER},Emotet\n198.18.3.0/24,Noise\n")
    return path


def read_with(workers: int, spanwatch: Path, out: Path, captures: list[Path], indicators: Path) -> Result:
    return read(spanwatch, out, captures, capture={"workers": workers}, watchlists=[{"path": str(indicators)}])


def test_records_are_the_same_again_and_for_any_number_of_workers(
    capture: Path, indicators: Path, spanwatch: Path, tmp_path: Path
) -> None:
    runs = [
        read_with(workers, spanwatch, tmp_path / str(number), [capture], indicators)
        for number, workers in enumerate((1, 1, 2, 3))
    ]
    first = runs[0]
    assert {"alert", "flow"} <= {record["event_type"] for record in first.eve}
    assert "watchlist.ip" in first.alerts
    assert "smtp.bulk" in first.alerts
    assert "10.20.3.44 (PC-0417 00:1b:44:11:03:2c vlan 20)" in first.alerts
    assert "PC-0391" in first.said
    for run in runs[1:]:
        assert run.lines() == first.lines()
        assert run.alerts == first.alerts
        assert run.said == first.said


def test_files_are_merged_by_time(indicators: Path, spanwatch: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.pcap"
    write_office(whole, 20_000, seed=3)
    data = whole.read_bytes()
    header, records = data[:24], list(split_records(data))
    for part in (0, 1):
        (tmp_path / f"part{part}.pcap").write_bytes(header + b"".join(records[part::2]))
    parts = [tmp_path / "part1.pcap", tmp_path / "part0.pcap"]
    one = read_with(1, spanwatch, tmp_path / "one", [whole], indicators)
    two = read_with(1, spanwatch, tmp_path / "two", parts, indicators)
    assert without_interface(two) == without_interface(one)


def split_records(data: bytes) -> list[bytes]:
    records, at = [], 24
    while at < len(data):
        length = 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        records.append(data[at : at + length])
        at += length
    return records


def without_interface(result: Result) -> list[dict[str, object]]:
    """Records without the name of the file that they came from, which is what differs."""
    return [
        {key: value for key, value in record.items() if key != "in_iface"}
        for record in result.eve
        if record["event_type"] != "stats"
    ]


@pytest.mark.parametrize("encapsulation", ["none", "qinq", "gre", "erspan2", "erspan3", "vxlan"])
def test_packets_and_bytes_of_flows_equal_tshark(encapsulation: str, spanwatch: Path, tmp_path: Path) -> None:
    capture = tmp_path / "office.pcap"
    write_office(capture, 20_000, seed=5, encapsulation=encapsulation)
    result = read(spanwatch, tmp_path / "out", [capture])
    assert flow_totals(result.eve) == tshark.flows(capture)


@pytest.mark.parametrize("file", ["ndpi__1kxun.pcap", "mercury__geneve.pcap"])
def test_names_are_the_same_for_any_number_of_workers(file: str, corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    capture = corpus / "pcap" / file
    runs = [read(spanwatch, tmp_path / str(workers), [capture], capture={"workers": workers}) for workers in (1, 2, 3)]
    assert "tls" in {record["event_type"] for record in runs[0].eve}
    assert all(run.lines() == runs[0].lines() for run in runs)
