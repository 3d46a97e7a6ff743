"""Packets of what is on the screen: questions, files, and the key that writes them."""

from __future__ import annotations

import asyncio
import hashlib
import struct
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from sensor.config import Config
from sensor.config.models import PcapRing
from sensor.demo.frames import Endpoint, udp
from sensor.demo.pcap_file import write_pcap
from sensor.pcap.search import Found, PacketSearch
from sensor.top.app import TopApp
from sensor.top.packets import LARGEST_FILE_BYTES, NameScreen, of_connection, of_host, save
from sensor.top.screens import HostScreen
from tests.unit.samples import SECOND, START, flow_row
from tests.unit.top.office import Office
from tests.unit.top.test_app import screen_text, until

HOST, PEER = "10.20.3.17", "198.51.100.7"
HOUR_NS = 3600 * SECOND
_FILE_HEADER_BYTES = 24


class EndlessSearch(PacketSearch):
    """A search in a ring without end, that has found something at once."""

    def write(self, path: str, show: Callable[[int], None] = lambda _: None, _: object = ()) -> Found:
        self._search.write_to(path)
        self._search.step()
        while not threading.Event().wait(0.01):  # lets the screen have the interpreter, as the core's search does
            show(1)
        raise AssertionError("nobody stopped it")


@pytest.fixture
def endless_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.top.packets.PacketSearch", EndlessSearch)


