"""The directory of the evidence and its bounds."""

from __future__ import annotations

import os
from pathlib import Path

from sensor.evidence.store import EvidenceStore


def put(directory: Path, stem: str, size: int, age: int) -> None:
    for suffix, content in ((".pcap", bytes(size - 10)), (".json", bytes(10))):
        path = directory / f"{stem}{suffix}"
        path.write_bytes(content)
        os.utime(path, (10_000 - age, 10_000 - age))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_oldest_capture_goes_first_with_its_manifest(tmp_path: Path) -> None:
    put(tmp_path, "aaaa", 100, age=1)
    put(tmp_path, "bbbb", 100, age=3)
    put(tmp_path, "cccc", 100, age=2)
    store = EvidenceStore(tmp_path, 350)
    store.make_room(100)
    assert names(tmp_path) == ["aaaa.json", "aaaa.pcap", "cccc.json", "cccc.pcap"]
    assert (store.bytes, store.captures, store.deleted) == (200, 2, 1)


def test_their_number_is_bounded_however_small_they_are(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"aaa{number}", 20, age=10 - number)
    EvidenceStore(tmp_path, 1 << 20, most=3).make_room(1)
    assert names(tmp_path) == ["aaa3.json", "aaa3.pcap", "aaa4.json", "aaa4.pcap"]


def test_what_a_crash_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, "aaaa", 100, age=1)
    foreign = ["notes.txt", "report.pcap", "zzzz.pcap.tmp", "aaaa.pcap.bak"]
    for name in ("bbbb.pcap", "bbbb.json.tmp", "cccc-2.pcap.tmp", "dddd.json", *foreign):
        (tmp_path / name).touch()
    EvidenceStore(tmp_path, 1 << 20).tidy()
    assert names(tmp_path) == sorted(["aaaa.json", "aaaa.pcap", *foreign])


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, 1 << 20)
    assert store.free_stem("aaaa") == "aaaa"
    put(tmp_path, "aaaa", 100, age=1)
    (tmp_path / "aaaa-2.json").touch()
    assert store.free_stem("aaaa") == "aaaa-3"
