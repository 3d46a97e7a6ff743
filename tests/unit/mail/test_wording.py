from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.mail.wording import bare_subject, host_of, is_answer, related, shown_host, subject_key, text_key

TEXT = "Please click on the link below and sign in before Friday, or your mailbox will be locked."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("New IT system online", "Re: FW:  new it SYSTEM online"),
        ("Invoice 4711", "Invoice 12"),
        ("新系统上线", "回复:转发:新系统上线"),
        ("Urgent!!! Mailbox", "urgent mailbox"),
    ],
)
def test_subjects_that_say_the_same(one: str, other: str) -> None:
    assert subject_key(one) == subject_key(other) != ""


def test_a_subject_that_says_nothing_has_no_key() -> None:
    assert [subject_key(text) for text in ("", "Hi", "Re: ", "!!!")] == [""] * 4
    assert subject_key("Lunch today") != subject_key("Lunch tomorrow")


def test_answers_are_told_from_first_mails() -> None:
    assert [is_answer(text) for text in ("Re: x", "AW: x", "Fwd: x", "转发:x", "Reply", "Rest: x")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert bare_subject("Re[2]: Fwd: x") == "x"


def test_texts_are_the_same_whoever_they_are_addressed_to() -> None:
    one = text_key(f"Dear wei.li, {TEXT} http://x.example/?u=1", ["wei.li@t3sec.cc"])
    other = text_key(f"Dear na.wu,\n\n{TEXT.upper()} http://x.example/?u=2", ["na.wu@t3sec.cc"])
    assert one == other != ""
    assert text_key(f"{TEXT} Really.", []) != text_key(TEXT, [])
    assert text_key("Thanks, see http://x.example/", []) == "", "too short to tell"


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("http://User:x@LURE.example:8080/a", "lure.example"),
        ("www.example.com/x", "www.example.com"),
        ("https://[2001:db8::1]/", "[2001:db8::1]"),
        ("http://例子.example/", "xn--fsqu00a.example"),
        ("mailto:a@b.example", ""),
        ("http://[bad/", ""),
        ("javascript://x", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_link(link: str, host: str) -> None:
    assert host_of(link) == host


def test_only_a_text_that_looks_like_an_address_claims_to_lead_there() -> None:
    shown = ("http://mail.t3sec.cc/login", "mail.t3sec.cc", "Click here", "click", "it@t3sec.cc", "v1.2", "")
    assert [shown_host(text) for text in shown] == ["mail.t3sec.cc", "mail.t3sec.cc", "", "", "", "", ""]
    assert related("www.t3sec.cc", "mail.t3sec.cc")
    assert not related("mail.t3sec.cc", "mail.t3sec.cc.evil.example")


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    assert subject_key(text) == subject_key(bare_subject(text))
    assert host_of(text).isascii()
    text_key(text, [text])
    shown_host(text)
