"""The case as the rows that the core tells of its mails and clicks, without packets: for tests of who judges them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sensor.mail.rows import ClickRow, MailRow
from tests.traffic.case import Case
from tests.traffic.case_letters import Letter, Passed
from tests.traffic.case_scene import Asked, Scene
from tests.traffic.case_story import played

_NS = 1_000_000_000
_INSIDE = ("10.", "172.16.", "192.168.")


@cache
def _played(case: Case) -> Scene:
    return played(case)


def mail_rows(case: Case) -> list[MailRow]:
    """All mails in the order of time."""
    return sorted((_mail(case, passed) for passed in _played(case).passed), key=lambda row: row["time_ns"])


def click_rows(case: Case) -> list[ClickRow]:
    """Who asks for the hosts of links after the first mail with them, resolvers and mail servers aside."""
    scene = _played(case)
    held: dict[str, float] = {}
    for passed in sorted(scene.passed, key=lambda one: one.at):
        for url in _urls(passed.letter):
            held.setdefault(_host(url), passed.at)
    clicks: list[ClickRow] = []
    visited: set[str] = set()
    for asked in sorted(scene.asked, key=lambda one: one.at):
        if asked.client in (case.resolver, case.mail_server):
            continue
        if asked.at > held.get(asked.name, asked.at):
            clicks.append(_click(case, asked, held[asked.name], visited_before=asked.name in visited))
        elif asked.name not in held or asked.at <= held[asked.name]:
            visited.add(asked.name)
    return clicks


def mail_row(**changes: Any) -> MailRow:
    """A mail from outside that is delivered to one recipient."""
    row: Any = _ends(1_795_330_800 * _NS, ("198.51.100.25", "172.16.60.247"), 25) | {
        "protocol": "smtp", "command": "", "helo": "mx.example", "user": "", "mail_from": "anna@partner.example",
        "mail_code": 250, "rcpt_to": [{"address": "li.wei@t3sec.cc", "code": 250, "reply": "Ok"}], "data_code": 250,
        "data_reply": "Ok", "delivered": 1, "status": "delivered", "tls": False, "has_message": True,
        "from_address": "anna@partner.example", "from_name": "", "sender": "", "reply_to": "",
        "to": ["li.wei@t3sec.cc"],
        "cc": [], "subject": "Hello", "date": "", "message_id": "1@partner.example", "x_mailer": "", "received": [],
        "list_id": "", "urls": [], "attachments": [], "body_md5": "", "excerpt": "Hello", "size_bytes": 300,
        "truncated": False, "charset": "us-ascii", "defects": [],
    }  # fmt: skip
    unknown = set(changes) - set(row)
    assert not unknown, f"no such column: {unknown}"
    row.update(changes)
    typed: MailRow = row
    return typed


def click_row(**changes: Any) -> ClickRow:
    """Somebody inside looks up the host of a link."""
    row: Any = _ends(1_795_330_900 * _NS, ("172.16.60.101", "172.16.60.53"), 53) | {
        "protocol": "dns", "host": "lure.example", "target": "", "exact": False, "visited_before": False,
        "mail_ns": 1_795_330_800 * _NS,
    }  # fmt: skip
    row.update(changes)
    typed: ClickRow = row
    return typed


def _mail(case: Case, passed: Passed) -> MailRow:
    letter, delivery = passed.letter, passed.delivery
    changes = _ends(int((case.start_seconds + passed.at) * _NS), passed.ends, 25) | {"protocol": passed.protocol}
    if delivery is None:
        changes |= {"mail_from": None, "rcpt_to": [], "delivered": 0, "status": "unknown", "command": "RETR"}
    else:
        codes = {name: 550 if name in delivery.unknown else 250 for name in letter.recipients}
        changes |= {
            "mail_from": delivery.envelope or letter.sender,
            "user": delivery.login[0] if delivery.login else "",
            "dest_port": delivery.port,
            "rcpt_to": [{"address": name, "code": code, "reply": ""} for name, code in codes.items()],
            "delivered": sum(code == 250 for code in codes.values()),
            "has_message": 250 in codes.values(),
        }
    return mail_row(**changes, **(_message(letter) if changes.get("has_message", True) else _nothing()))


def _message(letter: Letter) -> dict[str, Any]:
    headers = dict(letter.headers)
    return {
        "from_address": letter.sender,
        "from_name": letter.name,
        "to": list(letter.recipients),
        "subject": letter.subject,
        "message_id": letter.message_id,
        "received": [value for name, value in letter.headers if name == "Received"],
        "list_id": headers.get("List-Id", ""),
        "urls": [{"url": url, "shown": shown, "source": "text"} for url, shown in _links(letter)],
        "excerpt": " ".join(letter.text.split())[:500],
    }


def _nothing() -> dict[str, Any]:
    return {"from_address": "", "subject": "", "message_id": "", "excerpt": "", "to": [], "data_code": 0}


def _links(letter: Letter) -> list[tuple[str, str]]:
    in_text = [(word, "") for word in letter.text.split() if word.startswith(("http://", "https://"))]
    return [*letter.links, *in_text]


def _urls(letter: Letter) -> list[str]:
    return [url for url, _ in _links(letter)]


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _click(case: Case, asked: Asked, mail_at: float, *, visited_before: bool) -> ClickRow:
    port = {"dns": 53, "http": 80, "tls": 443}[asked.protocol]
    ends = _ends(int((case.start_seconds + asked.at) * _NS), (asked.client, asked.server), port)
    return click_row(
        **ends,
        protocol=asked.protocol,
        host=asked.name,
        visited_before=visited_before,
        exact=asked.protocol == "http" and not case.personal,
        mail_ns=int((case.start_seconds + mail_at) * _NS),
    )


def _ends(time_ns: int, ends: tuple[str, str], port: int) -> dict[str, Any]:
    source, destination = ends
    return {
        "time_ns": time_ns, "start_ns": time_ns, "flow_id": time_ns % 1_000_003, "community_id": "1:x=",
        "src_ip": source, "src_port": 50_000, "dest_ip": destination, "dest_port": port,
        "src_internal": source.startswith(_INSIDE), "dest_internal": destination.startswith(_INSIDE),
        "src_mac": "00:00:5e:00:01:3c", "dest_mac": "00:1b:44:00:00:f7", "vlan": [60], "in_iface": "eth1",
        "frame": None,
    }  # fmt: skip
