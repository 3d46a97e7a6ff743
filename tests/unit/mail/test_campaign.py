from __future__ import annotations

from typing import Any

import pytest

from sensor.alerts.rules import Severity
from sensor.config.detection import Mail
from sensor.mail.campaign import Campaign, Campaigns, describe, notes
from sensor.mail.groups import MOST_RECIPIENTS, Groups
from sensor.mail.letter import Letter
from tests.traffic.case_rows import mail_row

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = mail_row()["time_ns"]
CONFIG = Mail.model_validate(
    {"campaign_recipients": 5, "campaign_window": "2h", "outlier_mails": 10, "outlier_ratio": 10}
)
TEXT = "The new system of the house is online, everybody signs in before Friday."


def letter(number: int, at: int = 0, sender: str = "anna@partner.example", **changes: Any) -> Letter:
    row = mail_row(time_ns=START + at, from_address=sender, **changes)
    return Letter(row, "198.51.100.25", (f"{number}@t3sec.cc",))


def take(campaigns: Campaigns, *letters: Letter, **reasons: Severity) -> list[Campaign | None]:
    return [campaigns.take(one, reasons) for one in letters]


def test_one_sender_to_many_recipients_is_a_campaign_and_one_below_is_none() -> None:
    found = take(Campaigns(CONFIG), *(letter(number, number * SECOND) for number in range(6)))
    assert found[:4] == [None] * 4
    last = found[5]
    assert last is not None
    assert describe(last) == "anna@partner.example: 6 mails to 6 recipients from 198.51.100.25 in 5 s"
    assert last.severity is Severity.LOW, "nothing speaks against it"


def test_the_same_recipients_again_are_no_campaign() -> None:
    assert set(take(Campaigns(CONFIG), *(letter(number % 4, number) for number in range(9)))) == {None}


def test_what_lies_longer_back_than_the_window_does_not_count() -> None:
    spread = [letter(number, number * HOUR) for number in range(20)]
    assert set(take(Campaigns(CONFIG), *spread)) == {None}
    # Half of a window is always seen as a whole.
    late = [letter(number, HOUR - SECOND + number * 60 * SECOND) for number in range(5)]
    assert take(Campaigns(CONFIG), letter(99), *late)[-1] is not None


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.LOW),
        ({"urls": [{"url": "http://x.example/", "shown": "", "source": "text"}]}, Severity.MEDIUM),
        ({"urls": [{"url": "http://x.example/", "shown": "", "source": "text"}], "list_id": "<news>"}, Severity.LOW),
        ({"attachments": [{"name": "a", "content_type": "", "size_bytes": 1, "sha256": "x"}]}, Severity.MEDIUM),
        ({"rcpt_to": [{"address": f"{n}@t3sec.cc", "code": 550, "reply": ""} for n in range(9)]}, Severity.HIGH),
    ],
)
def test_how_grave_a_campaign_is(changes: dict[str, Any], severity: Severity) -> None:
    found = take(Campaigns(CONFIG), *(letter(number, **changes) for number in range(5)))[-1]
    assert found is not None
    assert found.severity is severity


def test_what_speaks_against_one_mail_speaks_against_all() -> None:
    campaigns = Campaigns(CONFIG)
    take(campaigns, letter(0), pretends=Severity.HIGH)
    found = take(campaigns, *(letter(number) for number in range(1, 5)))[-1]
    assert found is not None
    assert (found.severity, "pretends" in list(notes(found, 10))) == (Severity.HIGH, True)


def test_senders_that_take_turns_are_known_by_their_text() -> None:
    turns = [letter(n, sender=f"{n}@host.example", excerpt=f"Hello {n}, {TEXT}", subject="Now") for n in range(6)]
    found = take(Campaigns(CONFIG), *turns)
    assert found[3] is None
    assert found[5] is not None
    assert (found[5].subject, found[5].severity) == ('"Now"', Severity.HIGH)


def others(campaigns: Campaigns) -> None:
    take(campaigns, *(letter(0, sender=f"{name}@x.example") for name in ("a", "b", "c")))


def test_a_sender_ten_times_as_frequent_as_the_next_is_an_outlier() -> None:
    campaigns = Campaigns(CONFIG)
    others(campaigns)
    found = take(campaigns, *(letter(number % 2) for number in range(10)))
    assert found[8] is None
    assert found[9] is not None
    assert found[9].severity is Severity.LOW, "always the same readers"
    assert "at least 10 times as frequent as any other sender" in list(notes(found[9], 10))


def test_without_others_or_with_a_frequent_one_nobody_is_an_outlier() -> None:
    assert set(take(Campaigns(CONFIG), *(letter(number % 2) for number in range(10)))) == {None}
    campaigns = Campaigns(CONFIG)
    others(campaigns)
    take(campaigns, letter(1, sender="a@x.example"))
    assert set(take(campaigns, *(letter(number % 2) for number in range(10)))) == {None}


def test_groups_and_what_they_tell_apart_are_bounded() -> None:
    groups = Groups(HOUR, most=10)
    for number in range(50):
        groups.add(str(number), letter(number))
    assert len(groups._groups) == 10
    many = Letter(mail_row(), "198.51.100.25", tuple(f"{n}@t3sec.cc" for n in range(MOST_RECIPIENTS + 5)))
    assert groups.add("x", many).recipients == MOST_RECIPIENTS
