"""`mail.clicked-url`: somebody inside asks for what a suspicious mail holds, before or after it is known to be one."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sensor.alerts.rows import JudgedRow
from sensor.alerts.rules import Severity
from sensor.alerts.text import NS_PER_SECOND, escape
from sensor.mail.finding import Finding
from sensor.mail.letter import Letter
from sensor.mail.rows import ClickRow

MOST_HOSTS = 20_000
"""Hosts of links that are remembered; beyond that the one that was not met for longest is forgotten."""

_MOST_CLICKS = 200
_LEARNING_NS = 3600 * NS_PER_SECOND


@dataclass(slots=True)
class Suspect:
    """The host of links: which mail held it, what speaks against that, and who asked for it."""

    sender: str
    subject: str
    bulk: bool
    severity: Severity | None = None
    reason: str = ""
    clicks: list[ClickRow] = field(default_factory=list)
    protocols: dict[str, dict[str, None]] = field(default_factory=dict)


class Clicks:
    """Knows hosts of links by the mails that held them."""

    def __init__(self, most: int = MOST_HOSTS) -> None:
        self._most = most
        self._suspects: OrderedDict[str, Suspect] = OrderedDict()
        self._begin_ns: int | None = None

    def learn(self, letter: Letter) -> None:
        """Remember the hosts of a mail's links."""
        if self._begin_ns is None:
            self._begin_ns = letter.time_ns
        for host in letter.hosts:
            suspect = self._suspects.get(host)
            if suspect is None:
                self._suspects[host] = Suspect(letter.sender, letter.subject, letter.is_bulk)
                if len(self._suspects) > self._most:
                    self._suspects.popitem(last=False)
            else:
                suspect.bulk = suspect.bulk and letter.is_bulk
                self._suspects.move_to_end(host)

    def accuse(self, hosts: Iterable[str], letter: Letter, severity: Severity, reason: str) -> Iterator[JudgedRow]:
        """Something speaks against the mails with these hosts; gives who has asked for them already."""
        for host in hosts:
            suspect = self._suspects.get(host)
            if suspect is None or (suspect.severity is not None and suspect.severity <= severity):
                continue
            suspect.severity, suspect.reason = severity, reason
            suspect.sender, suspect.subject = letter.sender, letter.subject
            for click in suspect.clicks:
                yield from self._judge(click, suspect)

    def take(self, click: ClickRow) -> Iterator[JudgedRow]:
        """Judge that somebody asks for the host of a link."""
        suspect = self._suspects.get(click["host"])
        if suspect is None:
            return
        if len(suspect.clicks) < _MOST_CLICKS:
            suspect.clicks.append(click)
            suspect.protocols.setdefault(click["src_ip"], {})[click["protocol"]] = None
        yield from self._judge(click, suspect)

    def _judge(self, click: ClickRow, suspect: Suspect) -> Iterator[JudgedRow]:
        severity, reason = suspect.severity, suspect.reason
        if severity is None:
            if suspect.bulk or self._is_learning(click):
                return
            severity, reason = Severity.LOW, "nobody here had asked for it before the mail"
        # Where people went before, only the very link tells that they come from a mail; and it must be a grave one.
        if click["visited_before"] and not (click["exact"] and suspect.severity is Severity.HIGH):
            return
        host = escape(click["host"])
        target = escape(click["target"])
        protocols = list(suspect.protocols.get(click["src_ip"], {click["protocol"]: None}))
        yield Finding(
            rule="mail.clicked-url",
            severity=severity,
            host=click["src_ip"],
            subject=click["host"],
            text=f"asked for {host}{target} ({', '.join(protocols)}), a link in mail of {escape(suspect.sender)}",
            notes=[f'"{escape(suspect.subject)}"', reason],
            remote="" if click["protocol"] == "dns" else click["dest_ip"],
            context={
                "url_host": click["host"],
                "target": click["target"],
                "exact": click["exact"],
                "sender": suspect.sender,
                "mail_subject": suspect.subject,
                "reason": reason,
            },
        ).row(click)

    def _is_learning(self, click: ClickRow) -> bool:
        """Whether too little was seen before the mail to say that nobody goes there."""
        return self._begin_ns is None or click["mail_ns"] - self._begin_ns < _LEARNING_NS or click["visited_before"]
