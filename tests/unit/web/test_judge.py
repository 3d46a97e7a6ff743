"""What is made of web findings: one incident a source, server and category, with its outcome."""

from typing import Any, cast

from sensor.alerts.policy import Policy
from sensor.alerts.rules import Severity
from sensor.config.detection import Web
from sensor.engine import Batch
from sensor.mail.rows import LoginRow
from sensor.web.judge import WebJudge
from sensor.web.rows import WebRow
from tests.unit.samples import SECOND, START

SERVER, SOURCE = "10.0.0.80", "198.51.100.7"


def _flow(time_ns: int) -> dict[str, Any]:
    return {
        "time_ns": time_ns, "start_ns": time_ns, "flow_id": 7, "community_id": "1:x=", "src_ip": SOURCE,
        "src_port": 40_000, "dest_ip": SERVER, "dest_port": 80, "src_internal": False, "dest_internal": True,
        "src_mac": None, "dest_mac": "02:00:00:00:00:50", "vlan": [], "in_iface": "eth1", "frame": None,
    }  # fmt: skip


def web(time_ns: int = START, **changes: Any) -> WebRow:
    """A request with SQL that was turned down."""
    row = _flow(time_ns) | {
        "proto": "TCP", "category": "web.sqli", "rule": "sqli-union", "weakness": "SQL injection", "severity": 1,
        "method": "GET", "host": "shop.example", "path": "/item.php", "place": "query", "parameter": "id",
        "excerpt": "id=1 union select 2", "user_agent": "curl", "status": 403, "length": 12, "page_bytes": 12,
        "delay_seconds": 0.1, "usual_seconds": None, "evidence": "",
        "succeeded": False, "count": 1,
    }  # fmt: skip
    return cast("WebRow", row | changes)


def login(time_ns: int, *, success: bool | None = False, **changes: Any) -> LoginRow:
    """A login that failed."""
    row = {"protocol": "http", "mechanism": "FORM", "user": "admin", "success": success, "clear": True}
    return cast("LoginRow", _flow(time_ns) | row | changes)


def judge(rows: Batch, who: Any = None) -> list[Any]:
    return list(WebJudge(Web(), who or (lambda *_: None)).take(rows).judged)


def test_what_was_tried_is_medium_and_what_succeeded_high() -> None:
    tried, done = judge(Batch(START, web=[web(), web(START + SECOND, succeeded=True, evidence="a file", count=3)]))
    assert (tried["rule"], tried["severity"], tried["host"], tried["subject"]) == (
        "web.sqli", Severity.MEDIUM, SERVER, SOURCE,
    )  # fmt: skip
    assert tried["text"] == "1 request, tried, at shop.example/item.php id"
    assert tried["notes"] == [
        f"from {SOURCE}", "SQL injection in query id", "id=1 union select 2", "answered 403, 12 B",
    ]  # fmt: skip
    assert (done["severity"], done["notes"][-1]) == (Severity.HIGH, "a file")
    assert done["text"].startswith("4 requests, 3 succeeded, first ")
    assert done["context"]["http"]["url"] == "/item.php"


def test_the_policy_makes_one_incident_of_a_source_and_raises_it() -> None:
    batch = WebJudge(Web(), lambda *_: None).take(
        Batch(START + SECOND, web=[web(), web(START + SECOND, succeeded=True)])
    )
    policy = Policy()
    policy.take(batch)
    (incident,) = policy.describe()
    assert (incident["rule"], incident["severity"], incident["host"]) == ("web.sqli", "high", SERVER)


def test_an_attacker_inside_is_named() -> None:
    machine = {"name": "PC-0417", "mac": None, "vendor": None}
    row = web(src_ip="10.0.0.9", src_internal=True)
    (judged,) = judge(Batch(START, web=[row]), lambda *_: machine)
    assert judged["notes"][0] == "from 10.0.0.9 (PC-0417)"
    (outward,) = judge(Batch(START, web=[web(src_internal=True, dest_internal=False)]))
    assert (outward["host"], outward["remote"]) == (SOURCE, SERVER)


def test_foreign_text_is_escaped_and_places_are_few() -> None:
    rows = [web(START + number, path=f"/{number}\x1b[2J") for number in range(20)]
    last = judge(Batch(START, web=rows))[-1]
    assert "\x1b" not in last["text"] + "".join(last["notes"])
    assert last["text"].endswith("/4\\x1b[2J id, …")


def test_many_failed_logins_are_guessing_and_a_success_after_them_is_high() -> None:
    failed = [login(START + number * SECOND, user=f"u{number % 3}") for number in range(10)]
    judged = judge(Batch(START, logins=[*failed, login(START + 10 * SECOND, success=True, user="u1")]))
    assert [row["rule"] for row in judged] == ["web.bruteforce"] * 2
    assert judged[0]["text"] == "10 failed logins in 10m with 3 user names"
    assert (judged[0]["severity"], judged[1]["severity"]) == (Severity.MEDIUM, Severity.HIGH)
    assert judged[1]["text"].endswith("then u1 logged in")


def test_mail_is_counted_apart_and_slow_or_successful_logins_are_nothing() -> None:
    mixed = [login(START + number, protocol="pop3" if number % 2 else "http") for number in range(18)]
    assert judge(Batch(START, logins=mixed)) == []
    mail = [login(START + number, protocol="imap") for number in range(10)]
    assert [row["rule"] for row in judge(Batch(START, logins=mail))] == ["mail.bruteforce"]
    slow = [login(START + number * 100 * SECOND) for number in range(30)]
    assert judge(Batch(START, logins=slow)) == []
    fine = [login(START + number, success=[True, None][number % 2]) for number in range(50)]
    assert judge(Batch(START, logins=fine)) == []
