"""The files of an hour become one, sorted, with a summary of its flows: a program of its own.

It runs beside the sensor, niced and with little memory, and ends when the sensor does, so that it can neither slow nor
take down the capture. It only makes new files, below the directory for work; the sensor puts them in place. Standard
input has the jobs on one line of JSON and is held open; standard output has a line of JSON for each.
"""

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from sensor.give_way import give_way
from sensor.history.database import SPILL, connect, parquet_options, quoted
from sensor.history.schema import ORDER, ROLLUP
from sensor.history.tree import HOUR_NS, Made, compacted_name
from sensor.whole_file import sync

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY_BYTES = 1 << 29
_ADDRESS_SPACE_BYTES = 3 << 30
_GROUP_ROWS = 32_768

ROWS_A_FILE = 1 << 20
"""Rows that are sorted together, as far as files are not larger already: what fits into the memory limit."""


class Job(TypedDict):
    """Files to be made into one, in the directory `work`, and the directory of the flows' rollup, if one is due."""

    kind: str
    inputs: list[str]
    id: str
    generation: int
    work: str
    rollup: NotRequired[str]


class Outcome(TypedDict):
    """What became of a job: `error` says why it failed, `damaged` names the inputs that cannot be read."""

    error: str | None
    damaged: list[str]


class _Part(NamedTuple):
    path: Path
    rows: int


_ROLLUP = """
    SELECT (min(time_ns) // {hour_ns} * {hour_ns})::UBIGINT AS time_ns, src_ip, dest_ip, proto,
        count(DISTINCT flow_id)::UBIGINT AS flows,
        sum(packets_toserver)::UBIGINT AS packets_toserver, sum(packets_toclient)::UBIGINT AS packets_toclient,
        sum(bytes_toserver)::UBIGINT AS bytes_toserver, sum(bytes_toclient)::UBIGINT AS bytes_toclient,
        min(start_ns) AS first_seen_ns, max(end_ns) AS last_seen_ns
    FROM {source} GROUP BY ALL
"""


def compact(connection: "DuckDBPyConnection", job: Job) -> None:
    """Make the files of a job. Raises duckdb.Error or OSError."""
    work = Path(job["work"])
    of = Made(job["id"], job["generation"])
    for place, paths in enumerate(_groups(connection, list(map(Path, job["inputs"])))):
        _write(connection, f"FROM {_reading(paths)}", job["kind"], work / compacted_name(of, place))
    if "rollup" in job:
        source = _reading(list(work.iterdir()))
        rollup = Path(job["rollup"])
        _write(connection, _ROLLUP.format(source=source, hour_ns=HOUR_NS), ROLLUP, rollup / compacted_name(of, 0))
        sync(rollup)
    sync(work)


def damaged(connection: "DuckDBPyConnection", files: Sequence[str]) -> list[str]:
    """Give those files that cannot be read to their end."""
    return [file for file in files if not _is_sound(connection, Path(file))]


def _groups(connection: "DuckDBPyConnection", inputs: Sequence[Path]) -> list[list[Path]]:
    """Put files together until they have enough rows."""
    groups: list[list[Path]] = []
    room = 0
    for part in _parts(connection, inputs):
        if not groups or part.rows > room:
            groups.append([])
            room = ROWS_A_FILE
        groups[-1].append(part.path)
        room -= part.rows
    return groups


def _parts(connection: "DuckDBPyConnection", inputs: Sequence[Path]) -> list[_Part]:
    """Count the rows of files, in the order in which they were written."""
    listed = ", ".join(map(quoted, inputs))
    counted = connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{listed}])").fetchall()
    rows = {Path(name): int(number) for name, number in counted}
    return sorted((_Part(path, rows[path]) for path in inputs), key=lambda part: part.path.stat().st_mtime_ns)


def _reading(paths: Sequence[Path]) -> str:
    listed = ", ".join(map(quoted, paths))
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"


def _write(connection: "DuckDBPyConnection", rows: str, kind: str, path: Path) -> None:
    # A rollup is what is searched first, for addresses of which each stands there once.
    options = parquet_options(_GROUP_ROWS, always_filtered=kind == ROLLUP)
    connection.execute(f"COPY (SELECT * FROM ({rows}) ORDER BY {ORDER[kind]}) TO {quoted(path)} ({options})")
    sync(path)


def _is_sound(connection: "DuckDBPyConnection", path: Path) -> bool:
    import duckdb  # noqa: PLC0415

    try:
        connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {_reading([path])}").fetchall()
    except (duckdb.OutOfMemoryException, MemoryError):
        return True
    except duckdb.Error:
        # Whoever asks may have deleted it meanwhile.
        return not path.exists()
    return True


def _run(connection: "DuckDBPyConnection", job: Job) -> Outcome:
    import duckdb  # noqa: PLC0415

    try:
        compact(connection, job)
    except (OSError, duckdb.Error) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        return {"error": reason, "damaged": damaged(connection, job["inputs"])}
    return {"error": None, "damaged": []}


def _be_modest() -> None:
    give_way()
    # Ctrl-C at a terminal is the sensor's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))


def _end_with_the_sensor() -> None:
    """End at once when standard input does: whoever holds it open is gone."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


def main() -> None:
    """Do the jobs on standard input."""
    _be_modest()
    root, jobs = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_sensor, daemon=True).start()
    connection = connect(Path(root), Path(root) / SPILL, memory_bytes=_MEMORY_BYTES)
    for job in jobs:
        print(json.dumps(_run(connection, job)), flush=True)
    # The thread still waits for standard input, and an interpreter that ends in order would wait for the lock on it.
    os._exit(0)


if __name__ == "__main__":
    main()
