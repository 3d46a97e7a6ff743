"""Who hosts are, kept across restarts in `<alerts.state>/identities.json`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from sensor.identity.table import Memory
from sensor.saved_file import SavedFile

_VERSION = 1


@dataclass(slots=True)
class _Document:
    memory: Memory
    version: int = _VERSION


def encode(memory: Memory) -> bytes:
    """Give what is remembered as JSON."""
    return _adapter().dump_json(_Document(memory))


def decode(content: bytes) -> Memory:
    """Read what was remembered; ValueError if it is none of this version."""
    document = _adapter().validate_json(content)
    if document.version != _VERSION:
        raise ValueError("another version's")
    return document.memory


@cache
def _adapter() -> TypeAdapter[_Document]:
    """Built when it is first used: commands that keep no state start faster."""
    return TypeAdapter(_Document)


class MemoryFile(SavedFile[Memory]):
    """The file of the identities."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "identities.json", decode)
