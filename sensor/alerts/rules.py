"""The one table of rules: names and numbers never change meaning and are never used again."""

from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module


class Severity(IntEnum):
    """How urgent an alert is; the words are the same in log, metric and console."""

    HIGH = 1
    MEDIUM = 2
    LOW = 3
    INFO = 4

    @property
    def word(self) -> str:
        """`high`, `medium`, `low` or `info`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to alert."""

    name: str
    number: int
    severity: Severity
    category: str
    meaning: str
    raised: bool

    @property
    def family(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]


_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_C2 = "Malware Command and Control Activity Detected"
_TROJAN = "A Network Trojan was detected"
_ABUSE = "Potential Corporate Privacy Violation"
_WEB = "Web Application Attack"
_SCAN = "Detection of a Network Scan"
_LOGIN = "Attempted User Privilege Gain"
_PHISHING = "Possible Social Engineering Attempted"
_SENSOR = "Sensor Health"

# A row's place is its number: append only, in the order of the interface document.
_TABLE: tuple[tuple[str, Severity, str, str, bool], ...] = (
    ("watchlist.ip", _HIGH, _C2, "A flow met an address, network or address and port of a watchlist.", True),
    ("watchlist.domain", _HIGH, _C2, "A host asked for or contacted a name of a watchlist.", True),
    ("watchlist.url", _HIGH, _C2, "A host requested a URL of a watchlist.", True),
    ("watchlist.ja4", _HIGH, _C2, "A TLS client showed a fingerprint of a watchlist.", True),
    ("watchlist.retro", _HIGH, _C2, "A new indicator was met in the past, as the history shows.", True),
    ("smtp.bulk", _HIGH, _TROJAN, "A host that is no mail server opens mail connections in bulk.", True),
    ("smtp.fanout", _MEDIUM, _TROJAN, "A host that is no mail server talks to many mail servers on port 25.", True),
    ("smtp.rejects", _HIGH, _TROJAN, "Mail servers turn away many of a host's connections at once.", True),
    ("mail.campaign", _HIGH, _PHISHING, "One sender or source sends the same mail to many mailboxes.", True),
    ("mail.bruteforce", _HIGH, _LOGIN, "Many failed logins to mailboxes from one source.", True),
    ("mail.spoofed-sender", _MEDIUM, _PHISHING, "A mail from outside names a sender of the own domains.", True),
    ("mail.watchlisted-url", _HIGH, _PHISHING, "A mail holds a URL of a watchlist.", True),
    ("mail.clicked-url", _HIGH, _PHISHING, "A host requested a URL that a suspicious mail held.", True),
    ("web.sqli", _HIGH, _WEB, "A web request carries SQL.", True),
    ("web.xss", _MEDIUM, _WEB, "A web request carries script.", True),
    ("web.traversal", _HIGH, _WEB, "A web request climbs out of the web root.", True),
    ("web.command-injection", _HIGH, _WEB, "A web request carries a shell command.", True),
    ("web.webshell", _HIGH, _WEB, "A web server answers like a webshell.", True),
    ("web.bruteforce", _MEDIUM, _LOGIN, "Many failed web logins from one source.", True),
    ("web.scanner", _LOW, _SCAN, "One source tries many paths that are not there.", True),
    ("host.beacon", _MEDIUM, _C2, "A host contacts one remote end at a machine's regular pace.", True),
    ("mirror.silent", _HIGH, _SENSOR, "No frame arrives from a mirror port, or its interface is down.", True),
    ("mirror.one-sided", _MEDIUM, _SENSOR, "The mirror shows one direction of the traffic only.", True),
    ("mirror.duplicates", _LOW, _SENSOR, "The mirror shows packets more than once.", True),
    ("mirror.truncated", _MEDIUM, _SENSOR, "The mirror cuts packets short.", True),
    ("mirror.loss", _MEDIUM, _SENSOR, "Sequence numbers or TCP show packets lost on the way to the sensor.", True),
    ("mirror.degraded", _MEDIUM, _SENSOR, "Something expected is missing, frames are merged, or a port is full.", True),
    ("sensor.kernel-drops", _MEDIUM, _SENSOR, "The kernel dropped frames because the sensor was too slow.", True),
    ("sensor.ring-loss", _MEDIUM, _SENSOR, "Frames were analysed but not stored in the packet ring.", True),
    ("sensor.list-stale", _MEDIUM, _SENSOR, "A list or configuration cannot be read, the last good one serves.", True),
    ("sensor.table-full", _MEDIUM, _SENSOR, "The flow or host table was full and gave up entries.", True),
)  # fmt: skip

FIRST_NUMBER = 8_000_001

RULES: tuple[Rule, ...] = tuple(
    Rule(name, number, severity, category, meaning, raised)
    for number, (name, severity, category, meaning, raised) in enumerate(_TABLE, start=FIRST_NUMBER)
)

BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}

if __name__ == "__main__":
    # By name, because the page also tells of incidents, which need the rules.
    print(import_module("sensor.alerts.reference").reference(), end="")
