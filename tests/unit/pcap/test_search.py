"""Questions to the core about packets."""

from pathlib import Path

import pytest

from sensor.config import Config
from sensor.config.models import PcapRing
from sensor.demo.pcap_file import write_pcap
from sensor.pcap.search import PacketQuestion, PacketSearch

SECOND = 1_000_000_000
START = 1_795_333_565 * SECOND
_RECORD_BYTES = 16 + 64


@pytest.fixture
def config(tmp_path: Path) -> Config:
    ring = tmp_path / "ring"
    ring.mkdir()
    frames = [(START + number * SECOND, bytes([2] * 12) + b"\x08\x00" + bytes([number] * 50)) for number in range(4)]
    write_pcap(ring / "eth1-0-20261122T074605.000000Z-000001.pcap", frames[::2])
    write_pcap(ring / "eth2-0-20261122T074606.000000Z-000002.pcap", frames[1::2])
    return Config(pcap_ring=PcapRing(directory=ring))


def test_a_ring_without_index_is_merged_by_time(config: Config, tmp_path: Path) -> None:
    search = PacketSearch(config, PacketQuestion())
    assert (search.plan["segments"], search.plan["unindexed_segments"]) == (2, 2)
    path = tmp_path / "all.pcap"
    found = search.write(str(path))
    assert (found["packets"], found["first_ns"], found["last_ns"]) == (4, START, START + 3 * SECOND)
    records = path.read_bytes()[24:]
    assert [records[at + _RECORD_BYTES - 1] for at in range(0, len(records), _RECORD_BYTES)] == [0, 1, 2, 3]


def test_a_name_that_ends_in_pcapng_gives_that_format_with_the_question_in_it(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "late.pcapng"
    found = PacketSearch(config, PacketQuestion(since_ns=START + SECOND, limit_packets=2)).write(str(path))
    assert (found["packets"], found["limited"]) == (2, True)
    content = path.read_bytes()
    assert content[:4] == b"\x0a\x0d\x0d\x0a"
    assert b"since_ns" in content
    assert b"eth2" in content


def test_nothing_found_makes_no_file(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    assert PacketSearch(config, PacketQuestion(host="192.0.2.1")).write(str(path))["packets"] == 0
    assert not path.exists()


def test_wrong_questions_and_places_are_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give both"):
        PacketSearch(config, PacketQuestion(peer="192.0.2.1"))
    with pytest.raises(ValueError, match="syntax error"):
        PacketSearch(config, PacketQuestion(filter="host and"))
    with pytest.raises(OSError, match="cannot write"):
        PacketSearch(config, PacketQuestion()).write(str(tmp_path / "gone" / "x.pcap"))


def test_a_question_knows_whether_it_is_bounded() -> None:
    assert not PacketQuestion().is_bounded
    assert all(question.is_bounded for question in (PacketQuestion(port=25), PacketQuestion(since_ns=1)))
    assert PacketQuestion(host="192.0.2.1", port=25).describe() == "host 192.0.2.1, port 25"
    assert PacketQuestion().describe() == "everything"
