"""Feeds in JSON: walked through with the place of every part, so that a refusal can name it.

Only the containers that hold entries are entered; each entry is decoded as a whole by the standard library. Numbers
stay text. Damage anywhere refuses the feed: a document that is cut off has no good half.
"""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Final, NamedTuple

from sensor.watchlist.table import Place, place_at

Path = tuple[str, ...]
"""The keys down to a part; `ELEMENT` stands for a place in a list."""

ELEMENT: Final = "[]"
END: Final = object()
"""The value of a container that was entered, given behind all of its parts."""

_DEEPEST_ENTERED = 12
_MARK = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")


class Part(NamedTuple):
    """A part of the document."""

    place: Place
    path: Path
    value: object


def walk(text: bytes, enters: Callable[[Path], bool]) -> Iterator[Part]:
    """Give every part in order; containers whose path `enters` are not given but entered, then end with `END`.

    Raises ValueError with line and column where the text is not JSON.
    """
    decoded = _decode(text)
    try:
        yield from _Walker(decoded, enters).document()
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: not JSON: {_message(error)}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None


def decode_line(line: str) -> object:
    """Decode a line that is a JSON document of its own. Raises ValueError with the column."""
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at column {error.colno}: {_message(error)}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None


def as_text(value: object) -> str:
    """Give a scalar as text, a list's scalars with commas between; nothing for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(item for item in value if isinstance(item, str) and item)
    return ""


def text_of(entry: Mapping[str, object], *keys: str) -> str:
    """Give the first of an entry's keys that says something, as text."""
    for key in keys:
        value = entry.get(key)
        text = value if isinstance(value, str) else as_text(value)
        if text:
            return text
    return ""


def as_entry(value: object) -> dict[str, object]:
    """Give an object as it is, and anything else as one without keys."""
    return value if isinstance(value, dict) else {}


def _decode(text: bytes) -> str:
    text = text.removeprefix(_MARK)
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = len(text[text.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        raise ValueError(f"line {line}, column {column}: not UTF-8") from None


def _message(error: json.JSONDecodeError) -> str:
    """Give the message as it stands behind a place."""
    return error.msg.removesuffix(" starting at")


def _no_constant(name: str) -> object:
    raise ValueError(f"not JSON: {name} is no number")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)


class _Walker:
    """The place in the text. Offsets only grow, so that lines are counted once."""

    def __init__(self, text: str, enters: Callable[[Path], bool]) -> None:
        self._text = text
        self._enters = enters
        self._counted = 0
        self._line = 1
        self._line_start = 0

    def document(self) -> Generator[Part, None, None]:
        end = self._skip((yield from self._parts((), self._skip(0))))
        if end != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, end)

    def _parts(self, path: Path, start: int) -> Generator[Part, None, int]:
        """Give the value at `start`, or what is in it; return where it ends."""
        is_container = self._text.startswith(("{", "["), start)
        if is_container and len(path) < _DEEPEST_ENTERED and self._enters(path):
            return (yield from self._inside(path, start))
        value, end = self._value(start)
        yield Part(self._place(start), path, value)
        return end

    def _inside(self, path: Path, start: int) -> Generator[Part, None, int]:
        is_object = self._text[start] == "{"
        closer = "}" if is_object else "]"
        place = self._place(start)
        at = self._skip(start + 1)
        while not self._text.startswith(closer, at):
            step = ELEMENT
            if is_object:
                step, at = self._key(at)
            at = self._skip((yield from self._parts((*path, step), at)))
            if self._text.startswith(closer, at):
                break
            at = self._skip(self._pass(",", at))
            if self._text.startswith(closer, at):
                raise json.JSONDecodeError("Illegal trailing comma before end", self._text, at)
        yield Part(place, path, END)
        return at + 1

    def _key(self, at: int) -> tuple[str, int]:
        if not self._text.startswith('"', at):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, at)
        key, end = self._value(at)
        return str(key), self._skip(self._pass(":", self._skip(end)))

    def _value(self, at: int) -> tuple[object, int]:
        return _DECODER.raw_decode(self._text, at)

    def _pass(self, mark: str, at: int) -> int:
        if not self._text.startswith(mark, at):
            raise json.JSONDecodeError(f"Expecting '{mark}' delimiter", self._text, at)
        return at + 1

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _place(self, offset: int) -> Place:
        lines = self._text.count("\n", self._counted, offset)
        if lines:
            self._line += lines
            self._line_start = self._text.rfind("\n", self._counted, offset) + 1
        self._counted = offset
        return place_at(self._line, offset - self._line_start + 1)
