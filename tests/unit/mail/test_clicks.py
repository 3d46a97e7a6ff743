from __future__ import annotations

from typing import Any

from sensor.alerts.rules import Severity
from sensor.mail.clicks import Clicks
from sensor.mail.letter import Letter
from tests.traffic.case_rows import click_row, mail_row

SECOND = 1_000_000_000
START = mail_row()["time_ns"]
HOUR = 3600 * SECOND
ORIGIN = "198.51.100.25"


def letter(at: int = START, host: str = "lure.example", **changes: Any) -> Letter:
    urls = [{"url": f"http://{host}/", "shown": "", "source": "text"}]
    return Letter(mail_row(time_ns=at, urls=urls, **changes), ORIGIN, ())


def accused(clicks: Clicks, severity: Severity = Severity.HIGH) -> list[Any]:
    return list(clicks.accuse(["lure.example"], letter(), severity, "because"))


def test_a_click_on_what_is_accused_is_told_with_the_mail() -> None:
    clicks = Clicks()
    clicks.learn(letter(subject="Sign in"))
    assert accused(clicks) == []
    (row,) = clicks.take(click_row())
    assert (row["rule"], row["host"], row["subject"], row["severity"]) == (
        "mail.clicked-url", "172.16.60.101", "lure.example", 1,
    )  # fmt: skip
    assert row["text"] == "asked for lure.example (dns), a link in mail of anna@partner.example"
    assert row["notes"][1] == "because"
    (second,) = clicks.take(click_row(protocol="http", target="/", exact=True, dest_port=80))
    assert "lure.example/ (dns, http)" in second["text"]
    assert (row["flow"]["proto"], second["flow"]["proto"]) == ("UDP", "TCP")


def test_who_clicked_before_the_accusation_is_told_with_it() -> None:
    clicks = Clicks()
    clicks.learn(letter())
    assert list(clicks.take(click_row())) == []
    assert [row["host"] for row in accused(clicks, Severity.MEDIUM)] == ["172.16.60.101"]
    assert accused(clicks, Severity.LOW) == [], "nothing graver"
    assert [row["severity"] for row in accused(clicks)] == [1]


def test_where_people_went_before_only_the_very_link_counts() -> None:
    clicks = Clicks()
    clicks.learn(letter())
    accused(clicks)
    assert list(clicks.take(click_row(visited_before=True))) == []
    assert len(list(clicks.take(click_row(visited_before=True, exact=True)))) == 1


def test_a_new_host_is_worth_a_note_once_enough_was_seen() -> None:
    clicks = Clicks()
    clicks.learn(letter(START, "other.example"))
    clicks.learn(letter(START + HOUR))
    clicks.learn(letter(START + HOUR, "news.example", list_id="<news>"))
    assert list(clicks.take(click_row(mail_ns=START + HOUR - 1))) == []
    assert list(clicks.take(click_row(host="news.example", mail_ns=START + HOUR))) == []
    (row,) = clicks.take(click_row(mail_ns=START + HOUR))
    assert row["severity"] == Severity.LOW
    assert list(clicks.take(click_row(mail_ns=START + HOUR, visited_before=True))) == []


def test_hosts_that_no_mail_from_outside_held_are_of_no_interest_and_a_flood_is_bounded() -> None:
    clicks = Clicks(most=10)
    for number in range(30):
        clicks.learn(letter(host=f"x{number}.example"))
    assert list(clicks.accuse(["x0.example"], letter(), Severity.HIGH, "because")) == []
    list(clicks.accuse(["x29.example"], letter(), Severity.HIGH, "because"))
    assert list(clicks.take(click_row(host="x0.example"))) == []
    told = [
        len(list(clicks.take(click_row(host="x29.example", src_ip=f"10.0.{n // 250}.{n % 250}")))) for n in range(300)
    ]
    assert sum(told) == 300
