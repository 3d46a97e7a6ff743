"""Records become files: gathered by kind, written by hour, whole or not at all."""

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoarrow import c_array

from sensor.history.database import SPILL, connect, parquet_options, quoted
from sensor.history.tree import HOUR_NS, WORK, Hour, hour_directory, make_directory, part_name
from sensor.library.tables import Table
from sensor.whole_file import sync

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from nanoarrow.c_array import CArrayView

    from sensor._native import RecordBatch

_log = logging.getLogger(__name__)
_MEMORY_BYTES = 256 << 20
_GROUP_ROWS = 65_536
_COMPLAIN_SECONDS = 60.0

_ROWS_OF_JSON = 10_000

BYTES_AT_ONCE = 64 << 20
"""Records that may gather before they are written, whatever the time: 200,000 flow records."""


class Writer:
    """Gathers records and writes them. What cannot be written is lost, counted in `dropped`, and said once a minute."""

    def __init__(self, root: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`root` is the history's directory, which is there."""
        self.written: defaultdict[str, int] = defaultdict(int)
        self.dropped = 0
        self.error: str | None = None
        self.waiting_bytes = 0
        self._root = root
        self._monotonic = monotonic
        self._complained_at: float | None = None
        self._batches: defaultdict[str, list[RecordBatch]] = defaultdict(list)
        self._rows: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._columns: dict[str, Mapping[str, str]] = {}
        self._opened: DuckDBPyConnection | None = None

    def add(self, kind: str, batch: "RecordBatch") -> None:
        """Take records in columns."""
        if len(batch):
            self._batches[kind].append(batch)
            self.waiting_bytes += _size_bytes(c_array(batch).view())

    def add_rows(self, kind: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Take records as dictionaries with these columns, by their types."""
        if not rows:
            return
        self._columns[kind] = columns
        self._rows[kind] += rows

    def flush(self) -> set[Hour]:
        """Write all that has gathered; gives the hours that have grown."""
        batches, self._batches = self._batches, defaultdict(list)
        rows, self._rows = self._rows, defaultdict(list)
        self.waiting_bytes = 0
        lost = self.dropped
        grown: set[Hour] = set()
        for kind, gathered in batches.items():
            grown |= self._write(kind, sum(map(len, gathered)), partial(self._take_batches, gathered))
        for kind, told in rows.items():
            grown |= self._write(kind, len(told), partial(self._take_rows, kind, told))
        if grown and self.dropped == lost:
            self._recovered()
        return grown

    def close(self) -> None:
        """Write all that has gathered, and end."""
        self.flush()
        if self._opened is not None:
            self._opened.close()

    def _connection(self) -> "DuckDBPyConnection":
        if self._opened is None:
            self._opened = connect(self._root, self._root / SPILL, memory_bytes=_MEMORY_BYTES)
        return self._opened

    def _take_batches(self, batches: "Sequence[RecordBatch]") -> None:
        self._connection().register("batches", Table(batches))
        self._connection().execute("CREATE OR REPLACE TEMP VIEW taken AS FROM batches")

    def _take_rows(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        shape = json.dumps([self._columns[kind]])
        for start in range(0, len(rows), _ROWS_OF_JSON):
            text = json.dumps(rows[start : start + _ROWS_OF_JSON], ensure_ascii=False).encode(errors="replace").decode()
            verb = "INSERT INTO told" if start else "CREATE OR REPLACE TEMP TABLE told AS"
            self._connection().execute(
                f"{verb} SELECT unnest(from_json($rows, '{shape}'), max_depth := 2)", {"rows": text}
            )
        self._connection().execute("CREATE OR REPLACE TEMP VIEW taken AS FROM told")

    def _write(self, kind: str, rows: int, take: Callable[[], None]) -> set[Hour]:
        import duckdb  # noqa: PLC0415

        written: dict[Hour, int] = {}
        try:
            take()
            for hour in self._hours(kind):
                written[hour] = self._write_hour(hour)
            self._connection().unregister("batches")
        except (OSError, duckdb.Error) as error:
            self._failed(kind, rows - sum(written.values()), error)
        self.written[kind] += sum(written.values())
        return set(written)

    def _hours(self, kind: str) -> list[Hour]:
        found = self._connection().execute(f"SELECT DISTINCT time_ns // {HOUR_NS} FROM taken ORDER BY 1").fetchall()
        return [Hour(number, kind) for (number,) in found]

    def _write_hour(self, hour: Hour) -> int:
        """Write the rows of one hour: under a temporary name, synced, renamed; gives how many they are."""
        directory = hour_directory(self._root, hour)
        name = part_name()
        temporary = self._root / WORK / f"{name}.tmp"
        copy = (
            f"COPY (SELECT * FROM taken WHERE time_ns // {HOUR_NS} = {hour.number}) "
            f"TO {quoted(temporary)} ({parquet_options(_GROUP_ROWS)})"
        )
        try:
            make_directory(directory)
            make_directory(temporary.parent)
            counted = self._connection().execute(copy).fetchone()
            sync(temporary)
            temporary.rename(directory / name)
            sync(directory)
        finally:
            temporary.unlink(missing_ok=True)
        return int(counted[0]) if counted else 0

    def _failed(self, kind: str, lost: int, error: Exception) -> None:
        self.dropped += lost
        self.error = f"{kind} records cannot be written: {_first_line(error)}"
        now = self._monotonic()
        if self._complained_at is None or now - self._complained_at >= _COMPLAIN_SECONDS:
            self._complained_at = now
            _log.error("history %s: %s: %d lost so far", self._root, self.error, self.dropped)

    def _recovered(self) -> None:
        if self.error is not None:
            _log.warning("history %s is written again; %d records were lost in all", self._root, self.dropped)
            self.error = None
            self._complained_at = None


def _size_bytes(array: "CArrayView") -> int:
    """Add up the memory of an Arrow array's buffers."""
    buffers = sum(array.buffer(place).size_bytes for place in range(array.n_buffers))
    return int(buffers) + sum(map(_size_bytes, array.children))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
