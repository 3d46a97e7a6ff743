from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sensor.identity.facts import Evidence
from sensor.identity.memory_file import MemoryFile, decode, encode
from sensor.identity.naming import Identities
from sensor.identity.table import MOST_ADDRESSES_OF_A_MACHINE, IdentityTable
from tests.unit.samples import SECOND, START

IP, PC, PROXY, ROUTER = "10.20.3.44", "00:1b:44:00:00:0a", "00:1b:44:00:00:0b", "00:1c:73:00:00:01"


def restarted(table: IdentityTable, most: int = 100) -> IdentityTable:
    """A table that goes on with what another one has put into a file."""
    again = IdentityTable(most)
    again.restore(decode(encode(table.memory)))
    return again


def test_names_and_history_survive_a_restart(tmp_path: Path) -> None:
    before, after, file = Identities(10), Identities(10), MemoryFile(tmp_path)
    before.learn(Evidence(START, "dhcp", IP, PC, "PC-0417", "MSFT 5.0"))
    before.learn(Evidence(START + SECOND, "arp", IP, PC))
    assert file.save(before.document())
    memory = file.load()
    assert memory is not None
    after.restore(memory)
    machine = after.who(IP, START + SECOND)
    assert machine is not None
    assert (machine["name"], machine["mac"], machine["vendor_class"]) == ("PC-0417", PC, "MSFT 5.0")
    assert after.machines(10) == before.machines(10)


def test_routers_and_proxies_still_name_no_machine() -> None:
    table = IdentityTable(100)
    table.learn_routers([ROUTER])
    for number in range(MOST_ADDRESSES_OF_A_MACHINE + 1):
        table.learn(Evidence(START, "arp", f"10.0.0.{number}", PROXY))
    again = restarted(table)
    assert again.who("10.0.0.1", START) is None
    assert again.who(IP, START, ROUTER) is None


def test_of_more_than_there_is_room_for_the_newest_are_kept() -> None:
    table = IdentityTable(100)
    for number in range(5):
        table.learn(
            Evidence(START + number, "dhcp", f"10.0.0.{number}", f"00:1b:44:00:00:{number:02x}", f"PC-{number}")
        )
    again = restarted(table, most=2)
    assert again.addresses() == ["10.0.0.3", "10.0.0.4"]
    assert again.evicted == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"memory": {}, "version": 2}'])
def test_a_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    file = MemoryFile(tmp_path)
    file.path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert file.load() is None
    assert "earlier identities are lost" in caplog.text
    assert (tmp_path / "identities.damaged.json").read_bytes() == content
