"""`smtp.bulk` by mails and recipients, and `smtp.rejects` by replies: what machines inside send, if it can be read."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sensor.alerts.rules import Severity
from sensor.alerts.text import NS_PER_SECOND, counted, escape
from sensor.config.detection import Smtp
from sensor.mail.finding import Finding
from sensor.mail.letter import Letter
from sensor.mail.rows import MailRow

MOST_SENDERS = 10_000
"""Machines that are watched at once; beyond that the one that sent nothing for longest is forgotten."""

_WINDOW_NS = 600 * NS_PER_SECOND
_MOST_MAILS = 10_000
_MOST_RECIPIENTS = 100
_EXAMPLES = 3


@dataclass(slots=True)
class _Sent:
    time_ns: int
    messages: int
    recipients: tuple[str, ...]
    refused: int


@dataclass(slots=True)
class _Sender:
    mails: deque[_Sent] = field(default_factory=deque)
    recipients: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    tried: int = 0
    refused: int = 0

    def add(self, sent: _Sent) -> None:
        self.mails.append(sent)
        self._count(sent, 1)
        while self.mails[0].time_ns + _WINDOW_NS <= sent.time_ns or len(self.mails) > _MOST_MAILS:
            self._count(self.mails.popleft(), -1)

    def _count(self, sent: _Sent, sign: int) -> None:
        self.messages += sign * sent.messages
        self.tried += sign * len(sent.recipients)
        self.refused += sign * sent.refused
        for address in sent.recipients:
            self.recipients[address] += sign
            if not self.recipients[address]:
                del self.recipients[address]


class Senders:
    """The last 10 minutes of each machine inside that sends mail and is no mail server."""

    def __init__(self, config: Smtp, most: int = MOST_SENDERS) -> None:
        self._config = config
        self._most = most
        self._senders: OrderedDict[str, _Sender] = OrderedDict()

    def take(self, row: MailRow, recipients: tuple[str, ...]) -> Iterator[Finding]:
        """Count a transaction with the recipients that this mail had not gone to before."""
        host = row["src_ip"]
        sender = self._senders.setdefault(host, _Sender())
        self._senders.move_to_end(host)
        if len(self._senders) > self._most:
            self._senders.popitem(last=False)
        refused = min(len(Letter(row, "", recipients).refused), _MOST_RECIPIENTS)
        sender.add(_Sent(row["time_ns"], int(row["has_message"]), recipients[:_MOST_RECIPIENTS], refused))
        config = self._config
        if sender.messages >= config.bulk_messages or len(sender.recipients) >= config.bulk_recipients:
            text = f"{counted(sender.messages, 'mail')} to {counted(len(sender.recipients), 'recipient')} in 600 s"
            yield _finding("smtp.bulk", "by mails", sender, row, text)
        if sender.tried >= config.reject_recipients and sender.refused >= config.reject_ratio * sender.tried:
            text = f"{sender.refused:,} of {counted(sender.tried, 'recipient')} refused in 600 s"
            yield _finding("smtp.rejects", "by replies", sender, row, text)


def _finding(rule: str, subject: str, sender: _Sender, row: MailRow, text: str) -> Finding:
    envelope = row["mail_from"] or row["from_address"]
    notes = [f"as {escape(envelope)}"] if envelope else []
    if row["subject"]:
        notes.append(f'"{escape(row["subject"])}"')
    notes.append("to " + ", ".join(map(escape, list(sender.recipients)[:_EXAMPLES])))
    context = {"messages": sender.messages, "recipients": len(sender.recipients), "refused": sender.refused}
    return Finding(rule, Severity.HIGH, row["src_ip"], subject, text, notes, row["dest_ip"], context)
