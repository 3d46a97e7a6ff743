"""Feodo Tracker's CSV of botnet controllers (https://feodotracker.abuse.ch/blocklist/).

The header stands uncommented among `#` lines: "first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware".
"""

import csv
import io
from collections.abc import Sequence

REQUIRED_COLUMNS = frozenset({"dst_ip", "dst_port"})

_OWN_COLUMNS = ("indicator", "port", "proto", "source", "malware", "threat_type", "tags", "first_seen", "last_seen")


def convert(text: bytes) -> bytes:
    """Give the sensor's own CSV with every entry in the line where the source has it.

    A line without an entry becomes an empty one. A row that cannot be read is passed on as it is, so that the core
    refuses it with its line. Raises ValueError when there is no header.
    """
    lines = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape").split("\n")
    header: list[str] | None = None
    converted: list[str] = []
    for line in lines:
        cells = _cells(line)
        if cells is None:
            converted.append("")
        elif header is None:
            header = _header(cells)
            converted.append(_row(_OWN_COLUMNS))
        else:
            converted.append(_row(_entry(header, cells) or (line.strip(),)))
    if header is None:
        raise ValueError("no line with the columns of Feodo Tracker's CSV")
    return "\n".join(converted).encode("utf-8", errors="surrogateescape")


def _cells(line: str) -> list[str] | None:
    """Split one line; None for a blank line or a comment, no cells for one that is not CSV."""
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return None
    try:
        return [cell.strip() for cell in next(csv.reader([stripped], strict=True, skipinitialspace=True))]
    except csv.Error:
        return []


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    if not frozenset(names) >= REQUIRED_COLUMNS:
        raise ValueError("the first line is not the header of Feodo Tracker's CSV (it needs dst_ip and dst_port)")
    return names


def _entry(header: Sequence[str], cells: Sequence[str]) -> tuple[str, ...] | None:
    if len(cells) != len(header):
        return None
    row = dict(zip(header, cells, strict=True))
    port = row["dst_port"]
    return (
        row["dst_ip"],
        port,
        "tcp" if port else "",
        "feodotracker",
        row.get("malware", ""),
        "botnet_cc",
        row.get("c2_status", ""),
        row.get("first_seen_utc", ""),
        row.get("last_online", ""),
    )


def _row(cells: Sequence[str]) -> str:
    """Write one CSV row on one line."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow([cell.replace("\r", " ") for cell in cells])
    return buffer.getvalue()
