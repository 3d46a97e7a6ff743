import logging
from pathlib import Path
from typing import Any

import pytest

from sensor.history.schema import HOST, HOST_COLUMNS
from sensor.history.tree import WORK, Hour, files
from sensor.history.writer import Writer
from tests.unit.history.samples import NOON, flow_batch, ports, query, rows


def _host(**changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(HOST_COLUMNS), "time_ns": NOON * 3600 * 10**9, "vlan": [], "users": [], **changes}


def test_records_go_to_the_hour_of_their_own_time(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.add("flow", flow_batch(3))
    writer.add("flow", flow_batch(2, hour=NOON + 13, first=10))
    assert writer.waiting_bytes > 5 * 200
    assert writer.flush() == {Hour(NOON, "flow"), Hour(NOON + 13, "flow")}
    found = rows(tmp_path, "flow", "src_port, day::VARCHAR, hour::INT")
    assert found == [(1024 + n, "2026-11-22", 12) for n in range(3)] + [(1034 + n, "2026-11-23", 1) for n in range(2)]
    assert (writer.written["flow"], writer.dropped, writer.waiting_bytes, writer.error) == (5, 0, 0, None)
    assert list((tmp_path / WORK).iterdir()) == []


def test_each_file_tells_its_schema(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.add("flow", flow_batch(1))
    writer.flush()
    (file,) = files(tmp_path, "flow")
    assert query(f"SELECT key, value FROM parquet_kv_metadata('{file}')") == [(b"spanwatch_schema", b"1")]


def test_rows_keep_their_types_whatever_they_say(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    hostile = "x'); DROP TABLE told; -- \"\\ \ud800 \u202e\n"
    writer.add_rows(HOST, HOST_COLUMNS, [_host(ip="10.0.0.1", name=hostile, vlan=[20, 4094], users=["a", "b"])])
    writer.add_rows(HOST, HOST_COLUMNS, [_host(ip="10.0.0.2", first_seen_ns=2**64 - 1)])
    writer.flush()
    assert rows(tmp_path, HOST, "ip, name, vlan, users, agents, first_seen_ns") == [
        ("10.0.0.1", hostile.replace("\ud800", "?"), [20, 4094], ["a", "b"], None, None),
        ("10.0.0.2", None, [], [], None, 2**64 - 1),
    ]


def test_many_rows_are_handed_over_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.history.writer._ROWS_OF_JSON", 3)
    writer = Writer(tmp_path)
    writer.add_rows(HOST, HOST_COLUMNS, [_host(ip=f"10.0.0.{number}") for number in range(8)])
    writer.flush()
    assert rows(tmp_path, HOST, "ip") == [(f"10.0.0.{number}",) for number in range(8)]


def test_what_cannot_be_written_is_lost_and_counted_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(tmp_path)
    (tmp_path / "kind=flow").write_text("in the way")
    for _ in range(2):
        writer.add("flow", flow_batch(3))
        writer.add_rows(HOST, HOST_COLUMNS, [_host(ip="10.0.0.1")])
        assert writer.flush() == {Hour(NOON, HOST)}
    assert (writer.dropped, dict(writer.written)) == (6, {"flow": 0, HOST: 2})
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert "flow records cannot be written" in caplog.text
    (tmp_path / "kind=flow").unlink()
    writer.add("flow", flow_batch(3))
    writer.flush()
    assert (ports(tmp_path), writer.dropped, writer.error) == ([1024, 1025, 1026], 6, None)
    assert "written again; 6 records were lost in all" in caplog.text
