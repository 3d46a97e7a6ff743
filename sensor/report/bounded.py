"""Tables and sets that stop growing, and say so."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

MOST_GROUPS = 20_000
"""Rows of one section at most."""

MOST_MEMBERS = 20_000
"""Members of one list in a row at most."""


class Groups(dict[_K, _V], Generic[_K, _V]):
    """A dictionary with room for `most` keys; `left_out` counts what found none."""

    def __init__(self, most: int = MOST_GROUPS) -> None:
        """It is empty."""
        super().__init__()
        self._most = most
        self.left_out = 0

    def reach(self, key: _K, make: Callable[[], _V]) -> _V | None:
        """Give the value of a key, made if it is new; None if there is no room for it."""
        value = self.get(key)
        if value is None:
            if len(self) >= self._most:
                self.left_out += 1
                return None
            value = self[key] = make()
        return value


class Members(dict[str, None]):
    """A set of texts in the order in which they came, with room for 20,000."""

    def add(self, texts: Iterable[str]) -> None:
        """Take those that are not empty."""
        for text in texts:
            if text and len(self) < MOST_MEMBERS:
                self.setdefault(text)
