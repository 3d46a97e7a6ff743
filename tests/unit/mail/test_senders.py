from __future__ import annotations

from typing import Any

from sensor.config.detection import Smtp
from sensor.mail.finding import Finding
from sensor.mail.rows import MailRow
from sensor.mail.senders import Senders
from tests.traffic.case_rows import mail_row

SECOND = 1_000_000_000
START = mail_row()["time_ns"]
CONFIG = Smtp(bulk_messages=5, bulk_recipients=8, reject_recipients=4, reject_ratio=0.5)


def sent(at: int, *names: str, code: int = 250, **changes: Any) -> MailRow:
    recipients = [{"address": name, "code": code, "reply": ""} for name in names]
    return mail_row(
        time_ns=START + at * SECOND, src_ip="172.16.60.20", src_internal=True, rcpt_to=recipients, **changes
    )


def take(senders: Senders, row: MailRow) -> list[Finding]:
    return list(senders.take(row, tuple(entry["address"] for entry in row["rcpt_to"])))


def test_many_mails_in_ten_minutes_are_bulk() -> None:
    senders = Senders(CONFIG)
    assert [len(take(senders, sent(at, "a@x.example"))) for at in (0, 1, 2, 3, 599)] == [0, 0, 0, 0, 1]
    senders = Senders(CONFIG)
    assert [len(take(senders, sent(at, "a@x.example"))) for at in (0, 1, 2, 3, 600)] == [0] * 5


def test_many_recipients_are_bulk_and_their_number_is_told() -> None:
    senders = Senders(CONFIG)
    assert take(senders, sent(0, *(f"{n}@x.example" for n in range(7)))) == []
    assert take(senders, sent(1, "6@x.example")) == []
    (found,) = take(senders, sent(2, "7@x.example", mail_from="bot@x.example", subject="Hi\x07"))
    assert (found.rule, found.host, found.text) == ("smtp.bulk", "172.16.60.20", "3 mails to 8 recipients in 600 s")
    assert found.notes == ["as bot@x.example", '"Hi\\x07"', "to 0@x.example, 1@x.example, 2@x.example"]


def test_refusals_for_good_are_rejects() -> None:
    senders = Senders(CONFIG)
    assert take(senders, sent(0, "a@x.example", "b@x.example")) == []
    assert take(senders, sent(1, "c@x.example", code=550, has_message=False)) == []
    (found,) = take(senders, sent(2, "d@x.example", code=550, has_message=False))
    assert (found.rule, found.text) == ("smtp.rejects", "2 of 4 recipients refused in 600 s")
    later = Senders(CONFIG)
    assert all(take(later, sent(n, f"{n}@x.example", code=450)) == [] for n in range(4)), "may be tried again"


def test_a_flood_of_senders_is_bounded() -> None:
    senders = Senders(CONFIG, most=10)
    for number in range(50):
        take(senders, sent(0, "a@x.example") | {"src_ip": f"10.0.0.{number}"})
    assert len(senders._senders) == 10
