"""Feeds of lines: each line that says something, with its place."""

from collections.abc import Iterator
from itertools import count

from sensor.watchlist.table import Place, Table, place_at

LONGEST_LINE = 64 * 1024
"""In characters; a longer line is refused, whatever it holds."""

NEXT_LINE = place_at(1, 0)
"""What lies between the places of two lines."""

_MARK = b"\xef\xbb\xbf"
# Short enough that no line in a piece of several is too long.
_PIECE_BYTES = LONGEST_LINE // 2


def pieces_of(text: bytes) -> Iterator[tuple[Place, str]]:
    """Give the text in pieces of whole lines with their ends, each with its place; a long line is a piece of its own.

    A byte that is not UTF-8 becomes a lone surrogate, which `Table` keeps out.
    """
    start, place = len(_MARK) if text.startswith(_MARK) else 0, place_at(1, 1)
    while start < len(text):
        end = text.rfind(b"\n", start, start + _PIECE_BYTES) + 1 or text.find(b"\n", start) + 1 or len(text)
        piece = text[start:end].decode(errors="surrogateescape")
        yield place, piece
        start, place = end, place + piece.count("\n") * NEXT_LINE


def lines_of(text: bytes, table: Table) -> Iterator[tuple[Place, str]]:
    """Give the lines of a feed as `lines_in` does those of a piece."""
    for place, piece in pieces_of(text):
        yield from lines_in(place, piece, table)


def lines_in(place: Place, piece: str, table: Table) -> Iterator[tuple[Place, str]]:
    """Give the lines that are not blank, without spaces around them, comments included; a tab may be a separator.

    A line that is too long is refused.
    """
    for at, line in zip(count(place, NEXT_LINE), piece.split("\n"), strict=False):
        content = line.strip(" \r\n")
        if len(content) > LONGEST_LINE:
            table.refuse(at, f"a line longer than {LONGEST_LINE} characters")
        elif content and not content.isspace():
            yield at, content


def is_json(text: bytes) -> bool:
    """Whether the text begins as a JSON object or list does."""
    return text.removeprefix(_MARK).lstrip()[:1] in {b"{", b"["}
