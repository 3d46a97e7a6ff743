"""Guessed passwords: many failed logins of one source at one server, and the one that then succeeds."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from sensor.mail.rows import LoginRow

WINDOW_NS = 600 * 1_000_000_000
"""So long a failed login counts."""

_MOST_PAIRS = 10_000
_MOST_FAILURES = 1000


class Guesses(NamedTuple):
    """What a source has tried at a server in the window, and the user that it has got in as, empty if none."""

    failures: int
    users: int
    succeeded: str


@dataclass(slots=True)
class _Pair:
    failures: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_MOST_FAILURES))
    succeeded: str = ""

    def forget(self, time_ns: int) -> None:
        while self.failures and self.failures[0][0] + WINDOW_NS <= time_ns:
            self.failures.popleft()
        if not self.failures:
            self.succeeded = ""


class GuessWatch:
    """The failed logins of every source and server, mail and web apart."""

    def __init__(self, failures: int) -> None:
        """`failures` in the window are guessing."""
        self._threshold = min(failures, _MOST_FAILURES)
        self._pairs: OrderedDict[tuple[str, str, bool], _Pair] = OrderedDict()

    def take(self, row: LoginRow) -> Guesses | None:
        """Take a login; give what has been tried if it is, or ends, guessing."""
        if row["success"] is None:
            return None
        key = (row["src_ip"], row["dest_ip"], row["protocol"] == "http")
        pair = self._pairs.get(key)
        if pair is None:
            if row["success"]:
                return None
            pair = self._pairs[key] = _Pair()
            if len(self._pairs) > _MOST_PAIRS:
                self._pairs.popitem(last=False)
        self._pairs.move_to_end(key)
        pair.forget(row["time_ns"])
        if not row["success"]:
            pair.failures.append((row["time_ns"], row["user"]))
        if len(pair.failures) < self._threshold:
            return None
        if row["success"]:
            pair.succeeded = row["user"] or "somebody"
        return Guesses(len(pair.failures), len({user for _, user in pair.failures}), pair.succeeded)
