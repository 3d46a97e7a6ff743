"""Batches of the core as Arrow tables for others."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensor._native import RecordBatch


class Table:
    """The records of one kind as an Arrow table, which pandas, polars, pyarrow and DuckDB take without a copy."""

    def __init__(self, batches: "Sequence[RecordBatch]") -> None:
        """`batches` have one schema, and there is at least one, though it be empty."""
        self._batches = batches

    def __len__(self) -> int:
        """Number of records."""
        return sum(map(len, self._batches))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface; `requested_schema` is ignored, as a producer may."""
        import nanoarrow  # noqa: PLC0415  # late: most scripts have no tables, and start faster
        from nanoarrow.c_array_stream import CArrayStream  # noqa: PLC0415

        arrays = [nanoarrow.c_array(batch) for batch in self._batches]
        stream = CArrayStream.from_c_arrays(arrays, arrays[0].schema)
        return stream.__arrow_c_stream__(None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give the records as dictionaries."""
        for batch in self._batches:
            yield from batch.rows()
