from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor import systemd
from sensor.systemd import JournalFormatter, ServiceManager, configure_logging, is_journal, signals_to


@pytest.fixture
def notify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A service manager that listens, and a process without systemd-python."""
    monkeypatch.setitem(sys.modules, "systemd", None)
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield receiver


def test_messages_are_those_of_sd_notify(notify: socket.socket) -> None:
    manager = ServiceManager()
    manager.ready()
    manager.status("mirror ok")
    manager.alive()
    manager.reloading()
    manager.stopping()
    received = [notify.recv(200).decode() for _ in range(5)]
    assert received[:3] == ["READY=1", "STATUS=mirror ok", "WATCHDOG=1"]
    assert received[3].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert int(received[3].rpartition("=")[2]) > 0
    assert received[4] == "STOPPING=1"


def test_a_manager_that_does_not_read_holds_nothing_up(notify: socket.socket) -> None:
    manager = ServiceManager()
    for _ in range(1000):
        manager.alive()
        manager.status("mirror ok")
    assert notify.recv(100) == b"WATCHDOG=1"


def test_an_abstract_socket_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "systemd", None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0spanwatch-test-{os.getpid()}")
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@spanwatch-test-{os.getpid()}")
        ServiceManager().ready()
        assert receiver.recv(100) == b"READY=1"


def test_without_or_with_a_dead_service_manager_nothing_breaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "systemd", None)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    ServiceManager().ready()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    ServiceManager().ready()


def test_the_journal_gets_a_priority_a_line() -> None:
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "one\ntwo", None, None)
    assert JournalFormatter("%(message)s").format(record) == "<3>one\n<3>two"
    record.levelno = logging.DEBUG
    assert JournalFormatter("%(message)s").format(record) == "<7>one\n<7>two"


def test_the_journal_is_known_by_its_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert is_journal(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino + 1}")
        assert not is_journal(stream.fileno())


def test_logging_outside_the_journal_has_time_and_level(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    with (tmp_path / "err").open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logging()
        logging.getLogger("sensor").warning("careful")
    line = (tmp_path / "err").read_text()
    assert line.endswith(" WARNING careful\n")
    assert line.startswith("20")


def test_signals_call_their_handlers_and_the_second_stop_is_left_to_the_system() -> None:
    called = []
    with signals_to(lambda: called.append("stop"), lambda: called.append("reload")):
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        assert called == ["reload", "stop"]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_systemd_python_is_used_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    daemon = type(sys)("systemd.daemon")
    daemon.notify = sent.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "systemd", type(sys)("systemd"))
    monkeypatch.setitem(sys.modules, "systemd.daemon", daemon)
    systemd.ServiceManager().ready()
    assert sent == ["READY=1"]
