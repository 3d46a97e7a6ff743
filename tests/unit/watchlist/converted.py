"""What an importer gave, as tests compare it."""

import csv

from sensor.watchlist.table import Conversion


def rows(conversion: Conversion) -> list[dict[str, str]]:
    """The rows with the columns that are filled, and under `at` their line and column in the feed."""
    lines = conversion.text.decode().split("\n")
    assert lines.pop() == "", "the last line is ended"
    header, *found = (next(csv.reader([line], strict=True)) for line in lines)
    assert len(found) == len(conversion.places)
    assert all(len(cells) == len(header) for cells in found)
    return [
        {key: cell for key, cell in zip(header, cells, strict=True) if cell}
        | {"at": "{}:{}".format(*conversion.source(number))}
        for number, cells in enumerate(found, start=2)
    ]


def indicators(conversion: Conversion) -> list[tuple[str, str]]:
    """Type and indicator of each row."""
    return [(row.get("type", ""), row["indicator"]) for row in rows(conversion)]
