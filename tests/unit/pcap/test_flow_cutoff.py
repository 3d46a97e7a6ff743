"""A ring of first bytes, written from a capture file."""

import json
from pathlib import Path

import pytest

from sensor.cli.main import main
from tests.live import ring
from tests.traffic.build import write_pcap
from tests.traffic.office import office_frames

pytest.importorskip("sensor._native")


def stored(tmp_path: Path, capture: Path, workers: int, cutoff: str) -> list[bytes]:
    directory = tmp_path / f"ring-{workers}-{cutoff}"
    config = {
        "capture": {"workers": workers},
        "pcap_ring": {"directory": str(directory), "min_free": 0, "flow_cutoff": cutoff},
        "watchlists": [],
        "eve": {"path": None},
        "alerts": {"log": None},
    }
    path = tmp_path / "spanwatch.yaml"
    path.write_text(json.dumps(config))
    assert main(["read", "-c", str(path), str(capture)]) == 0
    return sorted(ring.frames(directory))


def test_the_same_frames_are_stored_for_any_number_of_workers(tmp_path: Path) -> None:
    frames = office_frames(4000, seed=3)
    capture = tmp_path / "office.pcap"
    write_pcap(capture, ((1_800_000_000_000_000_000 + number * 20_000, frame) for number, frame in enumerate(frames)))
    one = stored(tmp_path, capture, 1, "2KiB")
    assert 0 < len(one) < len(frames)
    assert stored(tmp_path, capture, 3, "2KiB") == one
    assert stored(tmp_path, capture, 3, "1GiB") == sorted(frames)
