"""Every capture of the corpus in every form that its packets can be stored in, read to the last packet."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.peers.test_corpus import oracles

pytestmark = pytest.mark.peers

Form = Callable[[Path, Path], None]
"""Stores the capture at the first path once more at the second; fails where the form cannot hold it."""

CUSTOM_BLOCKS = {"pcapngtest__test202.pcapng": 3}
"""tshark lists pcapng custom blocks among the packets."""
PCAPNG_ALONE = {"pcapngtest__test100.pcapng", "pcapngtest__test202.pcapng", "pcapplusplus__many_interfaces-1.pcapng"}
"""Several link types, or what else only pcapng can say."""
THROUGH_A_PIPE = 10
"""Captures that are also read from standard input: one in so many."""


def packed_by(*command: str) -> Form:
    def form(source: Path, target: Path) -> None:
        with source.open("rb") as given, target.open("wb") as written:
            subprocess.run(command, stdin=given, stdout=written, check=True)

    return form


def packed_in_two_by(*command: str) -> Form:
    def form(source: Path, target: Path) -> None:
        data = source.read_bytes()
        halves = data[: len(data) // 2], data[len(data) // 2 :]
        packed = [subprocess.run(command, input=half, capture_output=True, check=True).stdout for half in halves]
        target.write_bytes(b"".join(packed))

    return form


def converted_to(file_type: str) -> Form:
    def form(source: Path, target: Path) -> None:
        subprocess.run(["editcap", "-F", file_type, str(source), str(target)], check=True, capture_output=True)

    return form


FORMS: dict[str, Form] = {
    "gzip": packed_by("gzip", "-c"),
    "gzip in two members": packed_in_two_by("gzip", "-c"),
    "zstd": packed_by("zstd", "-q", "-c"),
    "zstd in two frames": packed_in_two_by("zstd", "-q", "-c"),
    "lz4": packed_by("lz4", "-q", "-c"),
    "lz4 with dependent blocks, in two frames": packed_in_two_by("lz4", "-q", "-9", "-BD", "-c"),
    "pcap": converted_to("pcap"),
    "pcap with nanoseconds": converted_to("nsecpcap"),
    "modified pcap": converted_to("modpcap"),
    "pcapng": converted_to("pcapng"),
}
PCAP_FORMS = {"pcap", "pcap with nanoseconds", "modified pcap"}


def packets_read(spanwatch: Path, captures: Sequence[Path], given: Path | None = None) -> int:
    """The packets of all captures together; `given` is a capture that is standard input."""
    command = [str(spanwatch), "read", "--json", *map(str, captures)]
    with (given or Path("/dev/null")).open("rb") as stdin:
        done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=stdin)
    assert done.returncode == 0, f"{captures}: exit {done.returncode}: {done.stderr}"
    packets: int = json.loads(done.stdout)["packets"]
    return packets


def expected(names: Sequence[str]) -> dict[str, int]:
    counted = {}
    for path in oracles():
        oracle = json.loads(path.read_text())
        counted[oracle["file"]] = oracle["packets"] - CUSTOM_BLOCKS.get(oracle["file"], 0)
    return {name: counted[name] for name in names}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_holds_the_packets_that_tshark_counted(name: str, corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    sources = sorted((corpus / "pcap").iterdir())
    if name in PCAP_FORMS:
        sources = [source for source in sources if source.name not in PCAPNG_ALONE]
    for source in sources:
        FORMS[name](source, tmp_path / source.name)
    packets = expected([source.name for source in sources])
    stored = [tmp_path / source.name for source in sources]
    # All at once is quick; which one it is matters only when a packet is missing.
    if packets_read(spanwatch, stored) != sum(packets.values()):
        assert {path.name: packets_read(spanwatch, [path]) for path in stored} == packets
    for path in stored[::THROUGH_A_PIPE]:
        assert packets_read(spanwatch, [Path("-")], given=path) == packets[path.name], path.name


@pytest.mark.parametrize(
    ("file_type", "name"),
    [
        ("snoop", "a snoop capture"),
        ("netmon2", "a Microsoft Network Monitor 2 capture"),
        ("netmon1", "a Microsoft Network Monitor 1 capture"),
        ("ngsniffer", "a Sniffer capture"),
        ("ngwsniffer_2_0", "a Sniffer capture for Windows"),
        ("observer", "a Network Instruments Observer capture"),
        ("visual", "a Visual Networks capture"),
        ("5views", "a 5View capture"),
        ("nettl", "an HP-UX nettl trace"),
        ("lanalyzer", "a Novell LANalyzer trace"),
        ("k12text", "a K12 text export"),
    ],
)
def test_other_programs_captures_are_refused_by_name(
    file_type: str, name: str, corpus: Path, spanwatch: Path, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    converted_to(file_type)(corpus / "pcap" / "arkime__smtp-data-521.pcap", foreign)
    done = subprocess.run([spanwatch, "read", foreign], check=False, capture_output=True, text=True)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1
    assert f"it is {name}; pcap and pcapng files can be read" in done.stderr
