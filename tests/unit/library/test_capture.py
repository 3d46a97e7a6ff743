import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import nanoarrow
import pytest

import sensor
from sensor.demo.messages import dns_answer, dns_query, http_get, http_ok
from sensor.library.records import KINDS, DnsMessage, HttpExchange
from sensor.library.settings import DEFAULTS, default_settings
from sensor.mail.rows import LoginRow, MailRow
from tests.traffic.build import Conversation, Endpoint, udp, write_pcap
from tests.traffic.case import Case
from tests.traffic.case_capture import write_case

START_NS = 1_795_330_800 * 1_000_000_000
PC = Endpoint("02:00:00:00:00:01", "10.20.3.44", 50_000)
WEB = Endpoint("02:00:00:00:00:02", "203.0.113.9", 80)
RESOLVER = Endpoint("02:00:00:00:00:03", "10.20.0.4", 53)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A look-up, and in the second file the request that it led to, packed."""
    looked_up = [udp(PC, RESOLVER, dns_query("www.example.com", 7))]
    looked_up.append(udp(RESOLVER, PC, dns_answer("www.example.com", 7, WEB.address)))
    talk = Conversation(PC, WEB)
    asked = [*talk.open(), *talk.send(http_get("www.example.com", "/plan?year=1"), from_client=True)]
    asked += [*talk.send(http_ok(300), from_client=False), *talk.close()]
    names, web = tmp_path / "names.pcap", tmp_path / "web.pcap.gz"
    write_pcap(names, [(START_NS + n * 1000, frame) for n, frame in enumerate(looked_up)])
    write_pcap(tmp_path / "web.pcap", [(START_NS + 5_000_000 + n * 1000, frame) for n, frame in enumerate(asked)])
    web.write_bytes(gzip.compress((tmp_path / "web.pcap").read_bytes()))
    return names, web


def test_flows_of_several_files_tell_where_they_begin(files: tuple[Path, Path]) -> None:
    with sensor.open(*files) as capture:
        flows = {flow.app_proto: flow for flow in capture.flows()}
    web = flows["http"]
    assert (web.src_ip, web.src_port, web.proto) == (PC.address, 50_000, "TCP")
    assert (web.dest_ip, web.dest_port) == (WEB.address, 80)
    assert (web.in_iface, web.frame, flows["dns"].in_iface) == (str(files[1]), 1, str(files[0]))
    assert web.start == datetime(2026, 11, 22, 7, 0, 0, 5000, UTC)
    assert (web.src_internal, web.dest_internal, web.name, web.reason) == (True, False, "www.example.com", "fin")


def test_a_filter_keeps_the_numbers_of_the_file(files: tuple[Path, Path]) -> None:
    with sensor.open(files[0], filter="src host 10.20.0.4") as capture:
        assert [flow.frame for flow in capture.flows()] == [2]


def test_requests_and_answers(files: tuple[Path, Path]) -> None:
    with sensor.open(*files) as capture:
        [request] = capture.http()
        question, answer = capture.dns()
        assert {type(record).__name__ for record in capture.records("dns", "http")} == {"HttpExchange", "DnsMessage"}
    assert (request.method, request.host, request.url, request.status) == (
        "GET",
        "www.example.com",
        "/plan?year=1",
        200,
    )
    assert (question.response, question.query, question.query_type) == (False, "www.example.com", "A")
    assert (answer.answer_type, answer.answer_data) == (["A"], [WEB.address])


def test_networks_say_what_is_internal(files: tuple[Path, Path]) -> None:
    [flow] = sensor.open(files[1], networks=["203.0.113.0/24"]).flows()
    assert (flow.src_internal, flow.dest_internal) == (False, True)


def test_tables_are_arrow_streams_also_without_records(files: tuple[Path, Path]) -> None:
    tables = sensor.open(*files).tables()
    assert {kind: len(table) for kind, table in tables.items()} == {
        "flow": 2,
        "dns": 2,
        "tls": 0,
        "quic": 0,
        "http": 1,
        "ssh": 0,
        "mail": 0,
        "login": 0,
    }
    row: Any  # mypy takes a TypedDict for a type without attributes
    for kind, row in {"mail": MailRow, "login": LoginRow}.items():
        names = {field.name for field in nanoarrow.ArrayStream(tables[kind]).schema.fields}
        assert names == row.__required_keys__
    for kind, record in KINDS.items():
        stream = nanoarrow.ArrayStream(tables[kind])
        assert tuple(field.name for field in stream.schema.fields) == record._fields
        assert len(stream.read_all()) == len(tables[kind])
    assert [row["url"] for row in tables["http"].rows()] == ["/plan?year=1"]


def test_what_cannot_be_read_says_so(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("nothing of the kind")
    with pytest.raises(FileNotFoundError, match=r"missing\.pcap"):
        sensor.open(tmp_path / "missing.pcap")
    with pytest.raises(ValueError, match=r"note\.txt"):
        list(sensor.open(tmp_path / "note.txt").flows())
    with pytest.raises(ValueError, match="filter"):
        sensor.open(files[0], filter="no such thing")
    with pytest.raises(ValueError, match="network"):
        sensor.open(files[0], networks=["ten"])
    with pytest.raises(ValueError, match="not of ftp"):
        sensor.open(files[0]).arrow("ftp")
    with pytest.raises(ValueError, match="no file"):
        sensor.open()


def test_a_cut_file_gives_what_stands_before_and_names_the_place(files: tuple[Path, Path]) -> None:
    cut = files[0]
    cut.write_bytes(cut.read_bytes()[:-1])
    found: list[DnsMessage] = []
    with pytest.raises(ValueError, match=r"names\.pcap is cut short .* at byte"):
        found.extend(sensor.open(cut).dns())
    assert [message.response for message in sensor.open(cut, strict=False).dns()] == [False]


def test_whoever_stops_early_leaves_nothing_behind(tmp_path: Path) -> None:
    many = tmp_path / "many.pcap"
    end = [Endpoint("02:00:00:00:00:01", f"10.20.{n // 200}.{n % 200 + 1}", 1000) for n in range(20_000)]
    write_pcap(many, [(START_NS + n * 10_000_000, udp(one, RESOLVER, b"x")) for n, one in enumerate(end)])
    with sensor.open(many) as capture:
        next(capture.flows())
        next(capture.flows())
    assert sum(1 for _ in capture.flows()) == len({one.address for one in end})


def test_mails_and_logins_are_told(tmp_path: Path) -> None:
    case = Case(mailboxes=10)
    write_case(case, tmp_path / "case.pcap")
    with sensor.open(tmp_path / "case.pcap") as capture:
        mails = [mail for mail in capture.mails() if mail["from_address"] == case.sender and mail["protocol"] == "smtp"]
        logins = {(login["protocol"], login["user"]) for login in capture.logins() if login["success"]}
    assert len(mails) == case.answers.messages
    assert {link["url"] for mail in mails for link in mail["urls"]} == {case.url}
    assert {(login.protocol, login.user) for login in case.answers.logins} <= logins


def test_one_pass_gives_mails_and_requests(tmp_path: Path) -> None:
    case = Case(mailboxes=10)
    write_case(case, tmp_path / "case.pcap")
    with sensor.open(tmp_path / "case.pcap") as capture:
        told = list(capture.records("http", "mail", "login"))
        apart = [*capture.http(), *capture.mails(), *capture.logins()]
    assert {HttpExchange, dict} == {type(record) for record in told}
    assert sorted(map(repr, told)) == sorted(map(repr, apart))


def test_captures_are_read_by_the_defaults_of_the_configuration() -> None:
    assert json.loads(DEFAULTS.read_text()) == default_settings()


def test_mails_and_logins_are_tables_too(tmp_path: Path) -> None:
    write_case(Case(mailboxes=10), tmp_path / "case.pcap")
    capture = sensor.open(tmp_path / "case.pcap")
    tables = capture.tables("mail", "login", "http")
    assert list(tables["mail"].rows()) == list(capture.mails())
    assert list(tables["login"].rows()) == list(capture.logins())
    assert len(tables["http"]) == sum(1 for _ in capture.http())
    assert sum(map(len, capture.batches("login"))) == len(tables["login"])
    links = "SELECT DISTINCT u.url FROM (SELECT unnest(urls) AS u FROM mails)"
    with duckdb.connect() as database:
        database.register("mails", tables["mail"])
        assert (Case().url,) in database.execute(links).fetchall()
