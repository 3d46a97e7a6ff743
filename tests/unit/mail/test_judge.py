"""The whole case, its variants and a quiet day, judged from the rows that the core tells."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sensor.alerts.policy import Policy
from sensor.alerts.rows import JudgedRow
from sensor.config import Config
from sensor.engine import Batch
from sensor.mail.judge import MailJudge
from tests.traffic.case import BYSTANDERS, GBK_TEXT, Case, groups
from tests.traffic.case_rows import click_rows, mail_rows

VARIANTS = {
    "base": Case(),
    "small": Case(mailboxes=30),
    "gbk": Case(mailboxes=40, subject="新系统上线", text=GBK_TEXT, charset="gb18030", transfer="base64"),
    "other names": Case(
        mailboxes=40, attacker="198.18.7.7", sender="ceo@corp.example", domain="corp.example", url="https://pay.example"
    ),
    "misleading link": Case(mailboxes=40, sender="help@service.example", shown="http://mail.t3sec.cc/login"),
    "personal": Case(mailboxes=40, personal=True),
    "turns": Case(mailboxes=40, sender="it@host.example", rotated_senders=30, personal=True),
    "own envelope": Case(mailboxes=40, sender="it@host.example", envelope="it@t3sec.cc"),
    "own header": Case(mailboxes=40, envelope="bounce@host.example"),
}


def judged(case: Case, config: Config | None = None) -> list[JudgedRow]:
    judge = MailJudge(config or Config())
    batch = judge.take(Batch(0, mails=mail_rows(case), clicks=click_rows(case)))
    return list(batch.judged)


def of_rule(rows: list[JudgedRow], rule: str) -> list[JudgedRow]:
    return [row for row in rows if row["rule"] == rule]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_campaign_is_named_with_all_its_mails(name: str) -> None:
    case = VARIANTS[name]
    answers = case.answers
    found = [row for row in of_rule(judged(case), "mail.campaign") if row["severity"] == 1]
    assert found, "somebody must be told"
    last = found[-1]["context"]
    # What is refused before it is sent has neither text nor subject, by which senders who take turns are known.
    unsent = [group for group in groups(case.users) if set(group) <= case.unknown] if len(case.senders) > 1 else []
    assert last["messages"] == answers.messages
    assert last["refused"] == len(answers.refused) - len(unsent)
    assert last["recipients"] == len(case.users) - len(unsent)
    assert last["sources"] == [answers.source]
    assert last["mail_subject"] == answers.subject
    assert last["urls"][0].startswith(answers.url)
    assert {row["host"] for row in found} == {case.mail_server}
    assert len({row["subject"] for row in found}) == 1, "one incident"


@pytest.mark.parametrize("name", VARIANTS)
def test_who_followed_the_link_is_named_and_nobody_else(name: str) -> None:
    case = VARIANTS[name]
    clicks = of_rule(judged(case), "mail.clicked-url")
    found: dict[str, set[str]] = {}
    for row in clicks:
        assert (row["subject"], row["severity"]) == (case.answers.url_host, 1)
        found.setdefault(row["host"], set()).add(row["flow"]["app_proto"])
    assert found == {host: set(protocols) for host, protocols in case.answers.clicked_by.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_only_who_pretends_to_be_inside_is_told_to(name: str) -> None:
    case = VARIANTS[name]
    spoofed = {row["context"]["sender"] for row in of_rule(judged(case), "mail.spoofed-sender")}
    pretends = any(address.endswith(f"@{case.domain}") for address in (case.sender, case.envelope))
    assert spoofed == ({case.sender} if pretends else set())


def test_the_base_case_is_an_outlier() -> None:
    assert "outlier" in of_rule(judged(Case()), "mail.campaign")[-1]["context"]["reasons"]


def test_bystanders_are_in_no_incident_of_weight() -> None:
    quiet = {f"{name}@{domain}" for name, domain in BYSTANDERS}
    for row in judged(Case(bulk=40)):
        assert row["subject"] not in quiet or row["severity"] > 1


@pytest.mark.parametrize("bulk", [10, 100])
def test_a_quiet_day_raises_nothing_of_weight(bulk: int) -> None:
    rows = judged(Case(attack=False, bulk=bulk))
    assert [row for row in rows if row["rule"] != "mail.campaign"] == []
    assert [row for row in rows if row["severity"] == 1] == []


def test_a_newsletter_to_many_is_said_to_be_one() -> None:
    rows = judged(Case(attack=False, bulk=100))
    severities = {row["subject"]: row["severity"] for row in rows}
    assert severities["news@letters.example"] == 3
    assert severities["billing@shop.example"] == 2


def test_a_configured_domain_needs_no_learning() -> None:
    first = next(row for row in mail_rows(Case()) if row["src_ip"] == Case().attacker)
    judge = MailJudge(Config.model_validate({"networks": {"mail_domains": ["T3SEC.cc."]}}))
    rules = {row["rule"] for row in judge.take(Batch(0, mails=[first])).judged}
    assert rules == {"mail.spoofed-sender"}


def test_the_lines_name_sender_subject_numbers_and_examples() -> None:
    case = Case()
    policy = Policy(rows_tell_time=True)
    lines = [
        " | ".join(event.groups) for event in policy.take(Batch(0, judged=judged(case))) if hasattr(event, "groups")
    ]
    opened = next(line for line in lines if line.startswith(case.mail_server) and "recipients" in line)
    assert re.search(r"it@t3sec.cc: \d+ mails to 2\d recipients", opened)
    assert f'"{case.subject}"' in opened
    assert "outside" in next(line for line in lines if "is of an own domain" in line)
    clicked = next(line for line in lines if line.startswith(case.clickers[0]))
    assert case.url_host in clicked
    assert "it@t3sec.cc" in clicked


def test_the_order_of_batches_does_not_matter() -> None:
    case = Case(mailboxes=40)
    rows: list[Any] = [*mail_rows(case), *click_rows(case)]
    rows.sort(key=lambda row: row["time_ns"])
    judge = MailJudge(Config())
    found: list[JudgedRow] = []
    for row in rows:
        batch = Batch(0, clicks=[row]) if "visited_before" in row else Batch(0, mails=[row])
        found += judge.take(batch).judged
    assert found == judged(case)
