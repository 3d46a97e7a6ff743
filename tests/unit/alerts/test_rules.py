from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sensor.alerts.reference import reference
from sensor.alerts.rules import BY_NAME, RULES

ROOT = Path(__file__).parents[3]

# In the order of the interface document; a number that moves would rename an alert in somebody's database.
NUMBERED = [
    "watchlist.ip",
    "watchlist.domain",
    "watchlist.url",
    "watchlist.ja4",
    "watchlist.retro",
    "smtp.bulk",
    "smtp.fanout",
    "smtp.rejects",
    "mail.campaign",
    "mail.bruteforce",
    "mail.spoofed-sender",
    "mail.watchlisted-url",
    "mail.clicked-url",
    "web.sqli",
    "web.xss",
    "web.traversal",
    "web.command-injection",
    "web.webshell",
    "web.bruteforce",
    "web.scanner",
    "host.beacon",
    "mirror.silent",
    "mirror.one-sided",
    "mirror.duplicates",
    "mirror.truncated",
    "mirror.loss",
    "mirror.degraded",
    "sensor.kernel-drops",
    "sensor.ring-loss",
    "sensor.list-stale",
    "sensor.table-full",
]


def test_names_have_their_numbers() -> None:
    assert {rule.name: rule.number for rule in RULES} == dict(zip(NUMBERED, range(8_000_001, 8_000_032), strict=True))


def test_the_severities_of_bulk_mail_are_those_that_were_promised() -> None:
    severities = {name: BY_NAME[name].severity.word for name in ("smtp.fanout", "smtp.bulk", "smtp.rejects")}
    assert severities == {"smtp.fanout": "medium", "smtp.bulk": "high", "smtp.rejects": "high"}


def test_each_rule_says_what_it_means_in_one_sentence() -> None:
    for rule in RULES:
        assert rule.meaning.endswith(".")
        assert ". " not in rule.meaning


def test_the_committed_page_is_current() -> None:
    assert (ROOT / "docs/alerts.md").read_text() == reference(), "run `make docs`"


def test_the_module_prints_the_page() -> None:
    command = [sys.executable, "-m", "sensor.alerts.rules"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout == reference()
