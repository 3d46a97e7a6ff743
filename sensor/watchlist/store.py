"""The lists in use: each file's last good version serves on when a newer one is bad.

A list is bad when it cannot be read, is empty, has every line refused, or shrank by more than half of at least 20
entries, which is what a download that broke off looks like. `allow_empty` permits emptiness and shrinking. A file that
is gone from a glob is a list removed on purpose, unless the glob now matches nothing at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypedDict, cast

from sensor.config.detection import WatchlistSource
from sensor.config.errors import ConfigError, Problem
from sensor.watchlist.load import CoreList, ListError, ListFile, ListText, is_glob, list_files, read_list
from sensor.watchlist.table import MOST_REFUSED_TOLD

_SHRINK_MATTERS_FROM_ENTRIES = 20


class ListSummary(TypedDict):
    """What was taken of one list; `refused` holds (line, column, reason), bounded, `refused_total` counts all."""

    name: str
    entries: int
    indicators: dict[str, int]
    refused: list[tuple[int, int, str]]
    refused_total: int


class Compiled(Protocol):
    """What the core compiles lists to, `sensor._native.Watchlists`."""

    @property
    def lists(self) -> list[ListSummary]:
        """The summary of each list, in the order given."""

    def text(self, index: int) -> bytes:
        """Give what a list was compiled from."""


Compile = Callable[[list[CoreList]], Compiled]


@dataclass(frozen=True, slots=True)
class StaleList:
    """A list whose newest version is not in use."""

    name: str
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load gave: the compiled lists and what was taken of each, what is stale, and the names of lists gone."""

    watchlists: Compiled
    summaries: tuple[ListSummary, ...]
    stale: tuple[StaleList, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Good:
    """A version of a list that was found good; `compiled` has its text, so that it is kept once."""

    file: ListFile
    format: str
    severity: int
    summary: ListSummary
    compiled: Compiled
    index: int

    @property
    def core(self) -> CoreList:
        return self.file.name, self.format, self.compiled.text(self.index), self.severity


class WatchlistStore:
    """Loads lists and remembers the last good version of each file."""

    def __init__(self, compile_lists: Compile | None = None) -> None:
        """`compile_lists` is the core's compiler unless a test gives another."""
        self._compile = compile_lists or native_compile()
        self._good: dict[Path, _Good] = {}
        self._loaded_once = False

    def load(self, sources: Sequence[WatchlistSource]) -> Loaded:
        """Read and compile everything the configuration names.

        The first load raises ConfigError with every list that cannot be used. Later ones never do: they name what is
        stale, and its last good version serves on.
        """
        files, stale = self._files(sources)
        texts: dict[Path, ListText] = {}
        for file in files:
            try:
                texts[file.path] = read_list(file)
            except ListError as error:
                stale.append(StaleList(file.name, file.path, str(error)))
        compiled, good = self._compile_good(files, texts, stale)
        if stale and not self._loaded_once:
            raise ConfigError(Problem(str(item.path), None, f"list {item.name}", item.reason) for item in stale)
        removed = tuple(old.file.name for path, old in self._good.items() if path not in good)
        self._good, self._loaded_once = good, True
        summaries = tuple(item.summary for item in good.values())
        return Loaded(compiled, summaries, tuple(stale), removed)

    def _files(self, sources: Sequence[WatchlistSource]) -> tuple[list[ListFile], list[StaleList]]:
        stale: list[StaleList] = []
        try:
            files = list_files(sources)
        except ListError as error:
            files = [good.file for good in self._good.values()]
            stale = [StaleList("*", sources[0].path, str(error))]
        for source in sources:
            if is_glob(source) and not source.allow_empty and all(file.source.path != source.path for file in files):
                lost = [good.file for good in self._good.values() if good.file.source.path == source.path]
                files += lost
        return _named_once(files, stale), stale

    def _compile_good(
        self, files: Sequence[ListFile], texts: dict[Path, ListText], stale: list[StaleList]
    ) -> tuple[Compiled, dict[Path, _Good]]:
        """Compile, judge each list, and compile again with the last good version of each that was found bad."""
        compiled = self._compile([texts[file.path].core for file in files if file.path in texts])
        chosen: list[tuple[ListFile, CoreList, ListSummary]] = []
        bad = False
        summaries = iter(compiled.lists)
        for file in files:
            before = self._good.get(file.path)
            if file.path in texts:
                text = texts[file.path]
                summary = complete(next(summaries), text)
                entries_before = before.summary["entries"] if before else 0
                reason = _fault(summary, entries_before, allow_empty=file.source.allow_empty)
                if reason is None:
                    chosen.append((file, text.core, summary))
                    continue
                stale.append(StaleList(file.name, file.path, reason))
            bad = True
            if before:
                chosen.append((before.file, before.core, before.summary))
        if bad:
            compiled = self._compile([core for _, core, _ in chosen])
        good = {
            file.path: _Good(file, format_, severity, summary, compiled, index)
            for index, (file, (_, format_, _, severity), summary) in enumerate(chosen)
        }
        return compiled, good


def complete(summary: ListSummary, text: ListText) -> ListSummary:
    """Give the core's summary with the places in the feed, and with what its importer refused."""
    conversion = text.conversion
    if conversion is None:
        return summary
    by_core = ((*conversion.source(line), reason) for line, _, reason in summary["refused"])
    told = summary.copy()
    told["refused"] = sorted((*conversion.refused, *by_core))[:MOST_REFUSED_TOLD]
    told["refused_total"] += conversion.refused_total
    return told


def native_compile() -> Compile:
    """Give the core's compiler of lists."""
    from sensor._native import Watchlists  # noqa: PLC0415  # late: reading lists needs no core

    return cast("Compile", Watchlists.compile)


def _named_once(files: Sequence[ListFile], stale: list[StaleList]) -> list[ListFile]:
    """Leave out a file whose list would bear an earlier one's name: alerts and metrics could not tell them apart."""
    by_name: dict[str, ListFile] = {}
    for file in files:
        first = by_name.setdefault(file.name, file)
        if first is not file:
            stale.append(StaleList(file.name, file.path, f"{first.path} has the same list name; rename one of them"))
    return list(by_name.values())


def _fault(summary: ListSummary, entries_before: int, *, allow_empty: bool) -> str | None:
    """Say why a version of a list must not replace the one before, None if it may."""
    entries = summary["entries"]
    if not entries and summary["refused_total"]:
        line, column, reason = summary["refused"][0]
        return f"every entry is refused, the first in line {line}, column {column}: {reason}"
    if allow_empty:
        return None
    if not entries:
        return "empty; set allow_empty if that is meant"
    if entries_before >= _SHRINK_MATTERS_FROM_ENTRIES and entries * 2 < entries_before:
        return f"shrank from {entries_before} to {entries} entries; set allow_empty or restart if that is meant"
    return None
