"""What the API may ask of the sensor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from sensor.metrics import Scrape

FEWEST_ROWS, MOST_ROWS = 1, 10_000
DEFAULT_LIMIT = "100"
_LONGEST_FILTER = 200
_LONGEST_ORDER = 40


class UnknownError(LookupError):
    """The sensor knows nothing of what was asked for."""


class SensorView(Protocol):
    """The running sensor as the API sees it; every method may be called from any thread."""

    def scrape(self) -> Scrape:
        """Take a snapshot for the metrics."""

    def status(self) -> dict[str, Any]:
        """Say how the sensor is: at least `healthy` and `problems`."""

    def alive(self) -> bool:
        """Whether every worker advances."""

    def flows(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live flows, each with the end that is `local`; ValueError."""

    def hosts(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live hosts; ValueError."""

    def sums(self, limit: int) -> dict[str, list[dict[str, Any]]]:
        """Give `remotes` and `vlans`, all live flows summed up, the fastest `limit` of each; out is from the hosts."""

    def open_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the open incidents, the latest first; only the first `most` of them."""

    def closed_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the incidents that were closed, the last closed first; only the first `most` of them."""


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A checked question for rows of a table."""

    PARAMETERS: ClassVar = frozenset({"filter", "order", "limit"})

    filter_text: str
    order: str
    limit: int

    @classmethod
    def parse(cls, asked: Mapping[str, str]) -> "TableQuery":
        """Check the parameters; ValueError says what is wrong. The core checks what filter and order mean."""
        filter_text, order = asked.get("filter", ""), asked.get("order", "")
        if len(filter_text) > _LONGEST_FILTER or not filter_text.isprintable():
            raise ValueError(f"filter: at most {_LONGEST_FILTER} printable characters")
        if len(order) > _LONGEST_ORDER or not (order == "" or order.isidentifier()):
            raise ValueError("order: one word")
        return cls(filter_text, order, parse_limit(asked.get("limit", DEFAULT_LIMIT)))


def parse_limit(text: str) -> int:
    """Check how many rows are asked for at most; ValueError says what is wrong."""
    if not (text.isascii() and text.isdigit() and FEWEST_ROWS <= int(text[:9]) <= MOST_ROWS):
        raise ValueError(f"limit: a whole number from {FEWEST_ROWS} to {MOST_ROWS}")
    return int(text)
