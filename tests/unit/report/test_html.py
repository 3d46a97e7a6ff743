import re
from html.parser import HTMLParser
from typing import Any

from sensor.config import Config
from sensor.engine import Batch
from sensor.mail.judge import MailJudge
from sensor.report.collect import Report
from sensor.report.html import page
from tests.unit.report import rows
from tests.unit.report.test_collect import finished

VOID = {"meta", "br", "rect", "line"}


class Outline(HTMLParser):
    """The tags of a page, and whether each is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def shown(*mails: Any, logins: Any = ()) -> str:
    report = Report()
    report.take(MailJudge(Config()).take(Batch(0, mails=mails, logins=logins)))
    return "".join(page("Report", [("files", rows.HOSTILE)], finished(report)))


def test_what_comes_from_the_wire_stays_text() -> None:
    hostile = rows.phishing(1, {f"{rows.HOSTILE}@t3sec.cc": 250}, subject=rows.HOSTILE, excerpt=rows.HOSTILE)
    link: Any = {"url": "javascript:alert(1)", "shown": rows.HOSTILE, "source": "html"}
    text = shown({**hostile, "urls": [link]}, logins=[rows.login(1, success=True, user=rows.HOSTILE)])
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert "script" not in outline.tags
    assert not {"\u202e", "\x1b"} & set(text)
    assert text.count("&lt;script&gt;") >= 4
    links = [value or "" for name, value in outline.attributes if name in {"href", "src"}]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]


def test_findings_name_their_flow_and_have_anchors() -> None:
    text = shown(*rows.campaign())
    assert f"<code>ip.addr == {rows.ATTACKER} &amp;&amp; ip.addr == {rows.SERVER}" in text
    assert "community id 1:1" in text
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= anchors
    assert "<b>outlier, spoofed</b>" in text


def test_nothing_is_fetched() -> None:
    text = shown(*rows.campaign())
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text
    assert not re.search(r"@import|url\(|<link|<img|<iframe", text)
