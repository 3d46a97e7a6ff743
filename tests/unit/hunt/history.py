# the tests' own names
"""A history as the daemon writes it, out of captures."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

import sensor
from sensor._native import Engine, RecordBatch
from sensor.config import engine_settings, load
from sensor.history.tree import Hour, Made, compacted_name, hour_directory, part_name
from sensor.library.records import KINDS
from sensor.library.tables import Table

_ROLLUP = """
SELECT src_ip, dest_ip, proto, count(DISTINCT flow_id) AS flows, sum(packets_toserver)::UBIGINT AS packets_toserver,
       sum(packets_toclient)::UBIGINT AS packets_toclient, sum(bytes_toserver)::UBIGINT AS bytes_toserver,
       sum(bytes_toclient)::UBIGINT AS bytes_toclient, min(start_ns) AS first_seen_ns, max(end_ns) AS last_seen_ns
FROM rows GROUP BY src_ip, dest_ip, proto
"""
_HOST_TYPES = (
    "STRUCT(time_ns UBIGINT, ip VARCHAR, mac VARCHAR, vlan USMALLINT[], name VARCHAR, first_seen_ns UBIGINT, "
    "last_seen_ns UBIGINT)[]"
)


class HistoryTree:
    """A history's directory that tests fill."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect()

    def add_capture(self, *files: Path) -> None:
        """File all that a capture tells."""
        with sensor.open(*files, strict=False) as capture:
            for kind, table in capture.tables(*KINDS).items():
                self.add(kind, table)
        for batch in _mails(files):
            self.add("mail", Table([batch]))

    def add(self, kind: str, table: object) -> None:
        """File records by the hour of their time."""
        self._connection.register("given", table)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE given_rows AS SELECT * FROM given")
        self._file(kind, "given_rows")

    def add_hosts(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """File who hosts were."""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE given_rows AS SELECT unnest($rows::{_HOST_TYPES}, recursive := true)",
            {"rows": [dict(row) for row in rows]},
        )
        self._file("host", "given_rows")

    def close_hours(self, *, forget_flows: bool = False) -> None:
        """Compact the hours of flows, and sum them up; forget the flows themselves if wanted."""
        for directory in (self.root / "kind=flow").glob("day=*/hour=*"):
            parts = list(directory.glob("*.parquet"))
            listed = [str(part) for part in parts]
            self._connection.execute(
                "CREATE OR REPLACE TEMP TABLE rows AS SELECT * FROM read_parquet($f)", {"f": listed}
            )
            summed = self.root / "kind=rollup" / directory.parent.name / directory.name
            summed.mkdir(parents=True, exist_ok=True)
            name = compacted_name(Made(secrets.token_hex(4), 0), 0)
            self._copy(_ROLLUP, summed / name)
            if not forget_flows:
                order = "SELECT * FROM rows ORDER BY dest_ip, src_ip, time_ns"
                self._copy(order, directory / name)
            for part in parts:
                part.unlink()

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Give all records of a kind, as a person would read them."""
        files = sorted(map(str, self.root.glob(f"kind={kind}/*/*/*.parquet")))
        if not files:
            return []
        found = self._connection.execute("SELECT * FROM read_parquet($f, hive_partitioning = false)", {"f": files})
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _file(self, kind: str, table: str) -> None:
        hours = self._connection.execute(f"SELECT DISTINCT time_ns // 3600000000000 FROM {table}").fetchall()
        for (hour,) in hours:
            directory = hour_directory(self.root, Hour(hour, kind))
            directory.mkdir(parents=True, exist_ok=True)
            rows = f"SELECT * FROM {table} WHERE time_ns // 3600000000000 = {hour}"
            self._copy(rows, directory / part_name())

    def _copy(self, rows: str, path: Path) -> None:
        self._connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def _mails(files: Sequence[Path]) -> Iterator[RecordBatch]:
    config = load(None, {"eve.path": None, "alerts.log": None})
    core = Engine(json.dumps(engine_settings(config, "read", [str(file) for file in files])))
    core.start()
    ended = False
    while not ended:
        polled = core.poll(0.2)
        ended = polled.ended
        if len(polled.mails):
            yield polled.mails
