"""Packets of what is on the screen: out of the ring, into a file."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from sensor.alerts.text import HOUR, NS_PER_SECOND, counted, escape, size, stamp
from sensor.config import Config
from sensor.pcap.search import Found, PacketQuestion, PacketSearch
from sensor.top.cells import Row, foreign, local_end, remote_end

LARGEST_FILE_BYTES = 1 << 30
"""A screen is no place to fill a disk: more than this is for `spanwatch pcap`."""

_HOST_NS = HOUR * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Wanted:
    """Packets that may be written: in words, as a question, and the name of a file for them."""

    words: str
    question: PacketQuestion
    file_name: str


def of_connection(row: Row) -> Wanted:
    """Give what a connection's packets are: all since it began."""
    question = PacketQuestion(
        host=row["orig_ip"],
        peer=row["resp_ip"],
        community_id=row["community_id"],
        since_ns=row["start_ns"],
        limit_bytes=LARGEST_FILE_BYTES,
    )
    words = f"{local_end(row)} and {remote_end(row)}"
    return Wanted(words, question, _file_name(row[f"{row['local']}_ip"], row["now_ns"]))


def of_host(address: str, now_ns: int) -> Wanted:
    """Give what a host's packets are: those of the last hour."""
    since_ns = max(0, now_ns - _HOST_NS)
    question = PacketQuestion(host=address, since_ns=since_ns, limit_bytes=LARGEST_FILE_BYTES)
    return Wanted(f"{foreign(address)} since {stamp(since_ns)}", question, _file_name(address, now_ns))


def _file_name(address: str, now_ns: int) -> str:
    time = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC)
    return f"{address.replace(':', '-')}-{time:%Y%m%dT%H%M%SZ}.pcap"


def save(config: Config, wanted: Wanted, path: Path, is_stopped: Callable[[], bool]) -> str:
    """Search and write; give one line that says what was written, nothing where it was stopped.

    A file that is there already is left alone. Raises OSError or ValueError with the reason.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "is there already: choose another name", str(path))
    search = PacketSearch(config, wanted.question)

    def stop_if_asked(_: int) -> None:
        if is_stopped():
            raise _StoppedError

    try:
        found = search.write(str(path), stop_if_asked)
    except _StoppedError:
        return ""
    return _told(found, path, config)


class _StoppedError(Exception):
    """Nobody waits for the packets any more."""


def _told(found: Found, path: Path, config: Config) -> str:
    if not found["packets"]:
        text = f"nothing found in {config.pcap_ring.directory}"
    else:
        text = f"{path}: {counted(found['packets'], 'packet')}, {size(found['bytes'])}"
    if found["limited"]:
        text += f", the first {size(LARGEST_FILE_BYTES)} only: spanwatch pcap writes more"
    return "; ".join([text, *found["notes"]])


class NameScreen(ModalScreen[str | None]):
    """Asks for the name of a file; gives None if it is not wanted after all."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back", show=False)]

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        """Make the question and the line for the answer."""
        yield Static(f"packets of {escape(self._wanted.words)}: Enter writes them to", id="wanted", markup=False)
        yield Input(self._wanted.file_name, id="name", select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the name; an empty one is none."""
        self.dismiss(event.value.strip() or None)
