from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from sensor.alerts.rules import Severity
from sensor.mail.domains import OwnDomains
from sensor.mail.letter import Letter
from sensor.mail.spoof import Pretences
from tests.traffic.case_rows import mail_row


def pretences() -> Pretences:
    found = Pretences(OwnDomains(["t3sec.cc"]), (ip_network("192.0.2.0/24"),))
    found.learn_colleague(mail_row(from_name="Wei  Li", from_address="wei.li@t3sec.cc"))
    return found


def of(origin: str = "101.36.79.67", **changes: Any) -> list[tuple[Severity, str]]:
    return pretences().of(Letter(mail_row(**changes), origin, ()))


@pytest.mark.parametrize(
    ("changes", "severity", "reason"),
    [
        ({"from_address": "IT@t3sec.cc", "mail_from": "it@T3sec.cc"}, 2, "it@t3sec.cc is of an own domain"),
        ({"from_address": "it@t3sec.cc"}, 2, "it@t3sec.cc is of an own domain, the envelope says anna@partner.example"),
        ({"mail_from": "x@t3sec.cc"}, 2, "the envelope's x@t3sec.cc is of an own domain, From is anna@partner.example"),
        ({"from_address": "it@t3sec.co"}, 2, "t3sec.co is all but t3sec.cc"),
        ({"from_name": "it@t3sec.cc"}, 2, 'the name "it@t3sec.cc" shows an own address, From is anna@partner.example'),
        ({"from_name": "WEI LI"}, 3, '"WEI LI" is the name of wei.li@t3sec.cc, From is anna@partner.example'),
    ],
)  # fmt: skip
def test_each_pretence_is_told(changes: dict[str, Any], severity: int, reason: str) -> None:
    assert of(**changes) == [(severity, reason)]


def test_ordinary_mail_pretends_nothing() -> None:
    assert of() == []
    assert of(from_name="Anna Berg") == []


def test_who_may_send_so_pretends_nothing() -> None:
    own = {"from_address": "it@t3sec.cc"}
    assert of("192.0.2.7", **own) == []
    assert of(user="it", **own) == [], "somebody of the house who has logged in from outside"


def test_a_mailing_list_returns_mail_of_members() -> None:
    listed = {"from_address": "wei.li@t3sec.cc", "list_id": "<announce.lists.example>"}
    assert of(mail_from="bounces@lists.example", **listed) == []
    assert of(mail_from="bounces@evil.example", **listed), "the list of somebody else"
    assert of(mail_from="", **listed)
    assert of(mail_from="it@t3sec.cc", **listed)


def test_what_is_foreign_is_escaped() -> None:
    ((_, reason),) = of(from_address="it@t3sec.cc", mail_from="a\x1b[2J@x.example")
    assert "\x1b" not in reason
