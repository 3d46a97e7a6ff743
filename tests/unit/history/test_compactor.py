import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.history import compaction, compactor
from sensor.history.compactor import Compactor
from sensor.history.database import SPILL, connect
from sensor.history.tree import WORK, Hour, files, hour_files, made
from sensor.history.writer import Writer
from tests.unit.history.samples import FLOWS, NOON, flow_batch, ports, query, rows

ROLLUP = Hour(NOON, "rollup")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One hour of flows in three files."""
    for first in (0, 300, 600):
        _write(tmp_path, first)
    return tmp_path


@pytest.fixture
def compactor_of(tree: Path) -> Iterator[Compactor]:
    made = Compactor(tree)
    yield made
    made.stop()


def _write(root: Path, first: int, flows: int = 300) -> None:
    writer = Writer(root)
    writer.add("flow", flow_batch(flows, first=first))
    writer.close()


def _compact(compactor: Compactor, hour: Hour = FLOWS) -> set[Hour] | None:
    compactor.start([hour])
    return compactor.finished(wait=True)


def test_the_files_of_an_hour_become_one_that_is_sorted(tree: Path, compactor_of: Compactor) -> None:
    before = rows(tree, "flow")
    assert _compact(compactor_of) == {FLOWS, ROLLUP}
    (file,) = files(tree, "flow")
    assert rows(tree, "flow") == before
    # Files are read in their order, which is by remote address.
    addresses = query(f"SELECT dest_ip FROM '{file}'")
    assert len(addresses) == 900
    assert addresses == sorted(addresses)
    assert list((tree / WORK).iterdir()) == []
    assert _compact(compactor_of) is None


def test_the_rollup_sums_up_the_flows_of_each_pair(tree: Path, compactor_of: Compactor) -> None:
    _compact(compactor_of)
    flows = f"'{tree}/kind=flow/*/*/*.parquet'"
    expected = query(
        f"""SELECT src_ip, dest_ip, count(*), sum(packets_toserver), sum(bytes_toserver), min(start_ns), max(end_ns)
        FROM {flows} GROUP BY ALL ORDER BY ALL"""
    )
    columns = "src_ip, dest_ip, flows, packets_toserver, bytes_toserver, first_seen_ns, last_seen_ns"
    assert rows(tree, "rollup", columns) == expected
    assert len(expected) == 200
    assert {row[0] for row in rows(tree, "rollup", "time_ns")} == {NOON * 3600 * 10**9}


def test_every_address_of_a_rollup_is_in_a_filter_though_it_stands_there_once(tmp_path: Path) -> None:
    file = tmp_path / "rollup.parquet"
    pairs = "SELECT n::VARCHAR AS src_ip, (n * 7)::VARCHAR AS dest_ip, 'TCP' AS proto FROM range(40000) pairs(n)"
    compaction._write(connect(tmp_path, tmp_path / SPILL, memory_bytes=1 << 28), pairs, "rollup", file)

    def excludes(column: str, value: str) -> set[bool]:
        probe = f"parquet_bloom_probe('{file}', '{column}', '{value}')"
        return {excluded for (excluded,) in query(f"SELECT bloom_filter_excludes FROM {probe}")}

    assert excludes("dest_ip", "203.0.113.9") == excludes("src_ip", "203.0.113.9") == {True}
    assert False in excludes("dest_ip", str(7 * 39_999))


def test_a_large_hour_becomes_several_files(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "ROWS_A_FILE", 600)
    (tree / WORK / "out").mkdir()
    connection = connect(tree, tree / SPILL, memory_bytes=1 << 28)
    inputs = [str(file) for file in files(tree, "flow")]
    job: compaction.Job = {
        "kind": "flow", "inputs": inputs, "id": "0011aaff", "generation": 2, "work": str(tree / WORK / "out")
    }  # fmt: skip
    compaction.compact(connection, job)
    assert sorted(entry.name for entry in (tree / WORK / "out").iterdir()) == [
        "hour-0011aaff-2-0.parquet",
        "hour-0011aaff-2-1.parquet",
    ]


def test_what_is_written_meanwhile_stays(tree: Path, compactor_of: Compactor) -> None:
    compactor_of.start([FLOWS])
    _write(tree, 900)
    (files(tree, "flow")[0].parent / "mine.txt").write_text("somebody's")
    compactor_of.finished(wait=True)
    assert ports(tree) == list(range(1024, 1024 + 1200))
    assert len(files(tree, "flow")) == 2
    assert (files(tree, "flow")[0].parent / "mine.txt").read_text() == "somebody's"


def test_what_comes_later_is_compacted_when_no_more_comes(
    tree: Path, compactor_of: Compactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compact(compactor_of)
    _write(tree, 900)
    assert _compact(compactor_of) is None
    monkeypatch.setattr(compactor, "_SETTLED_SECONDS", 0.0)
    assert _compact(compactor_of) == {FLOWS, ROLLUP}
    first, second = hour_files(tree, FLOWS)[0], hour_files(tree, ROLLUP)[0]
    assert made(first) == made(second)
    assert ports(tree) == list(range(1024, 1024 + 1200))
    assert sum(flows for (flows,) in rows(tree, "rollup", "flows")) == 1200


def test_a_rollup_outlives_its_flows_and_is_not_replaced_by_stragglers(tree: Path, compactor_of: Compactor) -> None:
    _compact(compactor_of)
    for file in files(tree, "flow"):
        file.unlink()
    _write(tree, 900)
    assert _compact(compactor_of) == {FLOWS}
    assert sum(flows for (flows,) in rows(tree, "rollup", "flows")) == 900
    assert _compact(compactor_of) is None


def test_a_crash_between_flows_and_rollup_is_made_good(tree: Path, compactor_of: Compactor) -> None:
    _compact(compactor_of)
    for file in hour_files(tree, ROLLUP):
        file.unlink()
    assert _compact(compactor_of) == {FLOWS, ROLLUP}
    assert sum(flows for (flows,) in rows(tree, "rollup", "flows")) == 900


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped"])
def test_a_damaged_file_is_set_aside_and_the_rest_is_compacted(
    tree: Path, compactor_of: Compactor, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    broken = files(tree, "flow")[1]
    lost = {port for (port,) in query(f"SELECT src_port FROM '{broken}'")}
    content = bytearray(broken.read_bytes())
    if damage == "flipped":
        content[4:2000] = bytes(1996)
    broken.write_bytes(bytes({"cut": content[: len(content) // 2], "empty": b"", "flipped": content}[damage]))
    with caplog.at_level(logging.WARNING):
        _compact(compactor_of)
    assert len(caplog.records) == 1
    assert f"{broken} is damaged: set aside as {broken.name}.damaged" in caplog.text
    assert _compact(compactor_of) == {FLOWS, ROLLUP}
    assert set(ports(tree)) == set(range(1024, 1024 + 900)) - lost
    assert broken.with_name(f"{broken.name}.damaged").exists()


def test_a_process_that_is_killed_costs_nothing_and_the_hour_waits(
    tree: Path, compactor_of: Compactor, caplog: pytest.LogCaptureFixture
) -> None:
    before = files(tree, "flow")
    compactor_of.start([FLOWS])
    assert compactor_of._process is not None
    compactor_of._process.kill()
    assert compactor_of.finished(wait=True) is not None
    assert files(tree, "flow") == before
    assert (compactor_of.failed, len(caplog.records)) == (1, 1)
    assert "cannot be compacted: the process was ended" in caplog.text
    assert _compact(compactor_of) is None
    assert _compact(Compactor(tree)) == {FLOWS, ROLLUP}


def test_where_directories_cannot_be_exchanged_all_stays_as_it_is(
    tree: Path, compactor_of: Compactor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(one: Path, _other: Path) -> None:
        raise OSError(22, "Invalid argument", str(one))

    monkeypatch.setattr("sensor.history.exchange._exchange", refuse)
    before = files(tree, "flow")
    for _ in range(2):
        assert _compact(compactor_of) is None
    assert files(tree, "flow") == before
    assert [record.getMessage() for record in caplog.records] == [
        f"history {tree} is not compacted: its file system cannot exchange directories; searching it takes longer"
    ]
    assert list((tree / WORK).iterdir()) == []


def test_hours_that_were_deleted_meanwhile_are_let_be(tree: Path, compactor_of: Compactor) -> None:
    compactor_of.start([FLOWS])
    for file in files(tree, "flow"):
        file.unlink()
    compactor_of.finished(wait=True)
    assert files(tree, "flow") == files(tree, "rollup") == []
    assert compactor_of.failed == 0


def test_the_process_ends_when_nobody_waits_for_it_any_more(tree: Path) -> None:
    command = [sys.executable, "-m", "sensor.history.compaction"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        job = {"kind": "flow", "inputs": ["/dev/stdin"], "id": "0011aaff", "generation": 0, "work": "/nowhere"}
        process.stdin.write(json.dumps([str(tree), [job] * 100_000]).encode() + b"\n")
        process.stdin.close()
        assert process.wait(30) == 1


def test_the_process_gives_way_to_everything_else(compactor_of: Compactor) -> None:
    compactor_of.start([FLOWS])
    process = compactor_of._process
    assert process is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    status = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    assert json.loads(line) == {"error": None, "damaged": []}
    # It may have ended by now, and is then remembered with its niceness.
    assert status[16] == "19"
