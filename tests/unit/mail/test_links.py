from __future__ import annotations

from typing import Any

import pytest

from sensor.mail.domains import OwnDomains
from sensor.mail.letter import Letter
from sensor.mail.links import listed_links, misleading_link
from tests.traffic.case_rows import mail_row


def compiled(text: str) -> Any:
    from sensor._native import Watchlists  # noqa: PLC0415 -- the built core, for this test alone

    return Watchlists.compile([("feed", "csv", text.encode(), 2)])


def links(*pairs: tuple[str, str]) -> list[Any]:
    return [{"url": url, "shown": shown, "source": "html"} for url, shown in pairs]


def test_listed_links_are_found_by_url_host_and_address() -> None:
    lists = compiled("indicator,malware\nevil.example,Lure\n203.0.113.9,Nest\nhttp://half.example/bad,Page\n")
    urls = ("HTTPS://evil.example/x", "http://evil.example/y", "http://203.0.113.9/", "http://half.example/good")
    row = mail_row(
        urls=links(*((url, "") for url in (*urls, "mailto:x@evil.example", "http://[", "http://half.example/bad")))
    )
    found = [(listed.url, listed.entry["indicator"]) for listed in listed_links(row, lists)]
    assert found == [
        (urls[0], "evil.example"),
        (urls[2], "203.0.113.9"),
        ("http://half.example/bad", "http://half.example/bad"),
    ]
    entry = next(listed_links(row, lists)).entry
    assert (entry["list"], entry["type"], entry["severity"], entry["metadata"]) == (
        "feed",
        "domain",
        2,
        '{"malware":"Lure"}',
    )
    assert list(listed_links(row, None)) == []


@pytest.mark.parametrize(
    ("url", "shown", "bulk", "misleads"),
    [
        ("http://evil.example/", "http://mail.t3sec.cc/", "", True),
        ("http://evil.example/", "www.bank.example.com", "", True),
        ("http://www.bank.example/", "mail.bank.example", "", False),
        ("http://evil.example/", "Sign in", "", False),
        ("http://count.mailer.example/1", "www.shop.example.com", "<news>", False),
        ("http://count.mailer.example/1", "mail.t3sec.cc", "<news>", True),
    ],
)
def test_a_link_misleads_if_it_shows_another_domain(url: str, shown: str, bulk: str, misleads: bool) -> None:
    letter = Letter(mail_row(urls=links((url, shown)), list_id=bulk), "198.51.100.1", ())
    assert (misleading_link(letter, OwnDomains(["t3sec.cc"])) is not None) is misleads
