"""Tunnels that end at the machine itself have an owner."""

import errno
import logging
import socket
from pathlib import Path

import pytest

from sensor.capture import quiet
from sensor.capture.quiet import QuietTunnels


@pytest.fixture
def port() -> int:
    """A UDP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as finder:
        finder.bind(("127.0.0.1", 0))
        number: int = finder.getsockname()[1]
    return number


def is_refused(port: int) -> bool:
    """Whether the machine answers a datagram with "port unreachable"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        sender.send(b"mirrored")
        # Over loopback the answer is there when the call returns.
        return sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_a_port_is_quiet_while_it_is_owned(port: int) -> None:
    assert is_refused(port)
    tunnels = QuietTunnels(["lo"], [port])
    tunnels.open()
    assert not is_refused(port)
    for owner in tunnels._sockets:
        with pytest.raises(BlockingIOError):
            owner.recv(1, socket.MSG_DONTWAIT)
    tunnels.close()
    assert is_refused(port)


def test_an_interface_without_address_has_no_sockets(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "_owner", lambda *_: pytest.fail("opened"))
    QuietTunnels(["nothing0"], [port]).open()


def test_an_address_of_the_link_alone_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(
        "fe80000000000000021b44fffe113ab7 02 40 20 80     eth1\n"
        "fe80000000000000021b44fffe113ab8 03 40 20 80     eth2\n"
        "20010db8000000000000000000000001 03 40 00 80     eth2\n"
    )
    monkeypatch.setattr(quiet, "_IP6_ADDRESSES", table)
    assert quiet._families("eth1") == []
    assert quiet._families("eth2") == [socket.AF_INET6]


@pytest.mark.parametrize(
    ("code", "level", "said"),
    [
        (errno.EADDRINUSE, logging.INFO, "UDP port 4789 on lo: another program has it"),
        (errno.EPERM, logging.WARNING, "UDP port 4789 on lo is answered with ICMP unreachable"),
    ],
)
def test_what_cannot_be_owned_is_said(
    code: int, level: int, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(code, "refused")

    monkeypatch.setattr(quiet, "_owner", refuse)
    with caplog.at_level(logging.INFO):
        QuietTunnels(["lo"], [4789]).open()
    assert {record.levelno for record in caplog.records if record.message.startswith(said)} == {level}
