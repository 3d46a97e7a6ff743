"""Batches of the core as Arrow tables for others."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import nanoarrow
from nanoarrow.c_array_stream import CArrayStream

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
        arrays = [nanoarrow.c_array(batch) for batch in self._batches]
        stream = CArrayStream.from_c_arrays(arrays, arrays[0].schema)
        return stream.__arrow_c_stream__(None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give the records as dictionaries."""
        names = [field.name for field in nanoarrow.Array(self._batches[0]).schema.fields]
        for batch in self._batches:
            for row in zip(*batch.columns(), strict=True):
                yield dict(zip(names, row, strict=True))
