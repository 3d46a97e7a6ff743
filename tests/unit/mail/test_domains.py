from __future__ import annotations

import pytest

from sensor.mail.domains import OwnDomains
from tests.traffic.case_rows import mail_row


def test_domains_of_the_configuration_are_own_with_all_below() -> None:
    own = OwnDomains(["T3sec.cc."])
    assert [own.owns(a) for a in ("it@t3sec.cc", "x@MAIL.t3sec.cc", "x@nott3sec.cc", "t3sec.cc", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    own.learn(mail_row(rcpt_to=[{"address": "a@other.example", "code": 250, "reply": ""}]))
    assert not own.owns("a@other.example"), "what is configured is all"


def test_where_the_server_is_not_seen_what_is_sent_to_it_is_own() -> None:
    unseen = [{"address": "li.wei@t3sec.cc", "code": 0, "reply": ""}]
    silent = {"rcpt_to": unseen, "mail_code": 0, "data_code": 0, "delivered": 0, "status": "unknown"}
    for changes, learned in (({}, True), ({"has_message": False}, False), ({"mail_code": 250}, False)):
        own = OwnDomains(())
        own.learn(mail_row(**{**silent, **changes}))
        assert own.owns("it@t3sec.cc") is learned, changes


@pytest.mark.parametrize(
    ("changes", "learned"),
    [
        ({}, True),
        ({"user": "anna"}, False),
        ({"dest_port": 587}, False),
        ({"src_internal": True}, False),
        ({"dest_internal": False}, False),
        ({"delivered": 0}, False),
        ({"rcpt_to": [{"address": "li.wei@t3sec.cc", "code": 550, "reply": ""}]}, False),
    ],
)
def test_own_is_what_servers_inside_take_mail_for(changes: dict[str, object], learned: bool) -> None:
    own = OwnDomains(())
    own.learn(mail_row(**changes))
    assert own.owns("it@t3sec.cc") is learned


def test_a_domain_that_differs_by_one_character_imitates() -> None:
    own = OwnDomains(["t3sec.cc"])
    near = ("t3se\u0441.cc", "t3sec.co", "t3se.cc", "t3ssec.cc", "t3esc.cc", "3tsec.cc")
    assert [own.imitated_by(domain) for domain in near] == ["t3sec.cc"] * len(near)
    far = ("t3sec.cc", "t3sec.com.cn", "example.com", "", "x" * 100)
    assert [own.imitated_by(domain) for domain in far] == [""] * len(far)
