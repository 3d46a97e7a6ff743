"""Feeds of lines: each line that says something, with its place."""

import io
from collections.abc import Iterator
from itertools import count

from sensor.watchlist.table import Place, Table, place_at

LONGEST_LINE = 64 * 1024
"""In characters; a longer line is refused, whatever it holds."""

_MARK = b"\xef\xbb\xbf"


def lines_of(text: bytes, table: Table) -> Iterator[tuple[Place, str]]:
    """Give the lines that are not blank, without spaces around them, comments included; a tab may be a separator.

    A byte that is not UTF-8 becomes a lone surrogate, which `Table` keeps out. A line that is too long is refused.
    """
    stream = io.TextIOWrapper(io.BytesIO(text.removeprefix(_MARK)), "utf-8", errors="surrogateescape", newline="\n")
    first = place_at(1, 1)
    for place, line in zip(count(first, place_at(2, 1) - first), stream, strict=False):
        content = line.strip(" \r\n")
        if len(content) > LONGEST_LINE:
            table.refuse(place, f"a line longer than {LONGEST_LINE} characters")
        elif content and not content.isspace():
            yield place, content


def is_json(text: bytes) -> bool:
    """Whether the text begins as a JSON object or list does."""
    return text.removeprefix(_MARK).lstrip()[:1] in {b"{", b"["}
