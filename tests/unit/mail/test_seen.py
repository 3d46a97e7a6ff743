from __future__ import annotations

from typing import Any

from sensor.mail.seen import SeenMails
from tests.traffic.case_rows import mail_row


def to(*names: str, **changes: Any) -> Any:
    return mail_row(rcpt_to=[{"address": name, "code": 250, "reply": ""} for name in names], **changes)


def test_a_relayed_mail_goes_to_nobody_new_even_in_pieces() -> None:
    seen = SeenMails()
    assert seen.new_recipients(to("A@x.example", "b@x.example", "a@x.example")) == ("a@x.example", "b@x.example")
    assert seen.new_recipients(to("a@x.example", src_ip="172.16.60.247")) == ()
    assert seen.new_recipients(to("b@x.example", "c@x.example")) == ("c@x.example",)


def test_one_message_id_for_all_mails_hides_none() -> None:
    seen = SeenMails()
    assert [len(seen.new_recipients(to(f"{number}@x.example"))) for number in range(3)] == [1, 1, 1]
    assert seen.new_recipients(to("1@x.example", from_address="other@x.example")) == ("1@x.example",)


def test_what_was_refused_before_it_was_sent_can_be_tried_again() -> None:
    seen = SeenMails()
    unsent = to("a@x.example", has_message=False, message_id="")
    assert seen.new_recipients(unsent) == seen.new_recipients(unsent) == ("a@x.example",)
    assert seen.new_recipients(to("a@x.example")) == ("a@x.example",)


def test_a_mail_that_is_read_was_seen_before_or_is_from_then_on() -> None:
    seen = SeenMails()
    seen.new_recipients(to("a@x.example"))
    assert seen.is_known(mail_row(protocol="pop3", rcpt_to=[]))
    unseen = mail_row(protocol="imap", rcpt_to=[], message_id="2@x")
    assert [seen.is_known(unseen), seen.is_known(unseen)] == [False, True]


def test_without_a_message_id_the_body_tells() -> None:
    seen = SeenMails()
    bare = {"message_id": "", "date": "today"}
    assert seen.new_recipients(to("a@x.example", body_md5="1", **bare))
    assert not seen.new_recipients(to("a@x.example", body_md5="1", **bare))
    assert seen.new_recipients(to("a@x.example", body_md5="2", **bare))


def test_a_flood_is_bounded_and_forgets_the_oldest() -> None:
    seen = SeenMails(most=10)
    for number in range(30):
        seen.new_recipients(to("a@x.example", message_id=str(number)))
    assert seen.new_recipients(to("a@x.example", message_id="29")) == ()
    assert seen.new_recipients(to("a@x.example", message_id="0")) == ("a@x.example",)
