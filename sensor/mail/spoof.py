"""Mail from outside that pretends to come from inside."""

from collections import OrderedDict
from collections.abc import Iterator
from ipaddress import ip_address

from sensor.alerts.rules import Severity
from sensor.alerts.text import escape
from sensor.config.fields import Network
from sensor.mail.domains import OwnDomains
from sensor.mail.letter import Letter, domain_of, within
from sensor.mail.rows import MailRow
from sensor.mail.wording import related

MOST_NAMES = 10_000
"""Names of colleagues that are remembered."""

_FEWEST_CHARACTERS = 5


class Pretences:
    """Tells what a mail pretends: reasons for people, with their severity, the gravest first."""

    def __init__(self, own: OwnDomains, trusted: tuple[Network, ...]) -> None:
        self._own = own
        self._trusted = trusted
        self._colleagues: OrderedDict[str, str] = OrderedDict()

    def learn_colleague(self, row: MailRow) -> None:
        """Learn the name under which somebody inside writes."""
        name = _plain(row["from_name"])
        if len(name) >= _FEWEST_CHARACTERS and " " in name and self._own.owns(row["from_address"]):
            self._colleagues[name] = row["from_address"].casefold()
            self._colleagues.move_to_end(name)
            if len(self._colleagues) > MOST_NAMES:
                self._colleagues.popitem(last=False)

    def of(self, letter: Letter) -> list[tuple[Severity, str]]:
        """Give what a mail from outside pretends, the gravest first; nothing if it may send so."""
        if letter.row["user"] or within(ip_address(letter.origin), self._trusted):
            return []
        return sorted(self._reasons(letter), key=lambda reason: reason[0])

    def _reasons(self, letter: Letter) -> Iterator[tuple[Severity, str]]:
        header, envelope = letter.row["from_address"].casefold(), letter.envelope
        if not header and letter.known_sender:
            return
        if self._own.owns(header) and not _returned_by_a_list(letter, self._own):
            agrees = envelope == header or not letter.row["mail_from"]
            beside = "" if agrees else f", the envelope says {escape(envelope)}"
            yield Severity.MEDIUM, f"{escape(header)} is of an own domain{beside}"
        elif self._own.owns(envelope):
            yield Severity.MEDIUM, f"the envelope's {escape(envelope)} is of an own domain, From is {escape(header)}"
        elif header:
            yield from self._imitations(letter, header)

    def _imitations(self, letter: Letter, header: str) -> Iterator[tuple[Severity, str]]:
        domain = domain_of(header)
        imitated = self._own.imitated_by(domain)
        if imitated:
            yield Severity.MEDIUM, f"{escape(domain)} is all but {escape(imitated)}"
        shown = letter.row["from_name"]
        address = next((word.strip("<>()[]\"',;") for word in shown.split() if "@" in word), "")
        if address and self._own.owns(address):
            yield Severity.MEDIUM, f'the name "{escape(shown)}" shows an own address, From is {escape(header)}'
        colleague = self._colleagues.get(_plain(shown))
        if colleague:
            yield Severity.LOW, f'"{escape(shown)}" is the name of {escape(colleague)}, From is {escape(header)}'


def _returned_by_a_list(letter: Letter, own: OwnDomains) -> bool:
    """Whether a mailing list outside sends a member's mail to the others: it says which list, and sends as itself."""
    listed = letter.row["list_id"].casefold().rpartition("<")[2].partition(">")[0]
    sender = domain_of(letter.envelope)
    return bool(sender) and not own.owns(letter.envelope) and related(listed.rpartition("@")[2], sender)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
