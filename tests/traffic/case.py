"""The phishing case: a forged sender, mailboxes that trust it, clicks, and what the intruder then does to the web mail.

Every variant is a `Case` with other values; what must be found in it stands in `Case.answers`. The same case gives the
same bytes each time. `tests.traffic.case_capture` writes it to files, `tests.traffic.case_story` tells what happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from tests.traffic.case_web import Attack, attacks

Carriage = Literal["none", "vlan", "erspan"]
Sides = Literal["both", "client", "server"]

_GIVEN = ("wei", "fang", "min", "jing", "lei", "na", "tao", "xia", "yong", "ying")
_FAMILY = ("li", "wang", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu")
_TEXT = (
    "Dear colleague,\r\n\r\na new system of IT is online. Please click on the link below and sign in with your mail "
    "account before Friday, or your mailbox will be locked.\r\n\r\n{url}\r\n\r\n.. Your IT department\r\n"
)
GBK_TEXT = (
    "各位同事:\r\n\r\n新的信息系统已经上线。请点击下面的链接,用邮箱账号登录,"
    "否则邮箱将被停用。\r\n\r\n{url}\r\n\r\n信息中心\r\n"
)


@dataclass(frozen=True)
class Case:
    """Names, addresses and tricks of one case; times are seconds since 1970."""

    attacker: str = "101.36.79.67"
    sender: str = "it@t3sec.cc"
    sender_name: str = "IT Department"
    envelope: str = ""
    """MAIL FROM where it differs from the sender in the header."""
    url: str = "http://211341.vhost328.cloudvhost.cn"
    shown: str = ""
    """What the link shows instead of its target; makes the mail HTML."""
    subject: str = "New IT system online"
    text: str = _TEXT
    charset: str = "us-ascii"
    transfer: str = "7bit"
    personal: bool = False
    """Whether each mail names its reader and has a link of its own."""
    rotated_senders: int = 1
    """Number of senders that the campaign takes turns with."""
    tls: bool = False
    """Whether all mail goes over STARTTLS, so that nothing of it can be read."""
    attack: bool = True
    """Without it the same office has a quiet day."""
    mailboxes: int = 160
    bulk: int = 10
    """Readers of the newsletter, and customers of the shop: no more than the mailboxes."""
    domain: str = "t3sec.cc"
    mail_server: str = "172.16.60.247"
    reader: str = "172.16.60.200"
    harmless: str = "112.90.83.115"
    resolver: str = "172.16.60.53"
    lure: str = "203.0.113.80"
    """Where the link leads to."""
    carriage: Carriage = "none"
    sides: Sides = "both"
    copies: int = 1
    start_seconds: float = 1_795_330_800
    span_seconds: float = 3600
    seed: int = 1

    @property
    def web_host(self) -> str:
        """The name of the web mail."""
        return f"mail.{self.domain}"

    @property
    def url_host(self) -> str:
        """The host that the link leads to."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def users(self) -> tuple[str, ...]:
        """Addresses of the mailboxes."""
        names = (f"{_GIVEN[n % 10]}.{_FAMILY[n // 10 % 10]}{n // 100 or ''}" for n in range(self.mailboxes))
        return tuple(f"{name}@{self.domain}" for name in names)

    @property
    def unknown(self) -> frozenset[str]:
        """Recipients that the server does not have: people who have left, each tenth."""
        return frozenset(self.users[9::10])

    @property
    def senders(self) -> tuple[str, ...]:
        """The senders of the campaign."""
        local, _, domain = self.sender.partition("@")
        more = (f"{local}{number}@{domain}" for number in range(1, self.rotated_senders))
        return (self.sender, *more)

    @property
    def clickers(self) -> tuple[str, str, str]:
        """Machines whose users follow the link: by HTTP, by TLS, by a look-up alone."""
        network = self.mail_server.rpartition(".")[0]
        return (f"{network}.101", f"{network}.102", f"{network}.103")

    @property
    def victim(self) -> str:
        """The account that the intruder gets into."""
        return self.users[2]

    @cached_property
    def answers(self) -> Answers:
        """What must be found."""
        return _answers(self)


@dataclass(frozen=True)
class Login:
    """An account that is tried; `attempts` with the one that succeeds."""

    protocol: str
    user: str
    source: str
    attempts: int
    success: bool


@dataclass(frozen=True)
class Answers:
    """What the sensor has to find out. Without an attack everything is empty."""

    senders: tuple[str, ...] = ()
    source: str = ""
    subject: str = ""
    url: str = ""
    url_host: str = ""
    messages: int = 0
    """Mails of the campaign that were sent after DATA; reading, relaying and warning make no more."""
    delivered: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    clicked_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address of the machine, and the protocols that show the name of the link's server."""
    attacks: tuple[Attack, ...] = ()
    logins: tuple[Login, ...] = ()
    quiet: tuple[str, ...] = ()
    """Senders that are no part of it."""


def _answers(case: Case) -> Answers:
    quiet = tuple(f"{name}@{domain}" for name, domain in BYSTANDERS)
    if not case.attack:
        return Answers(quiet=quiet)
    guessed = (
        Login("http", case.victim, case.attacker, len(WRONG_PASSWORDS) + 1, success=True),
        Login("pop3", case.victim, case.attacker, 1, success=True),
    )
    web = Answers(source=case.attacker, attacks=attacks(), logins=guessed, quiet=quiet)
    return web if case.tls else _with_mail(case, web)


def _with_mail(case: Case, web: Answers) -> Answers:
    by_http, by_tls, by_name = case.clickers
    followed = "tls" if case.url.startswith("https") else "http"
    known = [user for user in case.users if user not in case.unknown]
    return replace(
        web,
        senders=case.senders,
        subject=case.subject,
        url=case.url,
        url_host=case.url_host,
        messages=sum(1 for group in groups(case.users) if set(group) - case.unknown),
        delivered=tuple(known),
        refused=tuple(sorted(case.unknown)),
        clicked_by={by_http: ("dns", followed), by_tls: ("dns", "tls"), by_name: ("dns",)},
    )


BYSTANDERS = (
    ("orders", "supplier.example"),
    ("news", "letters.example"),
    ("billing", "shop.example"),
    ("announce-bounces", "lists.example"),
)
"""Senders from outside whose mail is ordinary: local part and domain."""

WRONG_PASSWORDS = ("123456", "password", "Wei2026")
"""What the intruder guesses before the right one."""


def groups(users: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The recipients of each mail of the campaign: mostly one, now and then three."""
    found: list[tuple[str, ...]] = []
    rest = users
    while rest:
        size = 3 if len(found) % 7 == 3 else 1
        found.append(rest[:size])
        rest = rest[size:]
    return found
