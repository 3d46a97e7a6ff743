"""What the judge has said of senders and subjects, gathered for whoever shows mails beside it."""

from collections.abc import Iterable

from sensor.alerts.rows import JudgedRow
from sensor.alerts.rules import Severity
from sensor.mail.wording import bare_subject

MOST_REMEMBERED = 20_000
"""Senders, and subjects, that are remembered as accused."""


class Verdicts:
    """Who pretends to be inside, and whose mails or which subjects are phishing; senders in small letters."""

    def __init__(self) -> None:
        """Nobody is accused."""
        self._pretenders: set[str] = set()
        self._senders: set[str] = set()
        self._subjects: set[str] = set()

    def take(self, judged: Iterable[JudgedRow]) -> None:
        """Take judgements of `sensor.mail.judge`; what is of low severity accuses nobody."""
        for row in judged:
            if row["severity"] > Severity.MEDIUM:
                continue
            match row["rule"]:
                case "mail.spoofed-sender":
                    _remember(self._pretenders, row["context"]["sender"])
                case "mail.watchlisted-url":
                    _remember(self._senders, row["context"]["sender"])
                case "mail.campaign" if row["context"]["by"] == "sender":
                    _remember(self._senders, row["subject"])
                case "mail.campaign":
                    _remember(self._subjects, bare_subject(row["context"]["mail_subject"]))

    def is_spoofed(self, sender: str) -> bool:
        """Whether a mail of this sender came from outside and pretended to come from inside."""
        return sender in self._pretenders

    def accuse(self, sender: str, subject: str) -> bool:
        """Whether mails of this sender and subject are taken for an attack, if anything leads out of them."""
        return self.is_spoofed(sender) or sender in self._senders or bare_subject(subject) in self._subjects


def _remember(known: set[str], text: str) -> None:
    if text and len(known) < MOST_REMEMBERED:
        known.add(text)
