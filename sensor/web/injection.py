"""SQL injections that several answers prove together, where none does alone.

A database's error for a broken statement shows that a parameter reaches the database as it was sent. Where the same
source then gets a page for a whole injection into the same parameter, the database has run it: a statement that it does
not understand would have brought the error again. An answer shorter than the error's is none: whoever turns requests
away says little.

Where statements differ only in what they compare, and the answers by nothing but whether that is true, the database has
compared. Where they ask for a wait and the answers come after it, while others come at once, it has waited.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sensor.web.rows import WebRow
from sensor.web.statement import Condition, condition_of, wait_seconds

PAGE_EVIDENCE = "answered with a page, where a broken statement brings the database's error"
CONDITION_EVIDENCE = "pages differ by whether the injected condition is true"
WAIT_EVIDENCE = "answers come as late as the statements ask for, where others come at once"

_MOST_PARAMETERS = 10_000
_SUCCESS = range(200, 300)
_ENOUGH = 2
# An excerpt that is so long is cut, and what stands behind it not known.
_WHOLE_BYTES = 200
_LEAST_WAIT_SECONDS = 1.0
_Key = tuple[str, ...]
_V = TypeVar("_V")


class Injections:
    """Remembers, by source and parameter, how statements were answered."""

    def __init__(self, most: int = _MOST_PARAMETERS) -> None:
        """Nothing is known; beyond `most` parameters the one not met for longest is forgotten."""
        self._errors: _Latest[_Errors] = _Latest(most)
        self._pages: _Latest[_Pages] = _Latest(most)
        self._delays: _Latest[_Delays] = _Latest(most)

    def learn(self, row: WebRow) -> None:
        """Learn from a finding; what an answer says without proving it is an error of the database."""
        if row["category"] != "web.sqli":
            return
        key = _key(row)
        if row["evidence"] and not row["succeeded"]:
            self._errors.reach(key, _Errors).add(row)
        condition = _condition(row)
        if condition is not None and row["page_bytes"] is not None:
            self._pages.reach((*key, condition.shape), _Pages).add(condition, row["status"], row["page_bytes"])
        if row["delay_seconds"] is not None:
            self._delays.reach(key, _Delays).add(row, row["delay_seconds"])

    def proof(self, row: WebRow) -> str:
        """Say what proves a finding that nothing proves alone, by what was learned before it or since; or nothing."""
        if row["category"] != "web.sqli" or row["succeeded"] or row["evidence"]:
            return ""
        key = _key(row)
        delays, errors, condition = self._delays.get(key), self._errors.get(key), _condition(row)
        pages = None if condition is None else self._pages.get((*key, condition.shape))
        if delays is not None and delays.prove(row):
            return WAIT_EVIDENCE
        if pages is not None and pages.differ():
            return CONDITION_EVIDENCE
        shown = row["status"] in _SUCCESS and errors is not None and row["length"] > errors.longest
        return PAGE_EVIDENCE if shown else ""


def _key(row: WebRow) -> _Key:
    return (row["src_ip"], row["dest_ip"], row["host"], row["path"], row["parameter"])


def _condition(row: WebRow) -> Condition | None:
    """Give what a statement compares, if the excerpt has all of it."""
    text = row["excerpt"]
    whole = len(text.encode()) < _WHOLE_BYTES and text.startswith(row["parameter"])
    return condition_of(text) if whole else None


class _Latest(OrderedDict[_Key, _V], Generic[_V]):
    """What is known by key, of those that were met last."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def reach(self, key: _Key, make: Callable[[], _V]) -> _V:
        value = self.get(key)
        if value is None:
            value = self[key] = make()
            if len(self) > self._most:
                self.popitem(last=False)
        self.move_to_end(key)
        return value


@dataclass(slots=True)
class _Errors:
    """How long the database's errors in a parameter were."""

    longest: int = 0

    def add(self, row: WebRow) -> None:
        self.longest = max(self.longest, row["length"])


@dataclass(slots=True)
class _Pages:
    """How statements of one shape were answered, by whether their condition is true.

    Of one shape they are of one length, too: a page that repeats them is no longer for one than for the other.
    """

    compared: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})
    page_bytes: dict[bool, int] = field(default_factory=dict)
    steady: bool = True

    def add(self, condition: Condition, status: int, page_bytes: int) -> None:
        truth = condition.truth
        alike = self.page_bytes.setdefault(truth, page_bytes) == page_bytes
        self.steady = self.steady and alike and status in _SUCCESS
        if len(self.compared[truth]) < _ENOUGH:
            self.compared[truth].add(condition.compared)

    def differ(self) -> bool:
        enough = all(len(compared) >= _ENOUGH for compared in self.compared.values())
        return self.steady and enough and self.page_bytes[True] != self.page_bytes[False]


@dataclass(slots=True)
class _Delays:
    """How late the answers in a parameter were; all in seconds."""

    waited: set[str] = field(default_factory=set)
    shortest_wait: float = float("inf")
    others: float | None = None
    usual: float | None = None

    def add(self, row: WebRow, delay: float) -> None:
        if row["usual_seconds"] is not None:
            self.usual = row["usual_seconds"]
        wait = wait_seconds(row["excerpt"])
        if wait < _LEAST_WAIT_SECONDS:
            self.others = max(delay, self.others or 0.0)
        elif delay >= wait:
            self.shortest_wait = min(wait, self.shortest_wait)
            if len(self.waited) < _ENOUGH:
                self.waited.add(row["excerpt"])

    def prove(self, row: WebRow) -> bool:
        """Whether the database has waited in this one: no other answer takes half of the shortest wait."""
        wait, delay = wait_seconds(row["excerpt"]), row["delay_seconds"]
        fast = [known for known in (self.others, self.usual) if known is not None]
        at_once = bool(fast) and max(fast) * 2 < self.shortest_wait
        waited = wait >= _LEAST_WAIT_SECONDS and delay is not None and delay >= wait
        return waited and at_once and len(self.waited) >= _ENOUGH
