"""What the screen asks the daemon beyond the samples, and what it sorts and filters by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network

from sensor.top.cells import Row
from sensor.top.views import View

_ROWS = 100
_ROWS_TO_SEARCH = 1000
_LARGEST_PORT = 65_535
_VLAN = re.compile(r"vlan:\d{1,4}")
# What else is a word may be a name, or the beginning of an address: the daemon does not know those.
_PROTOCOLS = frozenset({"tcp", "udp", "sctp", "icmp", "icmpv6", "ipv6-icmp", "gre", "esp", "ah", "igmp", "ospf"})


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the API, asked anew with each sample."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """How a table is shown: sorted by which column, which way, and only rows that fit a filter."""

    column: int
    is_reversed: bool = False
    filter_text: str = ""

    def moved(self, view: View, by: int) -> "Choice":
        """Sort by another column, its usual way."""
        return replace(self, column=(self.column + by) % len(view.columns), is_reversed=False)


def split_filter(text: str) -> tuple[str, list[str]]:
    """Tell the terms that the daemon understands from the words that are looked for in what is shown."""
    words = text.lower().split()
    terms = [word for word in words if _is_term(word)]
    return " ".join(terms), [word for word in words if word not in terms]


def _is_term(word: str) -> bool:
    if word.isascii() and word.isdigit():
        return int(word[:6]) <= _LARGEST_PORT
    if word in _PROTOCOLS or _VLAN.fullmatch(word):
        return True
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return True


def question_of(view: View, choice: Choice) -> Question | None:
    """Give what has to be asked, None where the samples have it all."""
    column = view.columns[choice.column]
    order = "" if choice.is_reversed else column.order
    terms, words = split_filter(choice.filter_text)
    limit = str(_ROWS_TO_SEARCH if words else _ROWS)
    if view.question == "alerts":
        return Question("alerts", (("state", "all"), ("order", order or "last"), ("limit", limit)))
    if not view.question or not (terms or words or order not in ("", "rate")):
        return None
    return Question(view.question, (("filter", terms), ("order", order or "rate"), ("limit", limit)))


def arranged(view: View, choice: Choice, rows: Sequence[Row], *, asked: bool) -> list[Row]:
    """Sort rows and keep those that fit; `asked` if the daemon has filtered them by its terms already."""
    words = choice.filter_text.lower().split()
    if asked and view.question != "alerts":
        words = split_filter(choice.filter_text)[1]
    column = view.columns[choice.column]
    fitting = [row for row in rows if _fits(view, row, words)]
    fitting.sort(key=column.key, reverse=column.number != choice.is_reversed)
    return fitting[:_ROWS]


def _fits(view: View, row: Row, words: Sequence[str]) -> bool:
    if not words:
        return True
    shown = " ".join(column.text(row) for column in view.columns).lower()
    return all(word in shown for word in words)
