"""The phishing case and its variants, from packets to the answers of the report."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from socket import inet_ntoa
from tempfile import TemporaryDirectory
from typing import Any

import dpkt
import pytest

from sensor.cli.main import main
from tests.traffic.case import GBK_TEXT, Case
from tests.traffic.case_capture import write_case

VARIANTS = {
    "base": Case(),
    "gbk": Case(mailboxes=40, subject="新系统上线", text=GBK_TEXT, charset="gb18030", transfer="base64"),
    "misleading link": Case(
        mailboxes=40, sender="help@service.example", shown="http://mail.t3sec.cc/login", transfer="quoted-printable"
    ),
    "other names": Case(
        mailboxes=40, attacker="198.18.7.7", sender="ceo@corp.example", domain="corp.example", url="https://pay.example"
    ),
    "in ERSPAN": Case(mailboxes=40, carriage="erspan"),
    "in a VLAN, shown twice": Case(mailboxes=40, carriage="vlan", copies=2),
}


@cache
def report(name: str, files: int = 1) -> dict[str, Any]:
    with TemporaryDirectory() as directory:
        return report_in(Path(directory), VARIANTS[name], files)


def report_in(directory: Path, case: Case, files: int) -> dict[str, Any]:
    captures = [directory / f"{number}.pcap" for number in range(files)]
    write_case(case, *captures)
    config = directory / "spanwatch.yaml"
    networks = {"mail_domains": [case.domain], "mail_servers": [case.mail_server]}
    config.write_text(
        json.dumps({"networks": networks, "pcap_ring": {"enabled": False}, "capture": {"deduplicate": "on"}})
    )
    out = directory / "out"
    assert main(["read", "-c", str(config), "--report", "-o", str(out), *map(str, captures)]) == 0
    assert case.url in (out / "report.html").read_text()
    told: dict[str, Any] = json.loads((out / "report.json").read_text())
    return told


@pytest.mark.parametrize("name", VARIANTS)
def test_the_forged_sender_its_source_and_its_link(name: str) -> None:
    answers, told = VARIANTS[name].answers, report(name)
    first = told["senders"][0]
    assert (first["address"], first["messages"], first["sources"]) == (
        answers.senders[0],
        answers.messages,
        [answers.source],
    )
    assert first["spoofed"] == (VARIANTS[name].sender.endswith(VARIANTS[name].domain))
    assert told["mail_sources"][0]["ip"] == answers.source
    link = next(link for link in told["urls"] if link["url"].startswith(answers.url))
    assert sorted(link["clicked_by"]) == sorted(answers.clicked_by)
    assert link == told["urls"][0]


@pytest.mark.parametrize("name", VARIANTS)
def test_what_was_delivered_and_what_was_refused(name: str) -> None:
    answers, told = VARIANTS[name].answers, report(name)
    of_it = [row for row in told["deliveries"] if row["sender"] == answers.senders[0]]
    phishing = [row for row in of_it if row["phishing"]]
    assert {row["subject"] for row in phishing} == {answers.subject}
    assert {address for row in of_it for address in row["delivered"]} == set(answers.delivered)
    assert {address for row in of_it for address in row["refused"]} == set(answers.refused)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_the_intruder_did_and_where_he_logged_in(name: str) -> None:
    answers, told = VARIANTS[name].answers, report(name)
    by_him = {(row["category"], row["path"]) for row in told["attacks"] if row["source"] == answers.source}
    assert {(attack.category, attack.path) for attack in answers.attacks} <= by_him
    injections = [row for row in told["attacks"] if row["category"] == "web.sqli"]
    [injection] = [attack for attack in answers.attacks if attack.category == "web.sqli"]
    assert sum(row["requests"] for row in injections) == injection.requests
    assert sum(row["succeeded"] for row in injections) == injection.succeeded
    succeeded = {row["path"] for row in told["attacks"] if row["category"] == "web.webshell" and row["succeeded"]}
    assert succeeded == {attack.path for attack in answers.attacks if attack.category == "web.webshell"}
    logins = {
        (row["protocol"], row["user"], row["source"], row["attempts"], row["success"])
        for row in told["accounts"]
        if row["source"] == answers.source
    }
    assert logins == {
        (login.protocol, login.user, login.source, login.attempts, login.success) for login in answers.logins
    }
    actions = next(row for row in told["attackers"] if row["source"] == answers.source)["actions"]
    assert {action["kind"] for action in actions} >= {"mail", "login", "web.webshell"}
    assert all(action["community_id"] and action["file"] and action["frame"] for action in actions)


FINDINGS = ("senders", "mail_sources", "urls", "deliveries", "attacks", "accounts")


def findings(told: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [row for section in FINDINGS for row in told[section]]
    rows += [action for attacker in told["attackers"] for action in attacker["actions"]]
    return rows + [alert for alert in told["alerts"] if "frame" in alert]


@pytest.mark.parametrize("files", [1, 3])
def test_every_finding_leads_to_a_packet_of_its_flow(tmp_path: Path, files: int) -> None:
    told = report_in(tmp_path, VARIANTS["base"], files)
    frames = {path.name: [frame for _, frame in dpkt.pcap.Reader(path.open("rb"))] for path in tmp_path.glob("*.pcap")}
    led_to = set()
    for row in findings(told):
        packet = dpkt.ethernet.Ethernet(frames[Path(row["file"]).name][row["frame"] - 1]).data
        ends = [f"ip.addr == {inet_ntoa(address)}" for address in (packet.src, packet.dst)]
        kind = "udp" if packet.p == dpkt.ip.IP_PROTO_UDP else "tcp"
        ports = [f"{kind}.port == {port}" for port in (packet.data.sport, packet.data.dport)]
        assert sorted(row["filter"].split(" && ")) == sorted([*ends, *ports])
        assert row["community_id"].startswith("1:")
        led_to.add(Path(row["file"]).name)
    assert len(led_to) == files


def test_spread_over_files_it_says_the_same() -> None:
    def without_files(told: dict[str, Any]) -> dict[str, Any]:
        return {
            section: [{name: value for name, value in row.items() if name not in {"file", "frame"}} for row in rows]
            for section, rows in told.items()
            if section in FINDINGS
        }

    assert without_files(report("base", 3)) == without_files(report("base"))
