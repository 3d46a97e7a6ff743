"""What is to be cut: whose packets, of which time."""

from dataclasses import dataclass
from ipaddress import ip_address

from sensor.alerts.incident import Event, Kind
from sensor.alerts.rules import Severity
from sensor.alerts.text import NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Order:
    """The packets of an incident's host, with its remote if it has one, of a stretch of time.

    `trigger_ns` is what the packets are about: where not all may be kept, those around it are.
    """

    incident: str
    rule: str
    severity: Severity
    host: str
    remote: str
    subject: str
    opened_ns: int
    since_ns: int
    trigger_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Margins:
    """How much before and after an incident is kept."""

    before_ns: int
    after_ns: int

    @classmethod
    def of_seconds(cls, before: float, after: float) -> "Margins":
        """Take them from the configuration."""
        return cls(round(before * NS_PER_SECOND), round(after * NS_PER_SECOND))

    def order_for(self, event: Event) -> Order | None:
        """Give what an event calls for.

        The opening of an incident calls for the packets around it; its end for those that came later, if it went on for
        longer. What has no address of its own, as what is said of the mirror, calls for nothing.
        """
        if not _is_address(event.host):
            return None
        first_until_ns = event.opened_ns + self.after_ns
        if event.kind is Kind.OPEN:
            since_ns = max(0, event.opened_ns - self.before_ns)
            return _order(event, since_ns, event.opened_ns, first_until_ns)
        if event.kind is Kind.CLOSE and event.last_ns > first_until_ns:
            since_ns = first_until_ns + 1
            return _order(event, since_ns, since_ns, event.last_ns + self.after_ns)
        return None


def _order(event: Event, since_ns: int, trigger_ns: int, until_ns: int) -> Order:
    remote = event.remote if _is_address(event.remote) else ""
    return Order(
        event.incident,
        event.rule,
        event.severity,
        event.host,
        remote,
        event.subject,
        event.opened_ns,
        since_ns,
        trigger_ns,
        until_ns,
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
