from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor.demo.messages import client_hello, dns_answer, dns_query, http_get, http_ok, server_hello
from sensor.history.tree import Made, compacted_name
from sensor.hunt import search
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from tests.traffic.build import Conversation, Endpoint, udp, write_pcap
from tests.unit.hunt.history import HistoryTree
from tests.unit.hunt.hunting import hunt, hunt_for

START_NS = 1_795_330_800 * 1_000_000_000
HOUR_NS = 3600 * 1_000_000_000
PC = Endpoint("02:00:00:00:00:01", "10.20.3.44", 50_000)
OTHER_PC = Endpoint("02:00:00:00:00:09", "10.20.3.45", 50_001)
C2 = Endpoint("02:00:00:00:00:02", "203.0.113.9", 443)
WEB = Endpoint("02:00:00:00:00:02", "203.0.113.80", 8080)
RESOLVER = Endpoint("02:00:00:00:00:03", "10.20.0.4", 53)


def stamped(frames: list[bytes], at_ns: int) -> Iterator[tuple[int, bytes]]:
    yield from ((at_ns + n * 1_000_000, frame) for n, frame in enumerate(frames))


def tls(client: Endpoint, name: str) -> list[bytes]:
    talk = Conversation(client, C2)
    frames = [*talk.open(), *talk.send(client_hello(name, 1), from_client=True)]
    return [*frames, *talk.send(server_hello(1), from_client=False), *talk.close()]


def web(client: Endpoint, host: str, path: str) -> list[bytes]:
    talk = Conversation(client, WEB)
    frames = [*talk.open(), *talk.send(http_get(host, path), from_client=True)]
    return [*frames, *talk.send(http_ok(300), from_client=False), *talk.close()]


@pytest.fixture
def tree(tmp_path: Path) -> HistoryTree:
    """One host meets everything, another one only tries."""
    frames = [udp(PC, RESOLVER, dns_query("deep.evil.example", 7))]
    frames += [udp(RESOLVER, PC, dns_answer("deep.evil.example", 7, C2.address))]
    packets = list(stamped(frames, START_NS))
    packets += stamped(tls(PC, "deep.evil.example"), START_NS + 10**9)
    packets += stamped(web(PC, "Shop.example:8080", "/a?b=%41"), START_NS + HOUR_NS)
    packets += stamped(list(Conversation(OTHER_PC, C2).open())[:1], START_NS + 2 * HOUR_NS)
    write_pcap(tmp_path / "all.pcap", packets)
    tree = HistoryTree(tmp_path / "history")
    tree.add_capture(tmp_path / "all.pcap")
    return tree


def brief(found: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(row["ip"], row["contacts"], row["attempts"]) for row in found]


@pytest.mark.parametrize("word", ["203.0.113.9", "203.0.113.0/28", "203.0.113.9:443", "203[.]0[.]113[.]9"])
def test_an_address_is_met_or_only_tried(tree: HistoryTree, word: str) -> None:
    found = hunt(tree.root, word)
    assert brief(found) == [("10.20.3.45", 0, 1), ("10.20.3.44", 1, 0)]
    assert found[1]["mac"] == PC.mac
    assert found[1]["remotes"] == ["203.0.113.9:443"]
    [flow] = [row for row in tree.rows("flow") if row["src_ip"] == PC.address and row["dest_ip"] == C2.address]
    assert (found[1]["bytes_out"], found[1]["bytes_in"]) == (flow["bytes_toserver"], flow["bytes_toclient"])
    assert found[1]["community_id"] == flow["community_id"]
    assert found[1]["first_seen"] == "2026-11-22T07:00:01.000000+0000"


def test_another_port_is_not_met(tree: HistoryTree) -> None:
    assert hunt(tree.root, "203.0.113.9:80", "203.0.113.10", "198.51.100.0/24") == []


@pytest.mark.parametrize("word", ["deep.evil.example", "*.evil.example", "DEEP.Evil.example", "deep[.]evil[.]example"])
def test_a_name_is_met_where_it_is_asked_for_and_where_it_is_contacted(tree: HistoryTree, word: str) -> None:
    found = hunt(tree.root, word)
    assert brief(found) == [("10.20.3.44", 1, 1)]
    assert found[0]["seen_in"] == ["dns", "flow", "tls"]
    assert found[0]["remotes"] == ["203.0.113.9:443"]


