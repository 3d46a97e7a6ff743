import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import sensor
from sensor.cli.main import main
from sensor.history.schema import ALERT, CORE_KINDS, HOST, MAIL
from tests.traffic.case import Case
from tests.traffic.case_capture import write_case
from tests.traffic.office import write_office
from tests.unit.history.samples import query, rows


@pytest.fixture
def captures(tmp_path: Path) -> list[Path]:
    """An office, and the mail that it gets."""
    office, case = tmp_path / "office.pcap", tmp_path / "case.pcap"
    write_office(office, 3000)
    write_case(Case(), case)
    return [office, case]


def _read(tmp_path: Path, captures: list[Path], **history: Any) -> Path:
    root = tmp_path / "history"
    config = tmp_path / "spanwatch.yaml"
    settings = {"history": {"directory": str(root), "min_free": 0, **history}, "pcap_ring": {"enabled": False}}
    config.write_text(json.dumps({**settings, "watchlists": []}))
    assert main(["read", "-c", str(config), "-o", str(tmp_path / "out"), *map(str, captures)]) == 0
    return root


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _counted(found: list[tuple[Any, ...]]) -> Counter[tuple[object, ...]]:
    return Counter(tuple(map(_plain, row)) for row in found)


def test_every_record_of_the_core_is_in_the_tree_once_with_all_its_columns(
    tmp_path: Path, captures: list[Path]
) -> None:
    root = _read(tmp_path, captures)
    with sensor.open(*captures) as capture:
        tables = capture.tables(*CORE_KINDS)
    for kind, table in tables.items():
        if kind == "quic":
            # Nobody in these captures speaks it.
            continue
        expected = [tuple(row.values()) for row in table.rows()]
        columns = ", ".join(next(iter(table.rows())))
        assert _counted(rows(root, kind, columns)) == _counted(expected)


def test_mails_hosts_and_alerts_are_in_the_tree(tmp_path: Path, captures: list[Path]) -> None:
    root = _read(tmp_path, captures)
    with sensor.open(*captures) as capture:
        mails = list(capture.mails())
    found = rows(root, MAIL, "time_ns, flow_id, subject, rcpt_to, urls, attachments", order="time_ns, flow_id")
    told = sorted((mail["time_ns"], mail["flow_id"]) for mail in mails)
    assert [row[:2] for row in found] == told
    by_id = {(mail["time_ns"], mail["flow_id"]): mail for mail in mails}
    for time_ns, flow_id, *rest in found:
        mail = by_id[time_ns, flow_id]
        assert rest == [mail["subject"], mail["rcpt_to"], mail["urls"], mail["attachments"]]
    lines = (tmp_path / "out" / "alerts.log").read_text().splitlines()
    assert [text for (text,) in rows(root, ALERT, "text", order="time_ns, text")] == sorted(lines)
    opened = {row for row in rows(root, ALERT, "id, rule, severity") if row}
    assert all(f"#{incident}" in " ".join(lines) for incident, _, _ in opened)
    machines = rows(root, HOST, "ip, mac, first_seen_ns, last_seen_ns, time_ns")
    assert machines
    assert all(first <= last == time_ns for _, _, first, last, time_ns in machines)


def test_reading_twice_does_not_forget_the_first_time(tmp_path: Path, captures: list[Path]) -> None:
    root = _read(tmp_path, captures[:1])
    first = len(rows(root, "flow", "flow_id"))
    _read(tmp_path, captures[:1])
    assert len(rows(root, "flow", "flow_id")) == 2 * first


def test_reading_keeps_nothing_that_the_file_does_not_ask_for(tmp_path: Path, captures: list[Path]) -> None:
    root = _read(tmp_path, captures[:1], enabled=False)
    assert not root.exists()
    assert main(["read", "-o", str(tmp_path / "out"), str(captures[0])]) == 0
    assert not root.exists()


def test_every_file_opens_by_itself_and_tells_its_hour(tmp_path: Path, captures: list[Path]) -> None:
    root = _read(tmp_path, captures)
    statement = f"""
        SELECT count(*), count(*) FILTER (make_timestamp_ns(time_ns::BIGINT)::DATE <> day
            OR hour(make_timestamp_ns(time_ns::BIGINT)) <> hour::INT)
        FROM read_parquet('{root}/*/*/*/*.parquet', hive_partitioning = true, union_by_name = true)"""
    number, misplaced = query(statement)[0]
    assert number > 500
    assert misplaced == 0
