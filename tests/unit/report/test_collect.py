import json
from pathlib import Path
from typing import Any

import pytest

from sensor.cli.main import main
from sensor.config import Config
from sensor.engine import Batch
from sensor.mail.judge import MailJudge
from sensor.mail.outliers import outlying
from sensor.report.accounts import AccountSection
from sensor.report.alerts import AlertSection
from sensor.report.attackers import AttackerSection
from sensor.report.attacks import AttackSection
from sensor.report.collect import Report
from sensor.report.finding import wireshark_filter
from sensor.report.letters import MailFiles
from sensor.report.mails import MailSections
from sensor.report.traffic import hosts
from tests.traffic.build import Conversation, Endpoint, write_pcap
from tests.unit.report import rows


@pytest.fixture
def mails() -> MailSections:
    sections = MailSections()
    sections.take(rows.campaign())
    sections.take_judged(MailJudge(Config()).take(Batch(0, mails=rows.campaign())).judged)
    sections.take_clicks([rows.click(200, "172.16.60.101")])
    return sections


def test_the_forged_sender_leads_and_stands_out(mails: MailSections) -> None:
    first, second = mails.senders()
    assert (first["address"], first["messages"], first["recipients"]) == ("it@t3sec.cc", 36, 40)
    assert (first["sources"], first["outlier"], first["spoofed"]) == ([rows.ATTACKER], True, True)
    assert (second["address"], second["outlier"], second["spoofed"]) == ("orders@supplier.example", False, False)
    assert (first["community_id"], first["file"]) == ("1:1", "day.pcap")
    assert first["filter"] == (
        f"ip.addr == {rows.ATTACKER} && ip.addr == {rows.SERVER} && tcp.port == 40001 && tcp.port == 25"
    )
    assert (first["first_seen"], first["last_seen"]) == (
        "2026-11-22T07:00:01.000000+0000",
        "2026-11-22T07:00:40.000000+0000",
    )


def test_sources_links_and_deliveries(mails: MailSections) -> None:
    assert [(row["ip"], row["messages"]) for row in mails.mail_sources()] == [(rows.ATTACKER, 36), (rows.HARMLESS, 3)]
    [link] = mails.urls()
    assert (link["url"], link["messages"], link["clicked_by"]) == (rows.URL, 36, ["172.16.60.101"])
    assert (link["senders"], link["shown"]) == (["it@t3sec.cc"], ["https://mail.t3sec.cc"])
    first, second = mails.deliveries()
    assert (first["phishing"], first["subject"], first["urls"]) == (True, "新系统上线", [rows.URL])
    assert (len(first["delivered"]), first["refused"][0], len(first["refused"])) == (36, "user10@t3sec.cc", 4)
    assert first["clicked_by"] == ["172.16.60.101"]
    assert (second["phishing"], second["delivered"]) == (False, ["user1@t3sec.cc"])


def test_a_mail_that_is_relayed_or_read_counts_once() -> None:
    sections = MailSections()
    original = rows.phishing(1, {"user1@t3sec.cc": 250})
    relayed: Any = {**original, "src_ip": rows.SERVER, "src_internal": True, "time_ns": original["time_ns"] + 1}
    read: Any = {**original, "protocol": "pop3", "command": "RETR", "rcpt_to": []}
    sections.take([original, relayed, read])
    [sender] = sections.senders()
    assert (sender["messages"], sender["sources"]) == (1, [rows.ATTACKER])
    assert [row["messages"] for row in sections.mail_sources()] == [1]


def test_one_that_is_refused_first_and_taken_later_has_the_mail() -> None:
    sections = MailSections()
    sections.take([rows.phishing(1, {"a@t3sec.cc": 451}), rows.phishing(2, {"a@t3sec.cc": 250})])
    [delivery] = sections.deliveries()
    assert (delivery["delivered"], delivery["refused"]) == (["a@t3sec.cc"], [])


def test_mail_that_nobody_speaks_against_is_no_phishing() -> None:
    link: Any = [{"url": rows.URL, "shown": "", "source": "text"}]
    news = [
        rows.mail(
            n, rows.HARMLESS, "news@shop.example", {f"u{n}@t3sec.cc": 250}, urls=link, list_id="<news.shop.example>"
        )
        for n in range(1, 41)
    ]
    turns = [
        rows.mail(
            100 + n, rows.ATTACKER, f"x{n}@evil.example", {f"u{n}@t3sec.cc": 250}, urls=link, subject="Pay now 123"
        )
        for n in range(1, 41)
    ]
    sections = MailSections()
    sections.take([*news, *turns])
    sections.take_judged(MailJudge(Config()).take(Batch(0, mails=[*news, *turns])).judged)
    phishing = {row["sender"] for row in sections.deliveries() if row["phishing"]}
    assert phishing == {f"x{n}@evil.example" for n in range(1, 41)}


