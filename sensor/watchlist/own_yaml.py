"""The sensor's own list in YAML: the columns of the own CSV as keys, for lists that people write.

The document is a list, or a mapping with the list under `indicators`. An entry is a mapping, or an indicator alone.
JSON of the same shape is YAML, too.
"""

from sensor.config.tree import KeyPath, Limits, Tree, read_tree
from sensor.watchlist.table import Conversion, Place, Table, excerpt, place_at

COLUMNS = (
    "type",
    "indicator",
    "port",
    "proto",
    "direction",
    "severity",
    "confidence",
    "source",
    "source_id",
    "malware",
    "threat_type",
    "tags",
    "first_seen",
    "last_seen",
    "valid_until",
    "reference",
    "comment",
    "action",
)

_LIMITS = Limits(largest_bytes=16 << 20, most_nodes=500_000)
_KEY = "indicators"


def convert(text: bytes) -> Conversion:
    """Give the entries. Raises ValueError with line and column when the document as a whole cannot be used."""
    tree = read_tree(text, _LIMITS)
    for at, key, reason in tree.refused:
        if not key:
            raise ValueError(f"line {at.line}, column {at.column}: {reason}")
    table = Table(*COLUMNS[2:])
    path, entries = _entries(tree)
    refused = _refusals(tree, path)
    for index, entry in enumerate(entries):
        place = _place(tree, (*path, index))
        cells = _cells(entry)
        if index in refused:
            table.refuse(*refused[index])
        elif isinstance(cells, str):
            table.refuse(place, cells)
        else:
            table.add(place, cells)
    return table.finish()


def _entries(tree: Tree) -> tuple[KeyPath, list[object]]:
    """Give the list of entries and the path to it."""
    if isinstance(tree.data, list):
        return (), tree.data
    entries = tree.data.get(_KEY) if isinstance(tree.data, dict) else None
    if isinstance(entries, list):
        return (_KEY,), entries
    raise ValueError(f"neither a list nor a mapping with a list under `{_KEY}`")


def _refusals(tree: Tree, path: KeyPath) -> dict[object, tuple[Place, str]]:
    """Give for each entry the first thing in it that two readers of YAML would understand differently."""
    found: dict[object, tuple[Place, str]] = {}
    for place, at, reason in tree.refused:
        if at[: len(path)] == path and len(at) > len(path):
            found.setdefault(at[len(path)], (place_at(place.line, place.column), reason))
    return found


def _place(tree: Tree, path: KeyPath) -> Place:
    place = tree.place(path)
    return place_at(place.line, place.column) if place else place_at(1, 1)


def _cells(entry: object) -> list[str] | str:
    """Give a row, or the reason why there is none."""
    if isinstance(entry, str):
        entry = {"indicator": entry}
    if not isinstance(entry, dict):
        return "neither an indicator nor a mapping of its columns"
    unknown = next((key for key in entry if key not in COLUMNS), None)
    if unknown is not None:
        return f"unknown key {excerpt(str(unknown))}; the keys are {','.join(COLUMNS)}"
    cells = {key: _as_cell(value) for key, value in entry.items()}
    nested = next((key for key, cell in cells.items() if cell is None), None)
    return [cells.get(key) or "" for key in COLUMNS] if nested is None else f"{nested} holds more than a value"


def _as_cell(value: object) -> str | None:
    """Give a scalar or a list of scalars as text, None for anything deeper."""
    if isinstance(value, list):
        parts = [_as_cell(item) for item in value]
        return None if None in parts else ",".join(filter(None, parts))
    return None if isinstance(value, dict) else "" if value is None else str(value)
