"""Capture files, opened."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from sensor.library.records import KINDS, DnsMessage, Flow, HttpExchange, QuicHello, SshBanners, TlsHello
from sensor.library.run import Pass
from sensor.library.settings import reading_settings
from sensor.library.tables import Table
from sensor.mail.rows import LoginRow, MailRow

if TYPE_CHECKING:
    from sensor._native import RecordBatch
    from sensor.engine import Batch

Record = Flow | DnsMessage | TlsHello | QuicHello | HttpExchange | SshBanners
Told = Record | MailRow | LoginRow
"""What `Capture.records` gives."""

_ROWS: "dict[str, Callable[[Batch], Sequence[MailRow | LoginRow]]]" = {
    "mail": lambda batch: batch.mails,
    "login": lambda batch: batch.logins,
}
_COLUMNS: "dict[str, Callable[[Batch], RecordBatch | None]]" = {
    "mail": lambda batch: batch.mail_records,
    "login": lambda batch: batch.login_records,
}
"""The kinds that come with what is judged, and nest lists: as dictionaries, and as columns."""

ALL_KINDS = (*KINDS, *_ROWS)
"""The kinds of records, in the order of their tables."""

_R = TypeVar("_R", Flow, DnsMessage, TlsHello, QuicHello, HttpExchange, SshBanners)


def open_capture(
    *files: str | PathLike[str],
    filter: str = "",  # noqa: A002  # as everywhere else
    networks: Iterable[str] = (),
    strict: bool = True,
) -> "Capture":
    """Open pcap and pcapng files, also in gzip, zstd or lz4; several are merged by time.

    `filter` is BPF, `networks` are those that are internal, the private ones if none are given. A damaged file gives
    what stands before the damage and then raises ValueError; without `strict`, `Capture.problems` says what is wrong.
    Raises FileNotFoundError and other OSError of a file that cannot be opened, ValueError for a wrong network.
    """
    paths = [fspath(file) for file in files]
    if not paths:
        raise ValueError("no file to open")
    for path in paths:
        with Path(path).open("rb"):
            pass
    return Capture(reading_settings(paths, filter, networks), strict=strict)


class Capture:
    """Capture files whose records can be gone through, in bounded memory, or had as Arrow tables.

    Each call reads the files from their beginning; `records` gives several kinds in one pass. Raises ValueError when a
    file is no capture or is damaged, naming file and place.
    """

    def __init__(self, settings: dict[str, Any], *, strict: bool) -> None:
        """`sensor.open` is the way to make one."""
        self._settings = settings
        self._strict = strict
        self._passes: list[Pass] = []
        self.problems: list[str] = []
        """What is wrong with the files, as far as the last complete pass saw."""

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the passes that were not gone through to their end."""
        self.close()

    def close(self) -> None:
        """Stop the passes that were not gone through to their end."""
        while self._passes:
            self._passes.pop().close()

    def flows(self) -> Iterator[Flow]:
        """Give flows as they end; a long one has a record every five minutes."""
        return self._of(Flow, "flow")

    def dns(self) -> Iterator[DnsMessage]:
        """Give DNS questions and answers."""
        return self._of(DnsMessage, "dns")

    def tls(self) -> Iterator[TlsHello]:
        """Give the beginnings of TLS connections."""
        return self._of(TlsHello, "tls")

    def quic(self) -> Iterator[QuicHello]:
        """Give the beginnings of QUIC connections."""
        return self._of(QuicHello, "quic")

    def http(self) -> Iterator[HttpExchange]:
        """Give HTTP requests with their responses."""
        return self._of(HttpExchange, "http")

    def ssh(self) -> Iterator[SshBanners]:
        """Give the beginnings of SSH connections."""
        return self._of(SshBanners, "ssh")

    def mails(self) -> Iterator[MailRow]:
        """Give mail transactions (SMTP) and mails read (POP3, IMAP), with their decoded messages."""
        return cast("Iterator[MailRow]", self.records("mail"))

    def logins(self) -> Iterator[LoginRow]:
        """Give the attempts to log in to mail and web servers."""
        return cast("Iterator[LoginRow]", self.records("login"))

    def records(self, *kinds: str) -> Iterator[Told]:
        """Give records of several kinds in one pass: `flow`, `dns`, `tls`, `quic`, `http`, `ssh`, `mail`, `login`.

        ValueError: there is no such kind.
        """
        _check_kinds(kinds)
        return self._records(kinds)

    def _records(self, kinds: tuple[str, ...]) -> Iterator[Told]:
        rows = [_ROWS[kind] for kind in kinds if kind in _ROWS]
        for news, batches in self._news([kind for kind in kinds if kind in KINDS]):
            for row in rows:
                yield from row(news)
            for kind, batch in batches:
                yield from map(cast("Any", KINDS[kind])._make, zip(*batch.columns(), strict=True))

    def batches(self, kind: str) -> "Iterator[RecordBatch]":
        """Give the records of a kind as Arrow record batches of a few thousand rows, as they come."""
        _check_kinds((kind,))
        return (batch for _, batch in self._batches((kind,)))

    def arrow(self, kind: str) -> Table:
        """Give all records of a kind as one Arrow table, which is held in memory."""
        return self.tables(kind)[kind]

    def tables(self, *kinds: str) -> dict[str, Table]:
        """Give all records of these kinds, or of all there are, as Arrow tables out of one pass."""
        from sensor._native import empty_records  # noqa: PLC0415  # late, as everything of the core

        wanted = kinds or ALL_KINDS
        _check_kinds(wanted)
        gathered: dict[str, list[RecordBatch]] = {kind: [] for kind in wanted}
        for kind, batch in self._batches(wanted):
            gathered[kind].append(batch)
        return {kind: Table(batches or [empty_records(kind)]) for kind, batches in gathered.items()}

    def _of(self, record: type[_R], kind: str) -> Iterator[_R]:
        make = cast("Any", record)._make
        for _, batch in self._batches((kind,)):
            yield from map(make, zip(*batch.columns(), strict=True))

    def _batches(self, kinds: Sequence[str]) -> "Iterator[tuple[str, RecordBatch]]":
        for news, records in self._news([kind for kind in kinds if kind in KINDS]):
            yield from records
            for kind in kinds:
                columns = _COLUMNS[kind](news) if kind in _COLUMNS else None
                if columns is not None and len(columns):
                    yield kind, columns

    def _news(self, kinds: Sequence[str]) -> "Iterator[tuple[Batch, list[tuple[str, RecordBatch]]]]":
        reading = Pass(self._settings, kinds)
        self._passes.append(reading)
        try:
            yield from reading.news()
            self.problems = reading.problems()
        finally:
            if reading in self._passes:
                self._passes.remove(reading)
                reading.close()
        if self._strict and self.problems:
            raise ValueError("; ".join(self.problems))


def _check_kinds(kinds: Collection[str]) -> None:
    unknown = [kind for kind in kinds if kind not in ALL_KINDS]
    if unknown or not kinds:
        raise ValueError(f"records are of {', '.join(ALL_KINDS)}, not of {', '.join(unknown) or 'no kind'}")