def datagram(source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    ends = (Endpoint("02:00:00:00:00:01", *source), Endpoint("02:00:00:00:00:02", *destination))
    return udp(*ends, b"x")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    ring = tmp_path / "ring"
    ring.mkdir()
    client, server, other = (HOST, 50_112), (PEER, 443), ("192.0.2.80", 80)
    ends = [(START - 2 * HOUR_NS, client, server), (START - 20 * SECOND, client, server),
            (START - 10 * SECOND, server, client), (START - 5 * SECOND, client, other),
            (START - 4 * SECOND, other, server)]  # fmt: skip
    write_pcap(
        ring / "eth1-0-20261122T074605.000000Z-000001.pcap", [(time_ns, datagram(*pair)) for time_ns, *pair in ends]
    )
    return Config(pcap_ring=PcapRing(directory=ring))


def community_id() -> str:
    """That of the datagrams' connection, as the Community ID specification 1.0 makes it with seed 0."""
    smaller, larger = sorted([(ip_address(HOST).packed, 50_112), (ip_address(PEER).packed, 443)])
    content = struct.pack("!H4s4sBBHH", 0, smaller[0], larger[0], 17, 0, smaller[1], larger[1])
    return f"1:{b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()}"


def connection() -> dict[str, Any]:
    """The datagrams' connection in the core's table, younger than the first of them."""
    return flow_row(
        orig_ip=HOST, orig_port=50_112, resp_ip=PEER, resp_port=443, proto="UDP", community_id=community_id(),
        start_ns=START - 20 * SECOND,
    )  # fmt: skip


def times(path: Path) -> list[int]:
    """Seconds before START of each packet of a pcap file with nanoseconds."""
    content, at, found = path.read_bytes(), _FILE_HEADER_BYTES, []
    while at < len(content):
        seconds, _, length = struct.unpack_from("<III", content, at)
        found.append(START // SECOND - seconds)
        at += 16 + length
    return found


def test_a_connections_packets_are_those_since_it_began(config: Config, tmp_path: Path) -> None:
    wanted = of_connection({**connection(), "local": "orig", "now_ns": START})
    assert wanted.words == f"{HOST}:50112 and {PEER}:443"
    path = tmp_path / "a.pcap"
    assert save(config, wanted, path, lambda: False) == f"{path}: 2 packets, 86 B"
    assert times(path) == [20, 10]


def test_a_hosts_packets_are_those_of_the_last_hour(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    assert save(config, of_host(HOST, START), path, lambda: False).startswith(f"{path}: 3 packets")
    assert times(path) == [20, 10, 5]


def test_the_file_is_named_after_host_and_time(config: Config) -> None:
    del config
    assert of_host(HOST, 1_795_333_565 * SECOND).file_name == "10.20.3.17-20261122T074605Z.pcap"
    assert of_host("2001:db8::1", 0).file_name == "2001-db8--1-19700101T000000Z.pcap"


def test_a_file_that_is_there_is_left_alone(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="choose another name"):
        save(config, of_host(HOST, START), path, lambda: False)
    assert path.read_text() == "mine"


@pytest.mark.usefixtures("endless_search")
def test_a_search_that_is_stopped_leaves_no_file(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    assert save(config, of_host(HOST, START), path, lambda: True) == ""
    assert not list(tmp_path.glob("a.pcap*"))


def test_a_file_of_one_gigabyte_says_that_there_is_more(config: Config, tmp_path: Path) -> None:
    wanted = of_host(HOST, START)
    assert wanted.question.limit_bytes == LARGEST_FILE_BYTES
    short = replace(wanted, question=replace(wanted.question, limit_bytes=50))
    assert "only: spanwatch pcap writes more" in save(config, short, tmp_path / "a.pcap", lambda: False)


def play(office: Office, config: Config | None, script: Callable[[Pilot[None]], Any]) -> None:
    """Run a script on the screen, once the connection is there."""
    office.engine.flow_rows = [connection()]

    async def run() -> None:
        app = TopApp(office.path, config, retry_seconds=0.02)
        async with app.run_test(size=(140, 40), notifications=True) as pilot:
            await until(pilot, lambda: f"{HOST}:50112" in screen_text(pilot))
            await script(pilot)

    with office.open():
        asyncio.run(run())


async def answer(pilot: Pilot[None], key: str, name: Path | None = None) -> None:
    """Press the key that writes packets, give the name of a file, and Enter."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, NameScreen))
    if name is not None:
        pilot.app.screen.query_one(Input).value = str(name)
    await pilot.press("enter")


def told(pilot: Pilot[None]) -> str:
    return " ".join(notice.message for notice in pilot.app._notifications)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "s")


def test_the_key_writes_the_connection_under_the_cursor(office: Office, config: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"

    async def script(pilot: Pilot[None]) -> None:
        await answer(pilot, "w", path)
        await until(pilot, lambda: f"{path}: 2 packets" in told(pilot))
        assert times(path) == [20, 10]

    play(office, config, script)


def test_the_key_on_a_hosts_page_writes_the_host_under_the_name_that_is_offered(
    office: Office, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HostScreen))
        await answer(pilot, "w")
        await until(pilot, lambda: "3 packets" in told(pilot))

    play(office, config, script)
    (path,) = tmp_path.glob(f"{HOST}-*Z.pcap")
    assert times(path) == [20, 10, 5]


def test_escape_and_an_empty_name_write_nothing(
    office: Office, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("w", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, NameScreen))
        await answer(pilot, "w", Path(" "))
        await until(pilot, lambda: not isinstance(pilot.app.screen, NameScreen))
        assert told(pilot) == ""

    play(office, config, script)
    assert not list(tmp_path.glob("*.pcap"))


@pytest.mark.usefixtures("endless_search")
def test_only_one_search_runs_and_the_end_of_the_screen_stops_it(
    office: Office, config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"

    async def script(pilot: Pilot[None]) -> None:
        await answer(pilot, "w", path)
        await until(pilot, path.with_name("a.pcap.tmp").exists)
        await pilot.press("w")
        await until(pilot, lambda: "are being written already" in told(pilot))

    play(office, config, script)
    assert not list(tmp_path.glob("a.pcap*"))


def test_a_ring_that_cannot_be_read_is_said(office: Office, tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    async def script(pilot: Pilot[None]) -> None:
        await answer(pilot, "w", tmp_path / "a.pcap")
        await until(pilot, lambda: str(missing) in told(pilot))
        assert not (tmp_path / "a.pcap").exists()

    play(office, Config(pcap_ring=PcapRing(directory=missing)), script)


def test_without_the_daemons_configuration_the_next_step_is_said(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("w")
        await until(pilot, lambda: "name its configuration with -c" in told(pilot))

    play(office, None, script)
