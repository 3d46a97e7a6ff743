"""What a hunt tells while it goes on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sensor.demo.messages import http_get, http_ok
from sensor.hunt.answer import Sighting
from sensor.hunt.hunt import Hunt, Places, Watcher
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from tests.traffic.build import Conversation, Endpoint, write_pcap
from tests.unit.hunt.history import HistoryTree
from tests.unit.hunt.hunting import ENDS, hunt

START_NS = 1_795_330_800 * 1_000_000_000
HOUR_NS = 3600 * 10**9
HOURS = 12
WEB = Endpoint("02:00:00:00:00:02", "203.0.113.80", 8080)
ALWAYS = "10.20.3.200"


def guest(hour: int) -> str:
    return f"10.20.3.{hour + 1}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> HistoryTree:
    """A history in which one host goes to a server in each hour, and another one in one hour each."""
    directory = tmp_path_factory.mktemp("early")
    packets = []
    for hour in range(HOURS):
        for place, address in enumerate((ALWAYS, guest(hour))):
            talk = Conversation(Endpoint("02:00:00:00:00:01", address, 50_000 + hour), WEB)
            frames = [*talk.open(), *talk.send(http_get("shop.example", "/"), from_client=True)]
            frames += [*talk.send(http_ok(300), from_client=False), *talk.close()]
            at_ns = START_NS + hour * HOUR_NS + place * 10**9
            packets += [(at_ns + n * 1_000_000, frame) for n, frame in enumerate(frames)]
    write_pcap(directory / "web.pcap", packets)
    tree = HistoryTree(directory / "history")
    tree.add_capture(directory / "web.pcap")
    tree.add_hosts([host(guest(0), "PC-0", 0), host(guest(HOURS - 1), "PC-11", HOURS - 1)])
    return tree


def host(ip: str, name: str, hour: int) -> dict[str, Any]:
    times = dict.fromkeys(("time_ns", "first_seen_ns", "last_seen_ns"), START_NS + hour * HOUR_NS + 10**9)
    return {"ip": ip, "mac": "00:1b:44:11:3a:b7", "vlan": [20], "name": name, **times}


class Listener(Watcher):
    """Keeps what it is shown: hosts by name and contacts, and how far the hunt was."""

    shows_early = True

    def __init__(self) -> None:
        self.shown: list[tuple[int, int, list[dict[str, Any]]]] = []

    def show(self, found: Sequence[Sighting], done_hours: int, hours: int) -> None:
        self.shown.append((done_hours, hours, [sighting.describe() for sighting in found]))


def heard(tree: HistoryTree, word: str) -> tuple[Listener, list[dict[str, Any]]]:
    wanted, listener, notes = WantedSet(), Listener(), list[str]()
    wanted.add_words([word])
    found = Hunt(Places(tree.root, None, None), ENDS, notes.append).run(wanted, Window(), listener)
    assert not notes
    return listener, [sighting.describe() for sighting in found]


def assert_newest_first(tree: HistoryTree) -> None:
    """Hosts are told as soon as their hour is read, and no hour is read before a newer one."""
    listener, found = heard(tree, WEB.address)
    assert found == hunt(tree.root, WEB.address)
    assert [done for done, *_ in listener.shown[:3]] == [0, 1, 2]
    for done, hours, rows in listener.shown:
        read = list(reversed(range(HOURS)))[:done]
        assert hours == HOURS
        assert [row["ip"] for row in rows if row["ip"] != ALWAYS] == [guest(hour) for hour in read]
        assert [row["contacts"] for row in rows if row["ip"] == ALWAYS] == [done] * bool(done)
        assert {row["name"] for row in rows if row["ip"] == guest(HOURS - 1)} == ({"PC-11"} if done else set())
    assert found[-1]["name"] == "PC-0"


def test_hosts_are_told_as_soon_as_their_hour_is_read(tree: HistoryTree) -> None:
    assert_newest_first(tree)


def test_what_conversations_show_is_told_before_flows_are_read(tree: HistoryTree) -> None:
    listener, found = heard(tree, "shop.example")
    assert found == hunt(tree.root, "shop.example")
    _, hours, rows = listener.shown[0]
    assert hours == HOURS
    assert {row["ip"] for row in rows} == {row["ip"] for row in found}
    assert {tuple(row["seen_in"]) for row in rows} == {("http",)}


def test_who_does_not_want_to_hear_is_told_the_end_alone(tree: HistoryTree) -> None:
    class Deaf(Listener):
        shows_early = False

    wanted, deaf = WantedSet(), Deaf()
    wanted.add_words([WEB.address])
    assert len(Hunt(Places(tree.root, None, None), ENDS, print).run(wanted, Window(), deaf)) == HOURS + 1
    assert deaf.shown == []


@pytest.mark.parametrize("forget_flows", [False, True])
def test_closed_hours_are_told_the_same_way(tree: HistoryTree, tmp_path: Path, *, forget_flows: bool) -> None:
    shutil.copytree(tree.root, tmp_path / "history")
    closed = HistoryTree(tmp_path / "history")
    closed.close_hours(forget_flows=forget_flows)
    assert_newest_first(closed)
