"""A mail as it is judged: where it came from, who sends as whom to whom, and by what it is known again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from sensor.config.fields import Address, Network
from sensor.mail.rows import MailRow
from sensor.mail.wording import host_of, is_answer, subject_key, text_key

_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9a-fA-F.:]{3,45})\]", re.IGNORECASE)
_RECEIVED_LINES = 10
PERMANENT = range(500, 600)
"""Codes of replies that no later try will change (RFC 5321, 4.2.1)."""
_ACCEPTED = range(200, 300)

_MOST_SERVERS = 1000


@dataclass(frozen=True)
class Letter:
    """A mail that came from outside, `origin` the address that it came from; addresses in small letters."""

    row: MailRow
    origin: str
    recipients: tuple[str, ...]
    """Those that nobody has counted for this mail before."""
    known_sender: str = ""
    """Who sent earlier mails of this envelope and origin; counts where the mail itself was not sent."""

    @property
    def time_ns(self) -> int:
        """Packet time of its end."""
        return self.row["time_ns"]

    @property
    def server(self) -> str:
        """Who was to take it."""
        return self.row["dest_ip"]

    @property
    def sender(self) -> str:
        """The address that a reader sees; without a message that of the envelope."""
        return (self.row["from_address"] or self.known_sender or self.envelope).casefold()

    @property
    def envelope(self) -> str:
        """The address of MAIL FROM."""
        return (self.row["mail_from"] or "").casefold()

    @property
    def subject(self) -> str:
        """The subject as it was written."""
        return self.row["subject"]

    @property
    def is_bulk(self) -> bool:
        """Whether it declares itself to be of a mailing list or newsletter."""
        return bool(self.row["list_id"])

    @property
    def links(self) -> Iterator[tuple[str, str]]:
        """Targets of its links, and what is shown for them."""
        return ((link["url"], link["shown"]) for link in self.row["urls"])

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of its links, each once, in order."""
        return tuple(dict.fromkeys(host for url, _ in self.links if (host := host_of(url))))

    @cached_property
    def text_key(self) -> str:
        """The same for mails of the same text; empty if it says too little."""
        return text_key(self.row["excerpt"], (*all_recipients(self.row), *self.row["to"]))

    @cached_property
    def subject_key(self) -> str:
        """The same for mails of the same subject with links to the same hosts, or the same files; empty without."""
        what = (*self.hosts[:5], *(item["sha256"] for item in self.row["attachments"][:5]))
        key = subject_key(self.subject)
        return " ".join((key, *what)) if key and what and not is_answer(self.subject) else ""

    @cached_property
    def refused(self) -> tuple[str, ...]:
        """Those of the recipients that were refused for good."""
        if self.row["data_code"] in PERMANENT or self.row["mail_code"] in PERMANENT:
            return self.recipients
        no = {entry["address"].casefold() for entry in self.row["rcpt_to"] if entry["code"] in PERMANENT}
        return tuple(address for address in self.recipients if address in no)


@dataclass
class Origins:
    """Tells where mail came from. `servers` are addresses that have taken mail from outside."""

    internal: tuple[Network, ...]
    configured: tuple[Network, ...] = ()
    servers: dict[str, None] = field(default_factory=dict)

    def of(self, row: MailRow) -> str:
        """Give the outside address that a mail came from, empty if it was written inside.

        What a mail server passes on, and what is read from a mailbox, came from where its latest Received field names
        an address outside; a machine that is no mail server is believed nothing.
        """
        if row["protocol"] == "smtp":
            if not row["src_internal"]:
                self._learn(row)
                return row["src_ip"]
            if not self.is_server(row["src_ip"]):
                return ""
        return next((str(address) for address in _received_from(row) if not self._inside(address)), "")

    def is_server(self, address: str) -> bool:
        """Whether an internal address is a mail server."""
        return address in self.servers or within(ip_address(address), self.configured)

    def _learn(self, row: MailRow) -> None:
        if row["dest_internal"] and row["has_message"] and len(self.servers) < _MOST_SERVERS:
            self.servers[row["dest_ip"]] = None

    def _inside(self, address: Address) -> bool:
        return address.is_loopback or within(address, self.internal)


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    return any(address in network for network in networks)


def _received_from(row: MailRow) -> Iterator[Address]:
    """Addresses in brackets in the Received fields (RFC 5321, 4.4), the newest first."""
    for line in row["received"][:_RECEIVED_LINES]:
        for text in _BRACKETED.findall(line.partition(" by ")[0]):
            try:
                yield ip_address(text)
            except ValueError:
                continue


def all_recipients(row: MailRow) -> tuple[str, ...]:
    """Give the recipients of the envelope in small letters, each once."""
    return tuple(dict.fromkeys(entry["address"].casefold() for entry in row["rcpt_to"]))


def accepted_recipients(row: MailRow) -> Iterator[str]:
    """Recipients that the server accepted, in small letters."""
    return (entry["address"].casefold() for entry in row["rcpt_to"] if entry["code"] in _ACCEPTED)


def domain_of(address: str) -> str:
    """Give the domain of an address in small letters, empty if it has none."""
    return address.rpartition("@")[2].casefold().rstrip(".") if "@" in address else ""
