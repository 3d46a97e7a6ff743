"""The phishing case as rows of the core: a forged sender, harmless mail, a click, web attacks, and a stolen account."""

from __future__ import annotations

from typing import Any

from sensor.mail.rows import LoginRow, MailRow

START_NS = 1_795_330_800 * 1_000_000_000
ATTACKER, SERVER, HARMLESS = "101.36.79.67", "172.16.60.247", "112.90.83.115"
URL = "http://211341.vhost328.cloudvhost.cn/login"
HOSTILE = '"><script>alert(1)</script>\u202e\x1b[2J'


def flow(second: float, source: str, number: int = 1, **columns: Any) -> dict[str, Any]:
    return {
        "time_ns": START_NS + int(second * 1e9),
        "start_ns": START_NS,
        "flow_id": number,
        "community_id": f"1:{number}",
        "src_ip": source,
        "src_port": 40_000 + number,
        "dest_ip": SERVER,
        "dest_port": 25,
        "src_internal": source.startswith("172.16."),
        "dest_internal": True,
        "src_mac": None,
        "dest_mac": None,
        "vlan": [],
        "in_iface": "day.pcap",
        "frame": 7,
    } | columns


def mail(second: float, source: str, sender: str, recipients: dict[str, int], **columns: Any) -> MailRow:
    delivered = sum(code == 250 for code in recipients.values())
    row: Any = flow(second, source, int(second)) | {
        "protocol": "smtp",
        "command": "",
        "helo": "mail",
        "user": "",
        "mail_from": sender,
        "mail_code": 250,
        "rcpt_to": [{"address": to, "code": code, "reply": ""} for to, code in recipients.items()],
        "data_code": 250 if delivered else 0,
        "data_reply": "",
        "delivered": delivered,
        "status": "delivered" if delivered == len(recipients) else "partly" if delivered else "refused",
        "tls": False,
        "has_message": bool(delivered),
        "from_address": sender,
        "from_name": "",
        "sender": "",
        "reply_to": "",
        "to": list(recipients),
        "cc": [],
        "subject": "an ordinary subject",
        "date": "",
        "message_id": f"<{second}@{source}>",
        "x_mailer": "",
        "received": [],
        "list_id": "",
        "urls": [],
        "attachments": [],
        "body_md5": "",
        "excerpt": "",
        "size_bytes": 100,
        "truncated": False,
        "charset": "",
        "defects": [],
    }
    return row | columns  # type: ignore[no-any-return]


def phishing(second: float, recipients: dict[str, int], **columns: Any) -> MailRow:
    link = {"url": URL, "shown": "https://mail.t3sec.cc", "source": "html"}
    told: dict[str, Any] = {"subject": "新系统上线"}
    if 250 in recipients.values():
        told |= {"urls": [link], "excerpt": "Please click"}
    told |= columns
    return mail(second, ATTACKER, "IT@t3sec.cc", recipients, **told)


def campaign() -> list[MailRow]:
    sent = [phishing(n, {f"user{n}@t3sec.cc": 550 if n % 10 == 0 else 250}) for n in range(1, 41)]
    sent += [mail(100 + n, HARMLESS, "orders@supplier.example", {"user1@t3sec.cc": 250}) for n in range(3)]
    return sent


def login(second: float, success: bool | None, protocol: str = "http", user: str = "li.wei@t3sec.cc") -> LoginRow:
    row: Any = flow(second, ATTACKER, 1000 + int(second))
    row |= {"protocol": protocol, "mechanism": "form", "user": user, "success": success, "clear": True}
    return row  # type: ignore[no-any-return]


def web(second: float, **columns: Any) -> dict[str, Any]:
    return flow(second, ATTACKER, 2000 + int(second), dest_port=80) | {
        "proto": "TCP",
        "category": "web.sqli",
        "rule": "union-select",
        "weakness": "SQL injection",
        "severity": 2,
        "method": "GET",
        "host": "mail.t3sec.cc",
        "path": "/search",
        "place": "query",
        "parameter": "q",
        "excerpt": "1' UNION SELECT 1",
        "user_agent": "",
        "status": 500,
        "length": 10,
        "page_bytes": 10,
        "delay_seconds": 0.1,
        "usual_seconds": None,
        "evidence": "",
        "succeeded": False,
        "count": 1,
        **columns,
    }


def click(second: float, source: str) -> dict[str, Any]:
    host = "211341.vhost328.cloudvhost.cn"
    return flow(second, source) | {"protocol": "http", "host": host, "target": "/login", "exact": True}
