"""What the API may ask of the sensor."""

from dataclasses import dataclass
from typing import Any, Protocol

from sensor.metrics import Scrape

FEWEST_ROWS, MOST_ROWS = 1, 10_000
_LONGEST_FILTER = 200
_LONGEST_ORDER = 40


class SensorView(Protocol):
    """The running sensor as the API sees it; every method may be called from any thread."""

    def scrape(self) -> Scrape:
        """Take a snapshot for the metrics."""

    def status(self) -> dict[str, Any]:
        """Say how the sensor is: at least `healthy` and `problems`."""

    def alive(self) -> bool:
        """Whether every worker advances."""

    def flows(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live flows; ValueError."""

    def hosts(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live hosts; ValueError."""

    def open_incidents(self) -> list[dict[str, Any]]:
        """Give the open incidents."""


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A checked question for rows of a table."""

    filter_text: str
    order: str
    limit: int

    @classmethod
    def parse(cls, filter_text: str, order: str, limit: str) -> "TableQuery":
        """Check the texts of a question; ValueError says what is wrong. The core checks whether the column exists."""
        if len(filter_text) > _LONGEST_FILTER or not filter_text.isprintable():
            raise ValueError(f"filter: at most {_LONGEST_FILTER} printable characters")
        if len(order) > _LONGEST_ORDER or not (order == "" or order.isidentifier()):
            raise ValueError("order: one word")
        if not (limit.isascii() and limit.isdigit() and FEWEST_ROWS <= int(limit[:9]) <= MOST_ROWS):
            raise ValueError(f"limit: a whole number from {FEWEST_ROWS} to {MOST_ROWS}")
        return cls(filter_text, order, int(limit))
