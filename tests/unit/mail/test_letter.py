from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from sensor.mail.letter import Letter, Origins, domain_of
from tests.traffic.case_rows import mail_row

INTERNAL = (ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12"))
SERVER, READER, ATTACKER = "172.16.60.247", "172.16.60.200", "101.36.79.67"
PASSED_ON = f"from bad (bad [{ATTACKER}]) by mail.t3sec.cc with ESMTP"


def origins(**changes: Any) -> Origins:
    return Origins(INTERNAL, **changes)


def relayed(source: str = SERVER, **changes: Any) -> Any:
    return mail_row(src_ip=source, src_internal=True, dest_ip=READER, **changes)


def test_mail_comes_from_who_opened_the_connection() -> None:
    assert origins().of(mail_row(src_ip=ATTACKER)) == ATTACKER
    assert origins().of(relayed()) == ""


def test_a_mail_server_passes_on_what_came_from_outside_and_nobody_else_is_believed() -> None:
    known = origins()
    assert known.of(relayed(received=[PASSED_ON])) == "", "not known to be a mail server"
    known.of(mail_row(src_ip=ATTACKER))
    assert known.is_server(SERVER)
    assert known.of(relayed(received=[PASSED_ON])) == ATTACKER
    assert known.of(relayed("10.1.1.1", received=[PASSED_ON])) == ""
    assert origins(configured=(ip_network("10.1.1.1"),)).of(relayed("10.1.1.1", received=[PASSED_ON])) == ATTACKER


def test_what_was_written_inside_comes_from_nowhere_else() -> None:
    inside = f"from pc ([{READER}]) by mail.t3sec.cc ([{ATTACKER}])"
    read = mail_row(protocol="pop3", src_ip=READER, src_internal=True, received=[inside])
    assert origins().of(read) == "", "the address behind `by` is the receiver's"
    read["received"] = [inside, "from x ([IPv6:2001:db8::9]) by y", "from z ([999.1.1.1])"]
    assert origins().of(read) == "2001:db8::9"


def test_refusals_are_those_for_good() -> None:
    codes = {"a@x.example": 250, "B@x.example": 550, "c@x.example": 451}
    row = mail_row(rcpt_to=[{"address": name, "code": code, "reply": ""} for name, code in codes.items()])
    names = ("a@x.example", "b@x.example", "c@x.example")
    assert Letter(row, ATTACKER, names).refused == ("b@x.example",)
    assert Letter(mail_row(data_code=554), ATTACKER, names).refused == names


def test_the_sender_is_who_the_reader_sees() -> None:
    assert Letter(mail_row(from_address="Anna@X.example"), ATTACKER, ()).sender == "anna@x.example"
    unsent = mail_row(from_address="", mail_from="b@x.example")
    assert Letter(unsent, ATTACKER, ()).sender == "b@x.example"
    assert Letter(unsent, ATTACKER, (), "anna@x.example").sender == "anna@x.example"
    assert (domain_of("a@b@X.example."), domain_of("nobody")) == ("x.example", "")


def test_a_subject_counts_together_with_where_the_mail_leads() -> None:
    def key(subject: str, *urls: str) -> str:
        return Letter(
            mail_row(subject=subject, urls=[{"url": u, "shown": "", "source": "text"} for u in urls]), "", ()
        ).subject_key

    assert key("Your mailbox", "http://x.example/1") == key("Your mailbox!", "http://x.example/2") != ""
    assert key("Your mailbox", "http://x.example/") != key("Your mailbox", "http://y.example/")
    assert key("Your mailbox") == key("Re: Your mailbox", "http://x.example/") == ""
