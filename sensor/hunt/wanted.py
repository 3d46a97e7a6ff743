"""What is looked for: indicators from words and lists, in the one form that the core gives them."""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from sensor._native import Watchlists
from sensor.alerts.text import counted
from sensor.config.detection import WatchlistSource
from sensor.hunt.defang import refang
from sensor.watchlist.load import CoreList, ListFile, ListText, read_list
from sensor.watchlist.store import complete

_DISK = Path("/var/tmp")  # noqa: S108  # a file without a name, or a directory of one's own, is made in it
_COMMAND_LINE = "command line"
_MAIL = re.compile(r"[^\s@:/<>\",;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HASH = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64}")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")


class Wanted(NamedTuple):
    """One thing to look for; `kind` is a type of watchlists, or `mail`, `hash` or `port`.

    `network` is what an address must lie in, `port` that end's. `direction` says who opens: `any`, `out`, `in`. What
    an entry with `allow` matches is not reported.
    """

    number: int
    kind: str
    indicator: str
    network: str | None = None
    port: int | None = None
    proto: str | None = None
    direction: str = "any"
    allow: bool = False


class WantedSet:
    """All that one hunt looks for: in a file, of the lines that the core writes, since lists have millions of entries.

    `refused` is what was refused on the way, a line for people each.
    """

    def __init__(self, file: IO[bytes] | None = None) -> None:
        """Without a file of what is looked for there is nothing yet. OSError: there is no place for it."""
        self._file = file or tempfile.TemporaryFile(dir=on_disk())  # noqa: SIM115  # open as long as this is
        self._size = 0
        self.refused: list[str] = []

    def __len__(self) -> int:
        """Give how many were added here."""
        return self._size

    @property
    def path(self) -> Path:
        """Where this process opens the file, which has no name of its own."""
        return Path(f"/proc/self/fd/{self._file.fileno()}")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def entries(self) -> Iterator[Wanted]:
        """Read what is looked for, one by one."""
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                number, kind, indicator, network, port, proto, direction, allow = line.rstrip("\n").split("\t")
                ends = (network or None, int(port) if port else None, proto or None)
                yield Wanted(int(number), kind, indicator, *ends, direction, allow == "true")

    def add_port(self, port: int) -> None:
        """Look for connections to this port outside, whatever the address."""
        self._add("port", f"port {port}", port)

    def add_words(self, words: Iterable[str]) -> None:
        """Take indicators as people write them, also defanged. What is none goes to `refused`."""
        plain = [" ".join(word.split()) for word in map(refang, words) if not self._add_other(word)]
        text = "\n".join(plain).encode(errors="replace")
        compiled = Watchlists.compile([(_COMMAND_LINE, "plain", text, 1)])
        self.refused += [f"{plain[line - 1]}: {reason}" for line, _, reason in compiled.lists[0]["refused"]]
        self.add_compiled(compiled)

    def add_file(self, path: Path) -> None:
        """Take a list in any format of watchlists. Raises ListError if it cannot be used as a whole."""
        listed = read_list(ListFile(path, WatchlistSource(path=path)))
        compiled = Watchlists.compile([listed.core])
        others = self._add_others(listed)
        summary = complete(compiled.lists[0], listed)  # type: ignore[arg-type]
        refused = summary["refused_total"] - others
        if refused:
            first = next(((line, why) for line, _, why in summary["refused"] if not _is_other(listed, line)), None)
            where = f", the first in line {first[0]}: {first[1]}" if first else ""
            self.refused.append(f"{path}: {counted(refused, 'entry', 'entries')} not looked for{where}")
        self.add_compiled(compiled)

    def add_compiled(self, compiled: Watchlists) -> None:
        """Take the entries of compiled lists."""
        self._size += compiled.write_entries(self.path, self._size)

    def _add_others(self, listed: ListText) -> int:
        """Take mail addresses and hashes, which no packet shows by itself, out of a plain list."""
        if listed.format != "plain":
            return 0
        lines = listed.text.decode(errors="replace").splitlines()
        return sum(self._add_other(line.partition("#")[0].strip()) for line in lines)

    def _add_other(self, word: str) -> bool:
        if _MAIL.fullmatch(word):
            self._add("mail", word.lower())
        elif _HASH.fullmatch(word):
            self._add("hash", word.lower())
        elif _SHA1.fullmatch(word):
            self.refused.append(f"{word}: files are known by SHA-256, texts of mails by MD5; SHA-1 is not kept")
        else:
            return False
        return True

    def _add(self, kind: str, indicator: str, port: int | None = None) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{self._size}\t{kind}\t{indicator}\t\t{port or ''}\t\tany\tfalse\n")
        self._size += 1


def _is_other(listed: ListText, line: int) -> bool:
    if listed.format != "plain":
        return False
    text = listed.text.split(b"\n")[line - 1].decode(errors="replace").partition("#")[0].strip()
    return any(pattern.fullmatch(text) for pattern in (_MAIL, _HASH, _SHA1))


def on_disk() -> Path | None:
    """Give the directory for what memory cannot hold: /tmp is memory itself on many systems."""
    return _DISK if os.access(_DISK, os.W_OK | os.X_OK) else None


def compiled_urls(urls: Iterable[str]) -> Watchlists:
    """Compile URLs alone, so that the core says which of them a request or a link is."""
    text = "\n".join(urls).encode()
    lists: list[CoreList] = [("urls", "plain", text, 1)]
    return Watchlists.compile(lists)
