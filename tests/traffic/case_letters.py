"""Mail as it is written and as servers speak of it: messages (RFC 5322, MIME), SMTP, POP3 and IMAP."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.header import Header
from email.utils import formatdate
from typing import NamedTuple

from sensor.demo import messages
from tests.traffic.case_scene import Scene, Talk

ACCEPTED, UNKNOWN = b"250 2.1.5 Ok", b"550 5.1.1 User unknown"


@dataclass(frozen=True)
class Letter:
    """One message. `links` are (target, shown text) and make it HTML; `headers` come before the usual ones."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    message_id: str
    name: str = ""
    date_seconds: float = 0
    charset: str = "us-ascii"
    transfer: str = "7bit"
    links: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    attachment: tuple[str, bytes] | None = None

    def encoded(self) -> bytes:
        """The message as it is sent after DATA, before dots are doubled."""
        head = [*self.headers, ("From", self._from()), ("To", ", ".join(self.recipients))]
        head += [("Subject", _word(self.subject, self.charset)), ("Date", formatdate(self.date_seconds))]
        head += [("Message-ID", f"<{self.message_id}>"), ("MIME-Version", "1.0")]
        lines = "".join(f"{name}: {value}\r\n" for name, value in head).encode("ascii")
        if self.attachment is None:
            return lines + self._body()
        return lines + self._with_attachment(*self.attachment)

    def _from(self) -> str:
        return f"{_word(self.name, self.charset)} <{self.sender}>" if self.name else self.sender

    def _body(self) -> bytes:
        text = self.text
        kind = "plain"
        if self.links:
            kind = "html"
            shown = "".join(f'<p><a href="{target}">{words}</a></p>' for target, words in self.links)
            text = f"<html><body><p>{text}</p>{shown}</body></html>\r\n"
        head = (
            f"Content-Type: text/{kind}; charset={self.charset}\r\nContent-Transfer-Encoding: {self.transfer}\r\n\r\n"
        )
        return head.encode("ascii") + _transferred(text.encode(self.charset), self.transfer)

    def _with_attachment(self, name: str, content: bytes) -> bytes:
        head = 'Content-Type: multipart/mixed; boundary="=_part"\r\n\r\n--=_part\r\n'
        attached = (
            f'\r\n--=_part\r\nContent-Type: application/octet-stream; name="{name}"\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        )
        coded = _transferred(content, "base64")
        return head.encode() + self._body() + attached.encode() + coded + b"\r\n--=_part--\r\n"

    def dated(self, seconds: float) -> Letter:
        """The same at this time since 1970."""
        return replace(self, date_seconds=seconds)

    def told(self, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Letter:
        """The same with another text, and with headers on top."""
        return replace(self, text=text, headers=(*headers, *self.headers))

    def addressed(self, recipient: str) -> Letter:
        """The same to somebody else."""
        return replace(self, recipients=(recipient,))

    def with_attachment(self, name: str, content: bytes) -> Letter:
        """The same with a file."""
        return replace(self, attachment=(name, content))

    def received(self, by: str, source: str, at_seconds: float) -> Letter:
        """The same with the line that the server `by` puts on top."""
        line = ("Received", f"from {source} ({source} [{source}]) by {by} with ESMTP; {formatdate(at_seconds)}")
        return replace(self, headers=(line, *self.headers))


class Passed(NamedTuple):
    """A letter that went by, `delivery` by SMTP; one that is read has only its ends."""

    at: float
    protocol: str
    ends: tuple[str, str]
    letter: Letter
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Delivery:
    """How a letter goes over SMTP. `unknown` are the recipients that the server does not have."""

    client: str
    server: str
    helo: str
    port: int = 25
    envelope: str = ""
    unknown: frozenset[str] = frozenset()
    pipelined: bool = False
    login: tuple[str, str] | None = None
    starttls: bool = False
    server_name: str = "mx"
    banner: bytes = field(default=b"220 ESMTP ready", repr=False)


def deliver(scene: Scene, at: float, delivery: Delivery, letters: Sequence[Letter]) -> float:
    """One connection with all the letters; returns when it ended."""
    talk = scene.talk(at, delivery.client, delivery.server, delivery.port)
    talk.hear(delivery.banner + b"\r\n")
    greeting = b"250-%b\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 SIZE 20480000"
    talk.ask(b"EHLO " + delivery.helo.encode(), greeting % delivery.server_name.encode())
    if delivery.starttls:
        _encrypted(talk, letters)
    else:
        if delivery.login:
            _log_in(talk, *delivery.login)
        for letter in letters:
            _transaction(talk, delivery, letter)
            scene.passed.append(Passed(talk.at, "smtp", (delivery.client, delivery.server), letter, delivery))
        talk.ask(b"QUIT", b"221 2.0.0 Bye")
    talk.close()
    return talk.at


def _log_in(talk: Talk, user: str, password: str) -> None:
    talk.ask(b"AUTH LOGIN", b"334 VXNlcm5hbWU6")
    talk.ask(base64.b64encode(user.encode()), b"334 UGFzc3dvcmQ6")
    talk.ask(base64.b64encode(password.encode()), b"235 2.7.0 Authentication successful")


def _transaction(talk: Talk, delivery: Delivery, letter: Letter) -> None:
    commands = [b"MAIL FROM:<%b>" % (delivery.envelope or letter.sender).encode()]
    commands += [b"RCPT TO:<%b>" % name.encode() for name in letter.recipients]
    known = [name not in delivery.unknown for name in letter.recipients]
    replies = [b"250 2.1.0 Ok", *(ACCEPTED if is_known else UNKNOWN for is_known in known)]
    if any(known):
        commands, replies = [*commands, b"DATA"], [*replies, b"354 End data with <CR><LF>.<CR><LF>"]
    if delivery.pipelined:
        talk.say(b"".join(line + b"\r\n" for line in commands))
        talk.hear(b"".join(line + b"\r\n" for line in replies))
    else:
        for command, reply in zip(commands, replies, strict=True):
            talk.ask(command, reply)
    if any(known):
        talk.say(_dotted(letter.encoded()) + b".\r\n")
        talk.hear(b"250 2.0.0 Ok: queued\r\n")
    else:
        talk.ask(b"RSET", b"250 2.0.0 Ok")


def _encrypted(talk: Talk, letters: Sequence[Letter]) -> None:
    talk.ask(b"STARTTLS", b"220 2.0.0 Ready to start TLS")
    talk.say(messages.client_hello("mx.example.net", len(letters)))
    talk.hear(messages.server_hello(len(letters)))
    for number, letter in enumerate(letters):
        talk.say(messages.tls_data(number, len(letter.encoded()) + 60))
        talk.hear(messages.tls_data(number + 7, 60))


def read_by_pop3(
    scene: Scene, at: float, ends: tuple[str, str], login: tuple[str, str], held: Sequence[Letter]
) -> float:
    """All of a mailbox is fetched; returns when it ended."""
    talk = scene.talk(at, *ends, 110)
    talk.hear(b"+OK POP3 ready\r\n")
    talk.ask(b"USER " + login[0].encode(), b"+OK")
    talk.ask(b"PASS " + login[1].encode(), b"+OK Logged in.")
    whole = [_dotted(letter.encoded()) for letter in held]
    talk.ask(b"STAT", f"+OK {len(whole)} {sum(map(len, whole))}".encode())
    for number, content in enumerate(whole, 1):
        talk.say(f"RETR {number}\r\n".encode())
        talk.hear(f"+OK {len(content)} octets\r\n".encode() + content + b".\r\n")
        scene.passed.append(Passed(talk.at, "pop3", ends, held[number - 1]))
    talk.ask(b"QUIT", b"+OK Logging out.")
    talk.close()
    return talk.at


def read_by_imap(
    scene: Scene, at: float, ends: tuple[str, str], login: tuple[str, str], held: Sequence[Letter]
) -> float:
    """The same by IMAP (RFC 9051)."""
    talk = scene.talk(at, *ends, 143)
    talk.hear(b"* OK IMAP4rev1 ready\r\n")
    talk.ask(f'a1 LOGIN {login[0]} "{login[1]}"'.encode(), b"a1 OK LOGIN completed")
    talk.ask(b"a2 SELECT INBOX", b"* %d EXISTS\r\na2 OK SELECT completed" % len(held))
    for number, letter in enumerate(held, 1):
        content = letter.encoded()
        talk.say(f"b{number} FETCH {number} (BODY[])\r\n".encode())
        head = f"* {number} FETCH (BODY[] {{{len(content)}}}\r\n".encode()
        talk.hear(head + content + f")\r\nb{number} OK FETCH completed\r\n".encode())
        scene.passed.append(Passed(talk.at, "imap", ends, letter))
    talk.ask(b"z LOGOUT", b"* BYE\r\nz OK LOGOUT completed")
    talk.close()
    return talk.at


def _word(text: str, charset: str) -> str:
    return text if text.isascii() else Header(text, charset).encode()


def _transferred(content: bytes, transfer: str) -> bytes:
    if transfer == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if transfer == "quoted-printable":
        lines = content.replace(b"\r\n", b"\n")
        return quopri.encodestring(lines).replace(b"\n", b"\r\n").removesuffix(b"\r\n") + b"\r\n"
    return content.removesuffix(b"\r\n") + b"\r\n"


def _dotted(content: bytes) -> bytes:
    """A line that begins with a dot gets another one (RFC 5321, 4.5.2)."""
    dotted = content.replace(b"\r\n.", b"\r\n..")
    return b"." + dotted if dotted.startswith(b".") else dotted
