"""Questions about incidents: which of them, in which order, how many."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar

from sensor.alerts.rules import BY_NAME, Severity
from sensor.alerts.text import NS_PER_SECOND, utc_stamp
from sensor.api.view import DEFAULT_LIMIT, SensorView, parse_limit
from sensor.config.units import parse_duration
from sensor.identity.ends import Network

Row = dict[str, Any]

STATES = ("open", "closed", "all")
_SEVERITIES = {severity.word: severity for severity in Severity}
# Each order is the largest first.
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "last": lambda row: row["last_seen"],
    "opened": lambda row: row["opened"],
    "severity": lambda row: (-_SEVERITIES[row["severity"]], row["last_seen"]),
}
_RULES = frozenset(BY_NAME) | {rule.family for rule in BY_NAME.values()}


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """A checked question. Times are texts as `utc_stamp` writes them, which sort as the times do."""

    PARAMETERS: ClassVar = frozenset({"state", "since", "rule", "severity", "host", "order", "limit"})

    state: str = "open"
    since: str = ""
    rule: str = ""
    severity: Severity = Severity.INFO
    host: Network | None = None
    order: str = "last"
    limit: int = 100

    @classmethod
    def parse(cls, asked: Mapping[str, str], now_ns: int) -> "AlertQuery":
        """Check the parameters of a question that is asked at `now_ns`; ValueError says what is wrong."""
        return cls(
            _one_of("state", asked.get("state", "open"), STATES),
            _parse_since(asked["since"], now_ns) if "since" in asked else "",
            _one_of("rule", asked["rule"], _RULES) if "rule" in asked else "",
            _SEVERITIES[_one_of("severity", asked.get("severity", "info"), _SEVERITIES)],
            _parse_host(asked["host"]) if "host" in asked else None,
            _one_of("order", asked.get("order", "last"), _ORDERS),
            parse_limit(asked.get("limit", DEFAULT_LIMIT)),
        )

    def answer(self, view: SensorView) -> list[Row]:
        """Give the incidents that fit."""
        rows = [] if self.state == "closed" else view.open_incidents()
        if self.state != "open":
            rows += view.closed_incidents()
        fitting = [row for row in rows if self._admits(row)]
        fitting.sort(key=_ORDERS[self.order], reverse=True)
        return fitting[: self.limit]

    def _admits(self, row: Row) -> bool:
        return (
            row["last_seen"] >= self.since
            and (not self.rule or self.rule in (row["rule"], row["rule"].partition(".")[0]))
            and _SEVERITIES[row["severity"]] <= self.severity
            and (self.host is None or any(_lies_in(row.get(end), self.host) for end in ("host", "remote")))
        )


def _lies_in(address: str | None, network: Network) -> bool:
    return ip_address(address) in network if address else False


def _one_of(name: str, word: str, known: "tuple[str, ...] | frozenset[str] | Mapping[str, Any]") -> str:
    if word not in known:
        shown = ", ".join(sorted(known) if isinstance(known, frozenset) else known)
        raise ValueError(f"{name}: one of {shown}")
    return word


def _parse_host(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError("host: an address or a network") from None


def _parse_since(text: str, now_ns: int) -> str:
    if text[:1].isdigit() and text[4:5] != "-":
        return utc_stamp(max(0, now_ns - round(_duration(text) * NS_PER_SECOND)))
    try:
        # Without an offset a time is taken for UTC, as all times here are.
        time = datetime.fromisoformat(text)
        seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("since: a duration such as 2h, or a time such as 2026-11-22T07:46:05Z") from None
    return utc_stamp(max(0, round(seconds * NS_PER_SECOND)))


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"since: {error}") from None
