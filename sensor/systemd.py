"""The service manager and the journal: sd_notify(3) messages, signals, and log lines with a priority."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG_PRIORITY = 7


def _find_notify() -> Callable[[str], object]:
    try:
        from systemd.daemon import notify  # noqa: PLC0415
    except ImportError:
        return _notify_socket
    found: Callable[[str], object] = notify
    return found


def _notify_socket(message: str, flags: int = 0) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(message.encode(), flags, address)


def _offer(message: str) -> None:
    """Send what is said again soon. A manager that does not read must not hold the daemon up: then it is left out."""
    _notify_socket(message, socket.MSG_DONTWAIT)


class ServiceManager:
    """Tells systemd how the daemon is doing; without systemd every call does nothing."""

    def __init__(self) -> None:
        self._notify = _find_notify()

    def ready(self) -> None:
        """Say that the start, or a reload, is complete."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that a reload begins; systemd wants the time of it (sd_notify(3))."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the daemon drains and will end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={text}", _offer)

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1", _offer)

    def _send(self, message: str, send: Callable[[str], object] | None = None) -> None:
        try:
            (send or self._notify)(message)
        except OSError as error:
            logging.getLogger(__name__).debug("the service manager cannot be told: %s", error)


@contextmanager
def signals_to(stop: Callable[[], None], reload: Callable[[], None]) -> Iterator[None]:
    """While it lasts, SIGTERM and SIGINT call `stop` and SIGHUP calls `reload`; only the main thread can have it so.

    Draining happens inside the core, where no handler of Python's runs: a second stop signal ends the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    def on_hangup(_number: int, _frame: FrameType | None) -> None:
        reload()

    handlers = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_hangup}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def is_journal(descriptor: int) -> bool:
    """Whether a descriptor is connected to the journal, as JOURNAL_STREAM tells (systemd.exec(5))."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class JournalFormatter(logging.Formatter):
    """Prefixes each line with its priority (sd-daemon(3)); the journal adds the time."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record, every line of it with the prefix."""
        prefix = next((number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG_PRIORITY)
        return "\n".join(f"<{prefix}>{line}" for line in super().format(record).splitlines() or [""])


def configure_logging(level: int = logging.INFO) -> None:
    """Log to standard error: with priorities for the journal, else with time and level."""
    handler = logging.StreamHandler(sys.stderr)
    if is_journal(sys.stderr.fileno()):
        handler.setFormatter(JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