def test_messages_lie_beside_the_report_and_belong_to_their_deliveries(tmp_path: Path) -> None:
    sent = rows.phishing(1, {"a@t3sec.cc": 250}, message_id="../<1>@x y", size_bytes=3)
    read: Any = {**sent, "protocol": "pop3", "rcpt_to": [], "truncated": True}
    lost = rows.phishing(2, {"b@t3sec.cc": 250}, size_bytes=9)
    (tmp_path / "mail").mkdir()
    earlier, foreign = tmp_path / "mail" / "20260101T000000Z-00001-smtp.eml", tmp_path / "mail" / "mine.eml"
    earlier.touch()
    foreign.touch()
    files = MailFiles(tmp_path)
    sections = MailSections(files)
    sections.take([sent, read, lost], [b"abc", b"a", b""])
    [delivery] = sections.deliveries()
    names = ["mail/20261122T070001Z-00001-smtp-1_@x_y.eml", "mail/20261122T070001Z-00002-pop3-1_@x_y-partial.eml"]
    assert delivery["eml"] == names
    assert [(tmp_path / name).read_bytes() for name in names] == [b"abc", b"a"]
    assert (files.written, files.left_out) == (2, 1)
    assert not earlier.exists()
    assert foreign.exists()


def test_alerts_name_the_flow_that_they_rest_on() -> None:
    section = AlertSection()
    section.take(MailJudge(Config()).take(Batch(0, mails=rows.campaign())))
    described = {"host": rows.SERVER, "indicator": "it@t3sec.cc", "severity": "high", "opened": "2026"}
    silent = {"host": "", "indicator": "mirror", "severity": "medium", "opened": "2026"}
    first, second = section.alerts([silent, described])
    assert (first["community_id"], first["file"], first["frame"]) == ("1:1", "day.pcap", 7)
    assert first["filter"].endswith("tcp.port == 40001 && tcp.port == 25")
    assert second == silent


@pytest.mark.parametrize(
    ("messages", "standing_out"),
    [([], 0), ([500], 0), ([200, 20], 1), ([199, 20], 0), ([19, 1], 0), ([50, 45, 4, 3], 2), ([10, 9, 8], 0)],
)
def test_an_outlier_sends_ten_times_as_much_as_the_next(messages: list[int], standing_out: int) -> None:
    assert outlying(messages) == standing_out


def test_attacks_tell_weakness_and_success() -> None:
    section = AttackSection()
    tried: list[Any] = [rows.web(n) for n in range(3)]
    shell: Any = rows.web(
        9, category="web.webshell", path="/up/x.php", parameter="cmd", succeeded=True, evidence="uid=33"
    )
    section.take([*tried, shell])
    first, second = section.attacks()
    assert (first["path"], first["succeeded"], first["evidence"]) == ("/up/x.php", 1, ["uid=33"])
    assert first["first_success"] == "2026-11-22T07:00:09.000000+0000"
    assert (second["category"], second["requests"], second["succeeded"], second["first_success"]) == (
        "web.sqli",
        3,
        0,
        None,
    )
    assert (second["source"], second["server"], second["statuses"]) == (rows.ATTACKER, rows.SERVER, ["500"])


def test_an_account_that_was_guessed_leads() -> None:
    section = AccountSection()
    section.take([rows.login(0, None, "imap", "zhao"), *(rows.login(n, n == 4) for n in range(1, 5))])
    first, second = section.accounts()
    assert (first["user"], first["attempts"], first["success"]) == ("li.wei@t3sec.cc", 4, True)
    assert (second["user"], second["success"]) == ("zhao", None)


