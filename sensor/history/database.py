"""DuckDB, as writers and searches of the history use it: in memory, bounded, and nothing outside of its directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.history.schema import VERSION, VERSION_KEY
from sensor.history.tree import WORK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SPILL = Path(WORK) / "spill"
"""Where below the history's directory its writers put aside what memory cannot hold."""

_MOST_SPILLED_TIMES = 8


def connect(
    root: Path, spill: Path, *, memory_bytes: int, threads: int = 1, besides: Sequence[Path] = ()
) -> "DuckDBPyConnection":
    """Open a connection that can read and write below `root`, and the files `besides`, alone.

    What memory cannot hold goes to the directory `spill`, eight times as much at most. With more than one thread
    rows come as they are found, which takes less memory.
    """
    import duckdb  # noqa: PLC0415  # late: 0.15 s, for those who write or search history

    connection = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": f"{memory_bytes}B"})
    for setting in (
        f"temp_directory = {quoted(spill)}",
        f"max_temp_directory_size = '{memory_bytes * _MOST_SPILLED_TIMES}B'",
        f"allowed_directories = [{quoted(root)}]",
        f"allowed_paths = [{', '.join(map(quoted, besides))}]",
        f"preserve_insertion_order = {str(threads == 1).lower()}",
        "enable_external_access = false",
        "python_enable_replacements = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def quoted(path: Path) -> str:
    """Give a path as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


def parquet_options(group_rows: int, *, always_filtered: bool = False) -> str:
    """Give the options of COPY.

    A group of rows has a filter of those columns in which values repeat, which spares reading them; with
    `always_filtered` of every column, which makes it larger.
    """
    options = (
        "FORMAT parquet",
        "COMPRESSION zstd",
        "PARQUET_VERSION v2",
        f"ROW_GROUP_SIZE {group_rows}",
        *((f"DICTIONARY_SIZE_LIMIT {group_rows}",) if always_filtered else ()),
        f"KV_METADATA {{{VERSION_KEY}: '{VERSION}'}}",
    )
    return ", ".join(options)