def test_names_that_are_too_many_at_once_are_matched_in_parts(
    tree: HistoryTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("*.evil.example", "shop.example", "deep.evil.example")
    whole = hunt(tree.root, *words)
    monkeypatch.setattr(search, "_MOST_NAMES", 1)
    assert len(whole) == 3
    assert hunt(tree.root, *words) == whole


def test_a_name_alone_is_none_above_or_below_it(tree: HistoryTree) -> None:
    assert hunt(tree.root, "evil.example", "vil.example", "*.deeper.evil.example", "deep.evil.example.com") == []


@pytest.mark.parametrize("word", ["shop.example", "http://shop.example:8080/a?b=A", "hxxp://SHOP[.]example:8080/a?b=A"])
def test_a_host_and_a_url_are_met_in_requests(tree: HistoryTree, word: str) -> None:
    found = hunt(tree.root, word)
    assert brief(found) == [("10.20.3.44", 1, 0)]
    assert "http" in found[0]["seen_in"]


def test_another_url_of_the_host_is_not_met(tree: HistoryTree) -> None:
    assert (
        hunt(tree.root, "http://shop.example:8080/a", "http://shop.example/a?b=A", "https://shop.example:8080/a?b=A")
        == []
    )


def test_a_fingerprint_is_met(tree: HistoryTree) -> None:
    [hello] = tree.rows("tls")
    assert brief(hunt(tree.root, hello["ja4"])) == [("10.20.3.44", 1, 0)]
    assert hunt(tree.root, "t13d1516h2_8daaf6152771_e5627efa2ab1") == []


def test_mail_addresses_links_and_files_are_met(case_tree: HistoryTree) -> None:
    mails = case_tree.rows("mail")
    sent = [mail for mail in mails if mail["mail_from"] == "it@t3sec.cc" or mail["from_address"] == "it@t3sec.cc"]
    found = hunt(case_tree.root, "IT@t3sec.cc")
    assert sum(row["contacts"] for row in found) == len({mail["flow_id"] for mail in sent})
    assert {row["indicator"] for row in found} == {"it@t3sec.cc"}
    link = next(mail["urls"][0]["url"] for mail in sent if mail["urls"])
    assert any("mail" in row["seen_in"] for row in hunt(case_tree.root, link))
    text = next(mail["body_md5"] for mail in sent if mail["body_md5"])
    assert hunt(case_tree.root, text)
    assert hunt(case_tree.root, "f" * 32, "nobody@t3sec.cc") == []


def test_a_window_cuts(tree: HistoryTree) -> None:
    assert brief(hunt(tree.root, "203.0.113.9", window=Window(START_NS + HOUR_NS))) == [("10.20.3.45", 0, 1)]
    until = Window(0, START_NS + HOUR_NS)
    assert brief(hunt(tree.root, "203.0.113.9", window=until)) == [("10.20.3.44", 1, 0)]


def test_closed_hours_answer_the_same(tree: HistoryTree) -> None:
    words = ("203.0.113.9:443", "203.0.113.0/24", "*.evil.example", "http://shop.example:8080/a?b=A")
    before = hunt(tree.root, *words)
    tree.close_hours()
    assert hunt(tree.root, *words) == before


def test_flows_that_an_hours_rollup_does_not_tell_of_yet_are_found(tree: HistoryTree, tmp_path: Path) -> None:
    tree.close_hours()
    write_pcap(tmp_path / "late.pcap", stamped(web(PC, "late.example", "/"), START_NS + HOUR_NS // 2))
    tree.add_capture(tmp_path / "late.pcap")
    for directory in (tree.root / "kind=flow").glob("day=*/hour=*"):
        for place, file in enumerate(list(directory.iterdir())):
            file.rename(directory / compacted_name(Made("0011aaff", 1), place))
    assert [row["seen_in"] for row in hunt(tree.root, "203.0.113.80")] == [["flow"]]
    assert hunt(tree.root, "203.0.113.80")[0]["contacts"] == 2


def test_rollups_answer_where_flows_are_gone(tree: HistoryTree) -> None:
    before = hunt(tree.root, "203.0.113.9")
    tree.close_hours(forget_flows=True)
    after = hunt(tree.root, "203.0.113.9")
    same = ("ip", "first_seen", "last_seen", "contacts", "attempts", "bytes_out", "bytes_in")
    assert [[row[name] for name in same] for row in after] == [[row[name] for name in same] for row in before]
    assert after[0]["seen_in"] == ["rollup"]


def test_what_a_list_allows_is_not_reported(tree: HistoryTree, tmp_path: Path) -> None:
    listed = tmp_path / "own.csv"
    listed.write_text(
        "indicator,type,action\n203.0.113.0/24,,\n203.0.113.9,,allow\n*.evil.example,suffix,\ndeep.evil.example,,allow\n"
        "http://shop.example:8080/a?b=A,,allow\n"
    )
    wanted = WantedSet()
    wanted.add_file(listed)
    found = hunt_for(tree.root, wanted)
    assert {(row["indicator"], *row["remotes"]) for row in found} == {
        ("203.0.113.0/24", "203.0.113.80:8080"),
    }


def test_who_had_the_address_then_is_told(tree: HistoryTree) -> None:
    def span(mac: str, name: str | None, first: int, last: int) -> dict[str, Any]:
        row = {"ip": PC.address, "mac": mac, "vlan": [20], "name": name, "time_ns": START_NS + last}
        return {**row, "first_seen_ns": START_NS + first, "last_seen_ns": START_NS + last}

    tree.add_hosts(
        [
            span("00:1b:44:11:3a:b7", None, 0, 10**9),
            span("00:1b:44:11:3a:b7", "PC-0417", 0, HOUR_NS // 2),
            span("00:1b:44:99:99:99", "PC-0500", HOUR_NS, 2 * HOUR_NS),
        ]
    )
    [met] = hunt(tree.root, "203.0.113.9", window=Window(0, START_NS + HOUR_NS))
    assert (met["mac"], met["name"], met["vlan"]) == ("00:1b:44:11:3a:b7", "PC-0417", [20])
    [met] = hunt(tree.root, "shop.example")
    assert (met["mac"], met["name"]) == ("00:1b:44:99:99:99", "PC-0500")


def test_two_machines_at_one_address_are_two_answers(tree: HistoryTree, tmp_path: Path) -> None:
    later = tmp_path / "later.pcap"
    successor = Endpoint("02:00:00:00:00:77", PC.address, 50_007)
    write_pcap(later, stamped(tls(successor, "deep.evil.example"), START_NS + 30 * HOUR_NS))
    tree.add_capture(later)
    found = hunt(tree.root, "deep.evil.example")
    assert [row["mac"] for row in found] == ["02:00:00:00:00:77", PC.mac]


@pytest.mark.parametrize("cut", ["head", "page", "foot"])
def test_a_damaged_file_is_told_and_the_rest_answers(tree: HistoryTree, cut: str) -> None:
    [victim] = (tree.root / "kind=flow").glob("day=2026-11-22/hour=07/*.parquet")
    content = bytearray(victim.read_bytes())
    if cut == "head":
        content = content[:100]
    elif cut == "page":
        content[8 : len(content) // 2] = b"\xff" * (len(content) // 2 - 8)
    else:
        content[-40:] = b"\0" * 40
    victim.write_bytes(content)
    notes: list[str] = []
    wanted = WantedSet()
    wanted.add_words(["203.0.113.9"])
    found = hunt_for(tree.root, wanted, notes=notes)
    assert brief(found) == [("10.20.3.45", 0, 1)]
    assert len(notes) == 1
    assert str(victim) in notes[0]
    assert "damaged" in notes[0]


def test_a_history_of_nothing_answers_nothing(tmp_path: Path) -> None:
    assert hunt(tmp_path / "none", "203.0.113.9", "evil.example") == []
    (tmp_path / "kind=flow" / "day=x" / "hour=99").mkdir(parents=True)
    (tmp_path / "kind=flow" / "day=2026-13-45" / "hour=01").mkdir(parents=True)
    assert hunt(tmp_path, "203.0.113.9") == []


def test_names_of_files_and_indicators_are_no_sql(tree: HistoryTree, tmp_path: Path) -> None:
    odd = tmp_path / "it's; drop table met --"
    tree.root.rename(odd)
    assert len(hunt(odd, "203.0.113.9", "o'clock@evil.example")) == 2


def test_packets_are_available_while_the_ring_reaches_back(tree: HistoryTree, tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    ring.mkdir()
    assert not hunt(tree.root, "deep.evil.example", ring=ring)[0]["packets_available"]
    for name in ("eth1-0-20261122T065900.000000Z-000001.pcap", "eth1-0-20261122T073000.000000Z-000002.pcap"):
        (ring / name).write_bytes(b"")
    assert hunt(tree.root, "deep.evil.example", ring=ring)[0]["packets_available"]
    (ring / "eth1-0-20261122T065900.000000Z-000001.pcap").unlink()
    assert not hunt(tree.root, "deep.evil.example", ring=ring)[0]["packets_available"]
