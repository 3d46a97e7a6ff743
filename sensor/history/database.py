"""DuckDB, as the history uses it: in memory, one thread, a limit, and nothing outside of the history's directory."""

from pathlib import Path
from typing import TYPE_CHECKING

from sensor.history.schema import VERSION, VERSION_KEY
from sensor.history.tree import WORK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MOST_SPILLED = "2GiB"


def connect(root: Path, memory_bytes: int) -> "DuckDBPyConnection":
    """Open a connection that can read and write below `root` alone, and puts aside there what memory cannot hold."""
    import duckdb  # noqa: PLC0415  # late: 0.15 s, for those who write or search history

    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": f"{memory_bytes}B"})
    for setting in (
        f"temp_directory = {quoted(root / WORK / 'spill')}",
        f"max_temp_directory_size = '{_MOST_SPILLED}'",
        f"allowed_directories = [{quoted(root)}]",
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
