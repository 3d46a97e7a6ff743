from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor._native import Watchlists
from sensor.config import Config, load
from sensor.demo.messages import client_hello, server_hello
from sensor.engine import Batch
from sensor.hunt.retro import KNOWN, MOST_ALERTS, RetroHunts
from tests.traffic.build import Conversation, Endpoint, write_pcap
from tests.unit.hunt.history import HistoryTree

START_NS = 1_795_330_800 * 1_000_000_000
NOW_NS = START_NS + 3 * 86_400 * 10**9
PC = Endpoint("02:00:00:00:00:01", "10.20.3.44", 50_000)
C2 = Endpoint("02:00:00:00:00:02", "203.0.113.9", 443)


def compiled(text: str) -> Watchlists:
    return Watchlists.compile([("feodo", "csv", text.encode(), 1)])


BEFORE = compiled("indicator\n198.51.100.1\n")
EMOTET = compiled("indicator,malware,threat_type,severity\n203.0.113.9,Emotet,C2,medium\n192.0.2.55,,,\n")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A history in which one host has met the controller three days ago."""
    talk = Conversation(PC, C2)
    frames = [*talk.open(), *talk.send(client_hello("c2.example", 1), from_client=True)]
    frames += [*talk.send(server_hello(1), from_client=False), *talk.close()]
    write_pcap(tmp_path / "c2.pcap", [(START_NS + n * 1_000_000, frame) for n, frame in enumerate(frames)])
    HistoryTree(tmp_path / "history").add_capture(tmp_path / "c2.pcap")
    (tmp_path / "added").touch()
    BEFORE.write_added(None, tmp_path / "added", tmp_path / "history" / KNOWN)
    keys = {"history.directory": str(tmp_path / "history"), "history.enabled": True}
    return load(None, {**keys, "pcap_ring.enabled": False})


Start = Callable[..., RetroHunts]


@pytest.fixture
def start(config: Config) -> Iterator[Start]:
    begun: list[RetroHunts] = []

    def make(script: str | None = None) -> RetroHunts:
        hunts = RetroHunts(config) if script is None else RetroHunts(config, [sys.executable, "-c", script])
        begun.append(hunts)
        return hunts

    yield make
    for hunts in begun:
        hunts.close()


def found_by(hunts: RetroHunts, number: int = 1) -> list[Any]:
    end = time.monotonic() + 60
    rows: list[Any] = []
    while len(rows) < number:
        assert time.monotonic() < end, "nothing was found"
        rows += hunts.take(Batch(NOW_NS)).judged
        time.sleep(0.01)
    return rows


def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    end = time.monotonic() + 60
    while words not in caplog.text:
        assert time.monotonic() < end, caplog.text
        time.sleep(0.01)


def test_a_new_indicator_that_was_met_is_told_now_with_the_times_of_then(start: Start) -> None:
    hunts = start()
    hunts.search(EMOTET)
    [row] = found_by(hunts)
    assert (row["rule"], row["time_ns"], row["severity"]) == ("watchlist.retro", NOW_NS, 2)
    assert (row["host"], row["remote"], row["subject"], row["count"]) == (PC.address, C2.address, C2.address, 1)
    assert row["mac"] == row["machine"]["mac"] == PC.mac
    assert "first 2026-11-22T" in row["text"]
    assert "1 contact, 0 attempts" in row["text"]
    assert row["notes"][0] == "Emotet C2 (feodo)"
    assert row["flow"]["start_ns"] == START_NS
    assert row["context"]["watchlist"]["entry"] == {"malware": "Emotet", "threat_type": "C2"}
    assert row["context"]["retro"]["first_seen"] == "2026-11-22T07:00:00.000000+0000"


def test_what_nobody_met_is_said_in_the_log(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hunts = start()
    hunts.search(compiled("indicator\n192.0.2.55\n"))
    until_logged(caplog, "nobody has met a new indicator")
    assert not hunts.take(Batch(NOW_NS)).judged


def test_what_was_found_waits_for_packet_time(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hunts = start()
    hunts.search(EMOTET)
    until_logged(caplog, "1 host met a new indicator")
    assert not hunts.take(Batch(0)).judged
    assert len(hunts.take(Batch(NOW_NS)).judged) == 1
    assert not hunts.take(Batch(NOW_NS)).judged


def test_only_so_many_alerts_are_raised(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    script = (
        "import sys, json; sys.stdin.read()\n"
        "row = dict(ip='10.1.1.1', mac=None, vlan=[], name=None, first_seen='', last_seen='', first_ns=1, last_ns=2,"
        " contacts=1, attempts=0, bytes_out=0, bytes_in=0, packets_available=False, remotes=[], seen_in=[],"
        " remote=None, flow={}, entry=0)\n"
        f"[print(json.dumps(row)) for _ in range({MOST_ALERTS + 5})]"
    )
    hunts = start(script)
    hunts.search(EMOTET)
    until_logged(caplog, "5 of them without an alert")
    assert len(found_by(hunts, MOST_ALERTS)) == MOST_ALERTS


@pytest.mark.parametrize("script", ["import sys; sys.exit('no memory')", "print('not json')", "import os; os.abort()"])
def test_a_search_that_fails_is_told_and_the_next_one_runs(
    start: Start, caplog: pytest.LogCaptureFixture, script: str
) -> None:
    hunts = start(script)
    hunts.search(EMOTET)
    until_logged(caplog, "retro-hunt: ")
    hunts.search(EMOTET)
    end = time.monotonic() + 60
    while sum(record.levelno == logging.ERROR for record in caplog.records) < 2:
        assert time.monotonic() < end, caplog.text
        time.sleep(0.01)


def test_a_stop_ends_the_search_that_runs(start: Start) -> None:
    hunts = start("import time; time.sleep(600)")
    hunts.search(EMOTET)
    began = time.monotonic()
    while hunts._process is None:
        assert time.monotonic() < began + 60
        time.sleep(0.01)
    process = hunts._process
    hunts.close()
    assert process.wait(60) != 0


def test_without_a_history_nothing_is_searched() -> None:
    hunts = RetroHunts(load(None, {"history.enabled": False}), ["/does/not/exist"])
    hunts.search(EMOTET)
    assert not hunts.take(Batch(NOW_NS)).judged


def test_what_was_looked_for_is_not_looked_for_again_also_by_a_later_run(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = start()
    first.search(EMOTET)
    until_logged(caplog, "1 host met a new indicator")
    first.close()
    caplog.clear()
    later = start()
    later.search(compiled("indicator,malware\nevil.example,\n203.0.113.9,a\n"))
    until_logged(caplog, "nobody has met a new indicator")
    assert "looking for 1 new indicator in" in caplog.text


def test_what_was_not_searched_to_the_end_is_searched_again(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    failing = start("import sys; sys.exit(3)")
    failing.search(EMOTET)
    until_logged(caplog, "ended with code 3")
    failing.close()
    later = start()
    later.search(EMOTET)
    assert found_by(later)


@pytest.mark.parametrize("content", [None, b"", b"spanwatch known\n and what is left of it"])
def test_what_lists_have_at_first_is_not_looked_for(
    config: Config, start: Start, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    caplog.set_level(logging.INFO)
    known = config.history.directory / KNOWN
    known.unlink()
    if content is not None:
        known.write_bytes(content)
    hunts = start()
    hunts.search(compiled("indicator\n192.0.2.55\n"))
    until_logged(caplog, "only what is added from now on is looked for")
    hunts.search(EMOTET)
    [row] = found_by(hunts)
    assert row["subject"] == C2.address


def test_what_is_allowed_already_is_not_told_of_a_new_list(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hunts = start()
    hunts.search(compiled("indicator,action\n203.0.113.0/24,allow\n192.0.2.1,\n"))
    until_logged(caplog, "nobody has met a new indicator")
    caplog.clear()
    hunts.search(compiled("indicator,action\n203.0.113.0/24,allow\n203.0.113.9,\n"))
    until_logged(caplog, "nobody has met a new indicator")
