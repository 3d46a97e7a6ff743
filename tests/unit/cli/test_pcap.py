"""`spanwatch pcap` from outside."""

import json
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.demo.pcap_file import write_pcap

START = 1_795_333_565_000_000_000


@pytest.fixture
def configuration(tmp_path: Path) -> list[str]:
    ring = tmp_path / "ring"
    ring.mkdir()
    frames = [(START + number, bytes([2] * 12) + b"\x08\x06" + bytes(46)) for number in range(3)]
    write_pcap(ring / "eth1-0-20261122T074605.000000Z-000001.pcap", frames)
    path = tmp_path / "spanwatch.yaml"
    path.write_text(f"pcap_ring: {{directory: {ring}}}\nwatchlists: []\n")
    return ["pcap", "-c", str(path)]


def test_what_is_found_is_told_and_written(
    configuration: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.pcap"
    assert main([*configuration, "--filter", "arp", "--json", "-w", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["packets"], found["bytes"], found["plan"]["segments"]) == (3, 180, 1)
    assert out.stat().st_size == 24 + 3 * 76


def test_a_ring_of_first_bytes_says_so(
    configuration: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(configuration[-1])
    path.write_text(path.read_text().replace("{directory", "{flow_cutoff: 64KiB, directory"))
    out = tmp_path / "out.pcapng"
    assert main([*configuration, "--filter", "arp", "-w", str(out)]) == 0
    note = "pcap_ring.flow_cutoff is 64KiB: the rest of most flows is not in the ring"
    assert note in capsys.readouterr().err
    assert note.encode() in out.read_bytes()


def test_nothing_found_is_the_commands_no(
    configuration: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*configuration, "--host", "192.0.2.1", "-w", str(tmp_path / "x.pcap")]) == 1
    assert "nothing found in" in capsys.readouterr().err


def test_a_question_without_bound_says_what_it_would_read(
    configuration: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.pcap"
    assert main([*configuration, "-w", str(out)]) == 2
    assert "the whole ring, 252 B in 1 file" in capsys.readouterr().err
    assert not out.exists()
    assert main([*configuration, "--all", "-w", str(out)]) == 0
    assert "3 packets, 180 B" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "office"],
        ["--port", "0"],
        ["--vlan", "4096"],
        ["--count", "x"],
        ["--since", "soon"],
        ["--peer", "192.0.2.1"],
        ["--filter", "host and"],
        ["--json", "--all", "-w", "-"],
    ],
)
def test_what_cannot_be_meant_is_refused(configuration: list[str], options: list[str], tmp_path: Path) -> None:
    target = [] if "-w" in options else ["-w", str(tmp_path / "x.pcap")]
    assert main([*configuration, *options, *target]) == 2


def test_a_ring_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "spanwatch.yaml"
    path.write_text(f"pcap_ring: {{directory: {tmp_path / 'gone'}}}\n")
    assert main(["pcap", "-c", str(path), "--all", "-w", str(tmp_path / "x.pcap")]) == 74