def test_what_an_attacker_did_stands_in_order() -> None:
    section = AttackerSection()
    section.take_web([rows.web(300), rows.web(301), rows.web(302, succeeded=True)])
    section.take_logins([rows.login(200, success=False), rows.login(201, success=True)])
    section.take_mails(rows.campaign())
    [row] = section.attackers({rows.ATTACKER: "attacked", "192.0.2.1": "never seen"})
    kinds = [(action["kind"], action["count"]) for action in row["actions"]]
    assert kinds == [("mail", 36), ("mail", 4), ("login", 1), ("login", 1), ("web.sqli", 2), ("web.sqli", 1)]
    assert row["actions"][-1]["text"] == "GET mail.t3sec.cc/search q: SQL injection (succeeded)"


def test_a_filter_opens_the_flow() -> None:
    assert wireshark_filter("2001:db8::1", "2001:db8::2", "UDP", (53, 9)) == (
        "ipv6.addr == 2001:db8::1 && ipv6.addr == 2001:db8::2 && udp.port == 53 && udp.port == 9"
    )
    assert wireshark_filter("10.0.0.1", "10.0.0.2", "ICMP", (None, 8)) == "ip.addr == 10.0.0.1 && ip.addr == 10.0.0.2"


def test_flow_records_become_conversations_hosts_and_a_timeline(tmp_path: Path) -> None:
    pc, server = Endpoint("02:00:00:00:00:01", "10.0.0.5", 4000), Endpoint("02:00:00:00:00:02", "192.0.2.9", 80)
    talk = Conversation(pc, server)
    frames = [*talk.open(), *talk.send(b"x" * 3000, from_client=True), *talk.close()]
    write_pcap(tmp_path / "a.pcap", [(rows.START_NS + n * 10**9, frame) for n, frame in enumerate(frames)])
    assert main(["read", "--report", "-o", str(tmp_path), str(tmp_path / "a.pcap")]) == 0
    document = json.loads((tmp_path / "report.json").read_text())
    [row] = document["conversations"]
    assert (row["source"], row["port"], row["flows"], row["packets"]) == ("10.0.0.5", 80, 1, len(frames))
    assert (row["file"], row["frame"]) == (str(tmp_path / "a.pcap"), 1)
    assert row["filter"] == "ip.addr == 10.0.0.5 && ip.addr == 192.0.2.9 && tcp.port == 80"
    assert row["first_seen"] == "2026-11-22T07:00:00.000000+0000"
    [host] = document["hosts"]
    assert (host["ip"], host["name"], host["bytes_out"]) == ("10.0.0.5", None, row["bytes_toserver"])
    [protocol] = document["protocols"]
    assert (protocol["proto"], protocol["packets"]) == ("TCP", len(frames))
    assert [step["packets"] for step in document["timeline"]] == [1] * len(frames)
    assert document["timeline"][0]["time"] == "2026-11-22T07:00:00.000000+0000"


def test_machines_give_hosts_their_names() -> None:
    row = {"ip": "fc00::5", "first_ns": rows.START_NS, "last_ns": rows.START_NS, "bytes_out": 1}
    [named] = hosts([row], [{"ip": "fc00::5", "name": "pc-1", "mac": "02:00:00:00:00:01", "vendor": None}])
    assert (named["name"], named["mac"], named["filter"]) == ("pc-1", "02:00:00:00:00:01", "ipv6.addr == fc00::5")


def test_the_document_has_the_fixed_keys() -> None:
    document = finished(Report())
    assert list(document) == [
        *("senders", "mail_sources", "urls", "deliveries", "attacks", "attackers", "accounts"),
        *("hosts", "conversations", "protocols", "timeline", "alerts", "not_understood", "mirror"),
    ]
    assert json.loads(json.dumps(document)) == document
    assert document["not_understood"] == [
        {"what": "frame", "layer": "ip", "reason": "truncated", "count": 3},
        {"what": "flow", "layer": "unknown", "reason": "protocol not recognised", "count": 2},
    ]


def finished(report: Report) -> dict[str, Any]:
    counters: Any = {
        "decode_errors": [
            {"layer": "ip", "error": "truncated", "frames": 3},
            {"layer": "ip", "error": "x", "frames": 0},
        ],
        "names": {"errors": [], "flows": [{"app_proto": "unknown", "flows": 2}, {"app_proto": "tls", "flows": 9}]},
        "mirror": {"verdict": "ok", "reasons": [], "sources": []},
        "warnings": [],
    }
    nothing: Any = {key: [] for key in ("protocols", "conversations", "hosts", "timeline")}
    report.finish(counters, {**nothing, "left_out": 0}, [], [])
    return report.document
