"""What is looked for: indicators from words and lists, in the one form that the core gives them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sensor._native import Watchlists
from sensor.alerts.text import counted
from sensor.config.detection import WatchlistSource
from sensor.hunt.defang import refang
from sensor.watchlist.load import CoreList, ListFile, ListText, read_list
from sensor.watchlist.store import complete

_COLUMNS = ["entry", "type", "indicator", "network", "port", "proto", "direction", "allow"]
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


@dataclass(slots=True)
class WantedSet:
    """All that one hunt looks for, with what was refused on the way: a line for people each."""

    entries: list[Wanted] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def urls(self) -> list[Wanted]:
        """The URLs among them."""
        return self.of("url")

    def of(self, *kinds: str) -> list[Wanted]:
        """Give the entries of these kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]

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

    def add_compiled(self, compiled: Watchlists, besides: Watchlists | None = None) -> None:
        """Take the entries of compiled lists, or those that `besides` does not ask for."""
        base = len(self.entries)
        columns = compiled.entries(besides).columns(_COLUMNS[1:])
        self.entries += [Wanted(base + place, *row) for place, row in enumerate(zip(*columns, strict=True))]

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
        self.entries.append(Wanted(len(self.entries), kind, indicator, port=port))


def _is_other(listed: ListText, line: int) -> bool:
    if listed.format != "plain":
        return False
    text = listed.text.split(b"\n")[line - 1].decode(errors="replace").partition("#")[0].strip()
    return any(pattern.fullmatch(text) for pattern in (_MAIL, _HASH, _SHA1))


def compiled_urls(urls: Sequence[Wanted]) -> Watchlists:
    """Compile URLs alone, so that the core says which of them a request or a link is."""
    text = "\n".join(entry.indicator for entry in urls).encode()
    lists: list[CoreList] = [("urls", "plain", text, 1)]
    return Watchlists.compile(lists)
