# ruff: noqa: S608  # values go in as parameters; what is put into a statement is this package's, or a quoted path
"""DuckDB over the history's files: in memory, bounded, and able to read nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from sensor.history.database import connect, quoted
from sensor.history.tree import Hour, hour_files

_MEMORY_BYTES = 1 << 30
_THREADS = 2
_MOST_RETRIES = 5
_ROWS_A_CHUNK = 50_000


class Database:
    """A connection whose tables are the hunt's own, and whose views are files of the history.

    Damaged files are left out, with one line for `note` each. Close it to give back what it has put on the disk.
    """

    def __init__(self, directory: Path, spill: Path, wanted: Path, note: Callable[[str], None]) -> None:
        """`spill` is a directory of its own for what memory cannot hold, `wanted` a file that may be read besides."""
        self._directory = directory
        self._note = note
        self._damaged: set[Path] = set()
        self._connection = connect(directory, spill, memory_bytes=_MEMORY_BYTES, threads=_THREADS, besides=[wanted])

    def close(self) -> None:
        """Let go of everything."""
        self._connection.close()

    def execute(self, sql: str, **parameters: object) -> None:
        """Do something that touches no file."""
        self._connection.execute(sql, parameters or None)

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Give the answer to a question that touches no file."""
        return self._connection.execute(sql, parameters or None).fetchall()

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Give the answer to a question that touches no file, row by row: it may be larger than memory.

        Whatever else is asked ends it.
        """
        answer = self._connection.execute(sql)
        while rows := answer.fetchmany(_ROWS_A_CHUNK):
            yield from rows

    def count(self, table: str) -> int:
        """Give the number of rows of a table."""
        [(rows,)] = self.rows(f"SELECT count(*) FROM {table}")
        return int(rows)

    def chunks(self, table: str, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        """Give the answer to a question that touches no file, asked of some rows of a table after the other.

        `sql` has a condition that names them at `{rows}`.
        """
        for first in range(0, self.count(table), _ROWS_A_CHUNK):
            yield self.rows(sql.format(rows=f"{table}.rowid >= {first} AND {table}.rowid < {first + _ROWS_A_CHUNK}"))

    def has(self, table: str) -> bool:
        """Whether a table has any row."""
        return bool(self.rows(f"SELECT 1 FROM {table} LIMIT 1"))

    def insert(self, table: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows to a table whose columns have these types: by columns, since row by row takes a millisecond each."""
        if not rows:
            return
        lists = ", ".join(f"unnest($c{place}::{kind}[])" for place, kind in enumerate(types))
        columns = {f"c{place}": list(column) for place, column in enumerate(zip(*rows, strict=True))}
        self._connection.execute(f"INSERT INTO {table} SELECT {lists}", columns)

    def ask(self, hours: Mapping[str, Sequence[int]], sql: str) -> list[tuple[Any, ...]]:
        """Give the answer to a question about views of these kinds, each over the files of its hours.

        `sql` must have no effect when it fails. OSError: it cannot be answered, though no file is damaged.
        """
        for _ in range(_MOST_RETRIES):
            files = {kind: self._files(kind, wanted) for kind, wanted in hours.items()}
            if not all(files.values()):
                return []
            try:
                for kind, paths in files.items():
                    listed = ", ".join(map(quoted, paths))
                    self._connection.execute(
                        f"CREATE OR REPLACE TEMP VIEW {kind} AS SELECT * FROM read_parquet([{listed}], filename = true)"
                    )
                return self._connection.execute(sql).fetchall()
            except duckdb.Error as error:
                if not self._explained(files):
                    raise OSError(f"history in {self._directory}: {error}") from error
        raise OSError(f"history in {self._directory}: its files change faster than they can be read")

    def _files(self, kind: str, hours: Sequence[int]) -> list[Path]:
        files = (path for number in hours for path in hour_files(self._directory, Hour(number, kind)))
        return [path for path in files if path not in self._damaged]

    def _explained(self, files: Mapping[str, Sequence[Path]]) -> bool:
        """Find files that are damaged, or gone because their hour was compacted or has become too old."""
        explained = False
        for path in (path for paths in files.values() for path in paths):
            if not path.exists():
                explained = True
                continue
            try:
                # Every column, so that every page is read.
                self._connection.execute(f"SELECT max(hash(f)) FROM read_parquet({quoted(path)}) f").fetchall()
            except duckdb.OutOfMemoryException:
                continue
            except duckdb.Error as error:
                if path.exists():
                    self._damaged.add(path)
                    reason = str(error).splitlines()[0]
                    self._note(f"{path}: damaged, left out ({reason})")
                explained = True
        return explained
